# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss spectra as the specimen makes them: no response, no noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .low_loss_kinds import KINDS, Axis
from .low_loss_lines import line_intensities

__all__ = ["Scenes", "random_scenes"]

RARE = 1e-5  # probability of more losses than are followed
PADDING = 8  # the axis goes on past either end by an eighth of its channels


@dataclass(frozen=True, eq=False)
class Scenes:
    """Shares of the electrons by the energy they have lost.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
        The axis of the spectrometer.
    loss : ndarray, shape (n_scenes, n_channels + 2 padding)
        Share of all electrons that each channel would get with a perfect
        spectrometer, without those that lost nothing. Past either end of the axis it
        goes on by `padding` channels, from where tails of the response reach in.
    zero_loss : ndarray, shape (n_scenes,)
        Share of the electrons that lost nothing.
    padding : int
    lines : ndarray of `low_loss_lines.LINE`
        What the losses are made of. Field ``scene`` is the row of `loss`.
    """

    energy_eV: np.ndarray
    loss: np.ndarray
    zero_loss: np.ndarray
    padding: int
    lines: np.ndarray

    @property
    def zero_channel(self) -> float:
        """Where 0 eV lies on the spectrometer's axis, in channels."""
        return -self.energy_eV[0] / (self.energy_eV[1] - self.energy_eV[0])

    def select(self, rows: np.ndarray) -> Scenes:
        """Some of the scenes, in the order of `rows` (int or bool)."""
        rows = np.arange(self.zero_loss.size)[rows]
        of_row = [self.lines[self.lines["scene"] == row] for row in rows]
        lines = np.concatenate([*of_row, self.lines[:0]])
        lines["scene"] = np.repeat(np.arange(rows.size), [len(one) for one in of_row])
        return Scenes(
            self.energy_eV, self.loss[rows], self.zero_loss[rows], self.padding, lines
        )


def random_scenes(
    kind: str,
    n_scenes: int,
    n_channels: int = 2048,
    channel_width_eV: float | None = None,
    *,
    first_energy_eV: float | None = None,
    random_state: int | np.random.Generator | None = None,
) -> Scenes:
    """Draw specimens of a kind.

    Losses are independent events, so that an electron may have several: plural
    scattering follows from the intensities of the single ones.

    Parameters
    ----------
    kind : str
        "vib" (phonons and bands), "plasmon", "interband" (gap, excitons), "vacuum",
        "doublets", "broad", "fano" or "lines" (any).
    n_scenes : int
    n_channels : int, default 2048
    channel_width_eV, first_energy_eV : float, optional
        By default those of the kind: 1 meV from -0.3 eV, for plasmons 50 meV from
        -10 eV, for "interband" 10 meV from -2 eV.
    random_state : int or numpy.random.Generator, optional
        Makes the scenes repeat exactly.

    Returns
    -------
    Scenes

    Raises
    ------
    ValueError
        If there is no such kind, or 0 eV is not on the axis.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` is {kind!r}; choose one of {', '.join(KINDS)}.")
    rng = np.random.default_rng(random_state)
    width = (
        KINDS[kind].channel_width_eV
        if channel_width_eV is None
        else float(channel_width_eV)
    )
    first = (
        KINDS[kind].first_energy_eV
        if first_energy_eV is None
        else float(first_energy_eV)
    )
    padding = n_channels // PADDING
    energy = first + width * np.arange(-padding, n_channels + padding)
    inside = energy[padding : padding + n_channels]
    _check_axis(inside, width)
    lines = KINDS[kind].lines(rng, n_scenes, Axis(energy[-1], width))
    intensities = line_intensities(lines, energy, n_scenes)
    loss, zero_loss = _plural(intensities, -energy[0] / width)
    return Scenes(inside, loss, zero_loss, padding, lines)


def _check_axis(energy: np.ndarray, width: float) -> None:
    if not width > 0:
        raise ValueError(f"`channel_width_eV` is {width}; it must be above zero.")
    if not energy[0] < 0 < energy[-1]:
        raise ValueError(
            f"`first_energy_eV` is {energy[0]:g} and the axis ends at {energy[-1]:g} "
            "eV; it must begin below 0 eV and end above."
        )


def _plural(
    intensities: np.ndarray, zero_channel: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""Spectra of electrons with any number of losses, and the share with none.

    Losses are Poisson events: :math:`\hat P = \exp(\hat \nu - \hat \nu(0))` (Egerton
    2011, eq. 4.10). The transforms are as long as the most losses that an electron may
    have: what goes beyond the end would come back at the other one.
    """
    from scipy import fft

    n_channels = intensities.shape[-1]
    most = _most_losses(float(intensities.sum(axis=-1).max()))
    length = fft.next_fast_len((1 + most) * n_channels, real=True)
    turn = np.exp(2j * np.pi * zero_channel * fft.rfftfreq(length))
    transform = fft.rfft(intensities, length) * turn
    none = np.exp(-transform[:, :1].real)
    several = none * (np.expm1(transform) - transform)
    more = fft.irfft(several / turn, length)[:, :n_channels]
    return np.maximum(none * intensities + more, 0.0), none[:, 0]


def _most_losses(mean: float) -> int:
    """Losses of one electron that are exceeded with a probability of `RARE`."""
    from scipy.stats import poisson

    return max(1, int(poisson.isf(RARE, mean)))
