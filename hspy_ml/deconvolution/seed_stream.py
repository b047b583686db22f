# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra as the seed had them: a line, Lorentzians, a Lorentzian response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["N_CHANNELS", "TARGET_WIDTH", "ZERO_CHANNEL", "SeedStream"]

N_CHANNELS = 2048  # of 5 meV
ZERO_CHANNEL = 400  # the spectra begin at -2 eV
TARGET_WIDTH = 3.0  # channels: a zero-loss line of 15 meV
MOST_LOSSES = 15
LOSS_WIDTHS = 10.0, 300.0  # channels
LEAST_RATIO, LARGEST_RATIO = 300.0, 4000.0  # of the zero-loss line to a loss, heights
RESPONSE_WIDTHS = 7.0, 40.0  # channels
N_COPIES, LARGEST_WOBBLE = 25, 10.0  # channels
LARGEST_NOISE = 1e-3  # standard deviation, of the maximum
LARGEST_DARK = 1e-7  # of the sum
GAUSSIAN = np.sqrt(8 * np.log(2))  # FWHM, standard deviations


@dataclass(frozen=True)
class SeedStream:
    """Draws convolved spectra and their truth, as the seed's authors did.

    A narrow Gaussian zero-loss line, always at the same channel, and up to 15
    Lorentzian losses of 0.05 to 1.5 eV, 1/4000 to 1/300 as high. The measured spectrum
    is the mean of 25 copies displaced by up to 50 meV, convolved with a Lorentzian of
    35 to 200 meV, with Gaussian noise of up to a thousandth of the maximum in every
    channel alike. Counting statistics, gain and plural scattering have no part in it.

    References
    ----------
    S. S. Mousavi M. et al., Sci. Rep. 12 (2022) 17462; its published program.
    """

    target_width: float = TARGET_WIDTH

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw spectra.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        spectra, truth : ndarray of float32, shape (n, 2048)
            Each row sums to one, but for the noise.
        """
        rng = np.random.default_rng(random_state)
        truth = _scenes(n, self.target_width, rng)
        spectra = _convolved(truth, rng)
        noise = rng.uniform(0, LARGEST_NOISE, (n, 1)) * spectra.max(axis=1)[:, None]
        spectra += noise * rng.standard_normal(spectra.shape)
        spectra += rng.uniform(0, LARGEST_DARK, (n, 1))
        return spectra.astype(np.float32), truth.astype(np.float32)


def _scenes(n: int, width: float, rng: np.random.Generator) -> np.ndarray:
    """Zero-loss line and losses, each row with the sum one."""
    channel = np.arange(N_CHANNELS) - ZERO_CHANNEL
    line = np.exp(-0.5 * (channel * GAUSSIAN / width) ** 2)
    scenes = np.tile(line, (n, 1))
    for scene in scenes:
        n_losses = rng.integers(MOST_LOSSES + 1)
        place = rng.uniform(0, channel[-1], (n_losses, 1))
        half = rng.uniform(*LOSS_WIDTHS, (n_losses, 1)) / 2
        height = 1 / rng.uniform(LEAST_RATIO, LARGEST_RATIO, (n_losses, 1))
        scene += (height / (1 + ((channel - place) / half) ** 2)).sum(axis=0)
    return scenes / scenes.sum(axis=1, keepdims=True)


def _convolved(scenes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean of displaced copies, with the response; rows sum to one."""
    n, size = len(scenes), 2 * N_CHANNELS
    frequency = 2 * np.pi * np.fft.rfftfreq(size)
    half = rng.uniform(*RESPONSE_WIDTHS, (n, 1)) / 2
    transfer = np.exp(-half * frequency) * np.fft.rfft(_wobble(n, size, rng))
    found = np.fft.irfft(np.fft.rfft(scenes, size) * transfer, size)[:, :N_CHANNELS]
    return found / found.sum(axis=1, keepdims=True)


def _wobble(n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Where the copies are: one in place, the others displaced by parts of channels."""
    moved = rng.uniform(-LARGEST_WOBBLE, LARGEST_WOBBLE, (n, N_COPIES))
    moved[:, 0] = 0
    below = np.floor(moved).astype(int)
    part = moved - below
    copies = np.zeros((n, size))
    rows = np.arange(n)[:, None]
    np.add.at(copies, (rows, below), (1 - part) / N_COPIES)
    np.add.at(copies, (rows, below + 1), part / N_COPIES)
    return copies
