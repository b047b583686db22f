# SPDX-License-Identifier: GPL-3.0-or-later
r"""The shape of a spectrum from few counts: smoothed as much as its counts ask for.

The estimate is a mixture of the counts smoothed by Gaussians of several widths,

.. math:: \lambda_c = \sum_s \pi_{sc} (K_s y)_c.

How well a width does around a channel is told by the Poisson log-likelihood of the
counts there, each predicted by all the others,

.. math:: L_{sc} = \sum_{c'} g_{c - c'} \left[ y_{c'} \ln (K_s y - K_s(0))_{c'}
          - (K_s y)_{c'} \right],

over a neighbourhood that has counts enough to tell, and the shares are proportional to
its exponential. With many counts the narrowest width wins, in peaks earlier than
between them; with few the wide ones.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.special import softmax

__all__ = ["smoothed_shape"]

# Standard deviations, in channels.
WIDTHS = (0.0, 0.7, 1.0, 1.5, 2.5, 4.0, 7.0, 15.0, 50.0)
NEIGHBOURHOODS = (4.0, 8.0, 16.0, 32.0, 64.0)
ENOUGH = 300.0  # counts in a neighbourhood
FLAT_COUNTS = 1.0  # a flat spectrum of so many is added: no channel is impossible
FLAT_SHARE = 1e-4  # of the counts, at least


def smoothed_shape(counts: np.ndarray) -> np.ndarray:
    """Estimate the shape of an expected spectrum.

    Parameters
    ----------
    counts : ndarray, shape (n_channels,)
        At least one count in all.

    Returns
    -------
    ndarray, shape (n_channels,)
        Above zero; it sums to one. Smoothing leaves the errors that counting makes in
        broad parts of it as they are.

    References
    ----------
    C. R. Loader, Local Regression and Likelihood (1999), ch. 4: likelihood of each
    observation by all the others.
    """
    counts = np.asarray(counts, dtype=float)
    flat = max(FLAT_COUNTS, FLAT_SHARE * counts.sum()) / counts.size
    widths = [w for w in WIDTHS if w < counts.size / 4]
    smooth = np.array([_smoothed(counts, w) for w in widths])
    shares = _shares(counts, smooth, np.array([_kernel(w).max() for w in widths]))
    estimate = (shares * smooth).sum(axis=0) + flat
    return estimate / estimate.sum()


def _shares(counts: np.ndarray, smooth: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Share of each width in each channel, shape (n_widths, n_channels)."""
    least = FLAT_COUNTS / counts.size
    others = np.maximum(smooth - own[:, None], 0) + least
    gain = counts * np.log(others) - smooth
    return softmax(_near(gain, smooth[-1]), axis=0)


def _near(gain: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Gains summed over a neighbourhood of each channel that has enough counts."""
    total = np.zeros_like(gain)
    undecided = np.ones(density.size, bool)
    for deviation in NEIGHBOURHOODS:
        window = np.sqrt(2 * np.pi) * deviation
        enough = undecided & (window * density >= ENOUGH)
        if deviation == NEIGHBOURHOODS[-1]:
            enough = undecided
        sums = window * gaussian_filter1d(gain, deviation, axis=1, mode="nearest")
        total[:, enough] = sums[:, enough]
        undecided &= ~enough
    return total


def _smoothed(counts: np.ndarray, width: float) -> np.ndarray:
    return gaussian_filter1d(counts, width, mode="nearest") if width else counts


def _kernel(width: float) -> np.ndarray:
    """What a single count becomes, on an axis wide enough for all widths."""
    single = np.zeros(8 * int(max(WIDTHS)) + 1)
    single[single.size // 2] = 1
    return _smoothed(single, width)
