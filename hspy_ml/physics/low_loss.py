# SPDX-License-Identifier: GPL-3.0-or-later
"""The low-loss spectrum: how energy is lost besides the core loss, and the dose.

An electron that excites a core level also excites plasmons, as often as one that
does not. So a core-loss spectrum is the single scattering at the edge convolved with
the low-loss spectrum, whose area is the number of all electrons that the aperture
lets through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LowLoss", "pedestal"]

_EMPTY_BEFORE_EV = -5.0
_FEWEST_EMPTY = 5
_LAST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class LowLoss:
    """A low-loss spectrum as a distribution of energy losses.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
        Uniform, increasing centres of channels; zero at the zero-loss peak.
    share : ndarray, shape (n_channels,)
        Share of the electrons in each channel; sums to one.
    """

    energy_eV: np.ndarray
    share: np.ndarray

    @classmethod
    def from_counts(cls, energy_eV: np.ndarray, counts: np.ndarray) -> LowLoss:
        """Make it from a measured spectrum.

        Parameters
        ----------
        energy_eV : ndarray, shape (n_channels,)
            Uniform, increasing centres of channels.
        counts : ndarray, shape (n_channels,)
            The spectrum with its zero-loss peak, which is its maximum and is put at
            zero. A pedestal is taken off, see :func:`pedestal`.

        Returns
        -------
        LowLoss

        Raises
        ------
        ValueError
            If the spectrum is not finite, or nothing is in it.
        """
        net = np.asarray(counts, float) - pedestal(energy_eV, counts)
        if not (np.isfinite(net).all() and net.sum() > 0):
            raise ValueError(
                "`low_loss` holds no counts above its pedestal, or values that are "
                "not finite; give the low-loss spectrum with its zero-loss peak."
            )
        at_zero = energy_eV - _peak(energy_eV, net)
        return cls(at_zero, net / net.sum())

    def convolve(self, spectrum: np.ndarray, width_eV: float) -> np.ndarray:
        """Convolve a spectrum with the distribution.

        Parameters
        ----------
        spectrum : ndarray, shape (n_before + n_channels + n_after,)
            Single scattering, in channels of `width_eV`, with the margins of
            :meth:`margins` on both sides.
        width_eV : float
            Width of its channels.

        Returns
        -------
        ndarray, shape (n_channels,)
            The margins are gone.
        """
        from scipy.signal import fftconvolve

        return fftconvolve(spectrum, self._kernel(width_eV), mode="valid")

    def margins(self, width_eV: float) -> tuple[int, int]:
        """Channels that the convolution needs before and after a spectrum.

        Parameters
        ----------
        width_eV : float
            Width of the spectrum's channels.

        Returns
        -------
        before, after : int
        """
        first, last = self._offsets(width_eV)
        return last, -first

    def _offsets(self, width_eV: float) -> tuple[int, int]:
        half = 0.5 * (self.energy_eV[1] - self.energy_eV[0])
        first = min(0, int(np.floor((self.energy_eV[0] - half) / width_eV + 0.5)))
        last = max(0, int(np.ceil((self.energy_eV[-1] + half) / width_eV - 0.5)))
        return first, last

    def _kernel(self, width_eV: float) -> np.ndarray:
        """The shares in channels of another width, zero in the middle of one."""
        first, last = self._offsets(width_eV)
        step = self.energy_eV[1] - self.energy_eV[0]
        borders = np.append(
            self.energy_eV - 0.5 * step, self.energy_eV[-1] + 0.5 * step
        )
        below = np.concatenate([[0.0], np.cumsum(self.share)])
        wanted = width_eV * (np.arange(first, last + 2) - 0.5)
        return np.diff(np.interp(wanted, borders, below))


def pedestal(energy_eV: np.ndarray, counts: np.ndarray) -> np.ndarray | float:
    """Counts in each channel that no electron of the beam brought.

    What is counted well before the zero-loss peak is dark current, afterglow or stray
    light. It is the same in all channels, and so is at most what the last ones hold.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
        Uniform, increasing centres of channels.
    counts : ndarray, shape (..., n_channels)
        One or more low-loss spectra.

    Returns
    -------
    float or ndarray, shape (..., 1)
        The mean of the first half of the channels more than 5 eV before the
        zero-loss peak, or of the last tenth of all, whichever is smaller. 0 where
        there are fewer than five of the former.
    """
    counts = np.asarray(counts, float)
    mean = counts.reshape(-1, counts.shape[-1]).mean(axis=0)
    before = np.flatnonzero(energy_eV < _peak(energy_eV, mean) + _EMPTY_BEFORE_EV)
    if before.size < 2 * _FEWEST_EMPTY:
        return 0.0
    first = counts[..., : before.size // 2].mean(axis=-1, keepdims=True)
    n_last = max(_FEWEST_EMPTY, int(_LAST_SHARE * counts.shape[-1]))
    last = counts[..., -n_last:].mean(axis=-1, keepdims=True)
    level = np.minimum(first, last)
    return float(level[0]) if counts.ndim == 1 else level


def _peak(energy_eV: np.ndarray, counts: np.ndarray) -> float:
    """Centre of the zero-loss peak: the parabola through the three highest channels."""
    top = int(np.argmax(counts))
    if not 0 < top < counts.size - 1:
        return float(energy_eV[top])
    left, middle, right = counts[top - 1 : top + 2]
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(energy_eV[top] + shift * (energy_eV[1] - energy_eV[0]))
