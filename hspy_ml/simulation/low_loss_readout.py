# SPDX-License-Identifier: GPL-3.0-or-later
"""What a spectrometer and its detector make of low-loss scenes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .low_loss_scenes import Scenes

__all__ = ["TARGET_WIDTH", "LowLossSpectra", "measure"]

TARGET_WIDTH = 4.0  # FWHM of the truth's response, channels


@dataclass(frozen=True, eq=False)
class LowLossSpectra:
    """Spectra as read out, with what they should have been.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
    counts : ndarray of float32, shape (n_spectra, n_channels)
        ``gain * Poisson(electrons) + offset`` and the noise of reading out.
    truth : ndarray, shape (n_spectra, n_channels)
        Expected electrons by a Gaussian response, with the zero loss at 0 eV.
    loss_truth : ndarray, shape (n_spectra, n_channels)
        The same without the zero-loss peak.
    expected : ndarray, shape (n_spectra, n_channels)
        Electrons that were to be expected in each channel, by the real response.
    responses : ndarray, shape (n_spectra or 1, 2 m + 1)
        Highest at index m; they sum to one.
    electrons, zero_loss : ndarray, shape (n_spectra,)
        Electrons per spectrum, and those that lost nothing.
    shifts : ndarray, shape (n_spectra,)
        Channels by which the zero loss is above 0 eV.
    gain, read_noise, offset : ndarray, shape (n_spectra,)
        Counts per electron; standard deviation and mean of the counts without one.
    target_width : float
        FWHM of the truth's response, channels.
    lines : ndarray of `low_loss_lines.LINE`
    """

    energy_eV: np.ndarray
    counts: np.ndarray
    truth: np.ndarray
    loss_truth: np.ndarray
    expected: np.ndarray
    responses: np.ndarray
    electrons: np.ndarray
    zero_loss: np.ndarray
    shifts: np.ndarray
    gain: np.ndarray
    read_noise: np.ndarray
    offset: np.ndarray
    target_width: float
    lines: np.ndarray

    @property
    def zero_channel(self) -> float:
        """Where 0 eV lies on the axis, in channels."""
        return -self.energy_eV[0] / (self.energy_eV[1] - self.energy_eV[0])


def measure(
    scenes: Scenes,
    responses: np.ndarray,
    electrons: np.ndarray | float,
    shifts: np.ndarray | float = 0.0,
    gain: np.ndarray | float = 1.0,
    read_noise: np.ndarray | float = 0.0,
    offset: np.ndarray | float = 0.0,
    *,
    fixed_pattern: float = 0.0,
    target_width: float = TARGET_WIDTH,
    random_state: int | np.random.Generator | None = None,
) -> LowLossSpectra:
    """Spread the electrons by the response and count them.

    Parameters
    ----------
    scenes : Scenes
    responses : ndarray, shape (n_scenes or 1, 2 m + 1)
        See `random_responses`.
    electrons : float or ndarray, shape (n_scenes,)
        Per spectrum, within and past the axis.
    shifts : float or ndarray, shape (n_scenes,), default 0
        Misalignment: channels by which the spectrum lies too high.
    gain, read_noise, offset : float or ndarray, shape (n_scenes,)
        Counts per electron; standard deviation (counts) and mean of what is read
        without one.
    fixed_pattern : float, default 0
        Spread of the channels' gains, the same in all spectra, relative.
    target_width : float, default 4
        FWHM of the truth's Gaussian response, channels.
    random_state : int or numpy.random.Generator, optional
        Makes the noise repeat exactly.

    Returns
    -------
    LowLossSpectra

    Raises
    ------
    ValueError
        If the responses are not of one scene each.
    """
    n_scenes = scenes.zero_loss.size
    responses = np.atleast_2d(responses)
    if len(responses) not in (1, n_scenes) or responses.shape[1] % 2 == 0:
        raise ValueError(
            f"`responses` has the shape {responses.shape}; give one row, or one for "
            f"each of the {n_scenes} scenes, with an odd number of channels."
        )
    rng = np.random.default_rng(random_state)
    electrons, shifts, gain, read_noise, offset = (
        np.broadcast_to(np.asarray(value, float), n_scenes)
        for value in (electrons, shifts, gain, read_noise, offset)
    )
    expected, truth, loss_truth = _spread(
        scenes, responses, shifts, _gaussian(target_width)
    )
    dose = electrons[:, None]
    expected = np.maximum(expected * dose, 0.0)
    counts = _read(expected, gain, read_noise, offset, fixed_pattern, rng)
    return LowLossSpectra(
        scenes.energy_eV,
        counts,
        np.maximum(truth * dose, 0.0),
        np.maximum(loss_truth * dose, 0.0),
        expected,
        responses,
        electrons,
        scenes.zero_loss * electrons,
        shifts,
        gain,
        read_noise,
        offset,
        target_width,
        scenes.lines,
    )


def _gaussian(fwhm: float) -> np.ndarray:
    reach = int(np.ceil(4 * fwhm))
    x = np.arange(-reach, reach + 1) / fwhm
    row = np.exp(-4 * np.log(2) * x**2)
    return (row / row.sum())[None]


def _spread(
    scenes: Scenes, responses: np.ndarray, shifts: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares by the shifted response; by the target's, with and without zero loss."""
    from scipy import fft

    n_channels, padding = scenes.energy_eV.size, scenes.padding
    reach = min(responses.shape[1] // 2, n_channels + padding)
    length = fft.next_fast_len(scenes.loss.shape[1] + reach, real=True)
    frequency = fft.rfftfreq(length)

    def moved(channels: np.ndarray) -> np.ndarray:
        return np.exp(-2j * np.pi * frequency * channels)

    def seen(transform: np.ndarray) -> np.ndarray:
        return fft.irfft(transform, length)[:, padding : padding + n_channels]

    zero = moved(scenes.zero_channel + padding) * scenes.zero_loss[:, None]
    loss = fft.rfft(scenes.loss, length)
    blurred = _transform(responses, reach, length) * moved(shifts[:, None])
    sharp = _transform(target, target.shape[1] // 2, length)
    loss_truth = seen(loss * sharp)
    return seen((loss + zero) * blurred), seen(zero * sharp) + loss_truth, loss_truth


def _transform(rows: np.ndarray, reach: int, length: int) -> np.ndarray:
    """Fourier transform of rows about their middle, as far as `reach` channels."""
    from scipy import fft

    middle = rows.shape[1] // 2
    turned = np.zeros((len(rows), length))
    turned[:, : reach + 1] = rows[:, middle : middle + reach + 1]
    turned[:, length - reach :] = rows[:, middle - reach : middle]
    return fft.rfft(turned)


def _read(
    expected: np.ndarray,
    gain: np.ndarray,
    read_noise: np.ndarray,
    offset: np.ndarray,
    fixed_pattern: float,
    rng: np.random.Generator,
) -> np.ndarray:
    counts = rng.poisson(expected).astype(float) * gain[:, None]
    if fixed_pattern > 0:
        counts *= 1 + fixed_pattern * rng.standard_normal(expected.shape[1])
    noisy = np.flatnonzero(read_noise > 0)
    noise = rng.standard_normal((noisy.size, expected.shape[1]), dtype=np.float32)
    counts[noisy] += noise * read_noise[noisy, None]
    return (counts + offset[:, None]).astype(np.float32)
