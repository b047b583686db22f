# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-loss peaks of few channels: fitted channel by channel.

Where a channel is half as wide as the peak, what the counts are in places inside a
channel is not known; means over channels of a shape are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .peak_fit import fit_peaks, offset_errors, peak_logarithms
from .profile_grid import Profile

__all__ = ["NARROW", "ChannelGrid", "narrow_responses"]

NARROW = 3.5  # channels, the width below which peaks are fitted so
_PLACES = 5  # in a channel
_HALF_WIDTHS_FITTED = 40.0


@dataclass(frozen=True, eq=False)
class ChannelGrid:
    """Channels of a spectrum as bins.

    Parameters
    ----------
    nodes, edges : ndarray, shape (n_channels,) and (n_channels + 1,)
        Middles and borders, in widths from the peak.
    """

    nodes: np.ndarray
    edges: np.ndarray


def narrow_responses(
    electrons: np.ndarray,
    read_variance: np.ndarray,
    centres: np.ndarray,
    widths: np.ndarray,
    half_width: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit peaks and give their kernels.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
    read_variance : ndarray, shape (n,)
        Electrons^2.
    centres, widths : ndarray, shape (n,)
        Of the peaks, channels.
    half_width : int
        Of the kernels.

    Returns
    -------
    kernels : ndarray, shape (n, 2 half_width + 1)
        Means over channels, with the top in the middle; each sums to one.
    tops : ndarray, shape (n,)
        Channels of the tops.
    """
    kernels = np.empty((len(electrons), 2 * half_width + 1))
    tops = np.empty(len(electrons))
    for row, (counts, read) in enumerate(zip(electrons, read_variance, strict=True)):
        grid, used = _channels(counts.size, centres[row], widths[row])
        parameters = _fitted(counts[used], read, grid)
        tops[row] = centres[row] + widths[row] * parameters[0, 1]
        kernels[row] = _kernel(parameters, widths[row], half_width)
    return kernels, tops


def _channels(n: int, centre: float, width: float) -> tuple[ChannelGrid, slice]:
    reach = _HALF_WIDTHS_FITTED * width
    first = max(int(centre - reach), 0)
    last = min(int(centre + reach) + 1, n)
    channels = np.arange(first, last + 1.0)
    edges = (channels - 0.5 - centre) / width
    return ChannelGrid(0.5 * (edges[1:] + edges[:-1]), edges), slice(first, last)


def _fitted(counts: np.ndarray, read: float, grid: ChannelGrid) -> np.ndarray:
    density = counts[None]
    error = np.sqrt(np.maximum(density, 0) + 1 + read)
    covered = np.ones_like(density, dtype=bool)
    height = density.max(axis=1)
    offset_error = offset_errors(density, np.array([read]))
    return fit_peaks(Profile(density, error, covered), height, grid, offset_error)


def _kernel(parameters: np.ndarray, width: float, half_width: int) -> np.ndarray:
    places, weights = np.polynomial.legendre.leggauss(_PLACES)
    channels = np.arange(-half_width, half_width + 1.0)
    at = parameters[0, 1] + (channels[:, None] + 0.5 * places) / width
    values = np.exp(peak_logarithms(parameters, at.ravel())).reshape(at.shape)
    kernel = values @ weights
    return kernel / kernel.sum()
