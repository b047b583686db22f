# SPDX-License-Identifier: GPL-3.0-or-later
"""Variance against mean, channel by channel: gain and read-out noise of a detector."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

__all__ = ["VarianceFit", "regress_variance"]

_ORDER = 8  # of the differences
_DIFFERENCE = np.array([(-1) ** k * comb(_ORDER, k) for k in range(_ORDER + 1)], float)
#: Blind to slow changes, and to what alternates from channel to channel.
_FILTER = np.convolve(_DIFFERENCE, [1.0, 2.0, 1.0])
_CORRELATION = (
    np.sum(np.convolve(_FILTER, _FILTER[::-1]) ** 2) / np.sum(_FILTER**2) ** 2
)
_NARROW = 8.0  # channels, below which a peak shows in differences of this order
_AROUND = 2.0  # widths of it that are left out
_GROUP = 16  # channels, of which mean and mean square are compared
_OUTLYING = 16.0  # squares over their variance, above which they count as this
_N_ITERATIONS = 12
_LEAST_COUNTS = 1e-9
_LEAST_READ = 1e-6  # of the mean counts: no channel is without noise


@dataclass(frozen=True, eq=False)
class VarianceFit:
    """Variance of counts as a straight line of the mean, for each spectrum.

    Attributes
    ----------
    gain : ndarray, shape (n,)
        Slope: counts per electron.
    read_variance : ndarray, shape (n,)
        Variance without electrons, counts^2.
    log_gain_error, read_error : ndarray, shape (n,)
        Standard errors.
    """

    gain: np.ndarray
    read_variance: np.ndarray
    log_gain_error: np.ndarray
    read_error: np.ndarray


def regress_variance(
    spectra: np.ndarray, offset: np.ndarray, centre: np.ndarray, fwhm: np.ndarray
) -> VarianceFit:
    """Fit the squares of high-order differences against the local mean.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts.
    offset : ndarray, shape (n,)
        Counts without electrons.
    centre, fwhm : ndarray, shape (n,)
        Of the zero-loss peaks, in channels.

    Returns
    -------
    VarianceFit

    Notes
    -----
    Weighted least squares whose weights follow the fit, that is, the likelihood of
    squares of normal numbers; squares sixteen times their variance count as that.
    """
    windows = np.lib.stride_tricks.sliding_window_view(spectra, _FILTER.size, axis=1)
    weights = _FILTER**2 / np.sum(_FILTER**2)
    square = (windows @ _FILTER) ** 2 / np.sum(_FILTER**2)
    used = _groups(_smooth_enough(square.shape[1], centre, fwhm)).all(axis=2)
    means = _groups(windows @ weights - offset[:, None])
    return _fit_line(means, _groups(square), used.astype(float))


def _smooth_enough(n: int, centre: np.ndarray, fwhm: np.ndarray) -> np.ndarray:
    """Where differences hold only noise: not at a peak of a few channels."""
    distance = np.abs(np.arange(n) + _FILTER.size // 2 - centre[:, None])
    narrow = fwhm < _NARROW
    return ~(narrow[:, None] & (distance < _AROUND * fwhm[:, None] + _FILTER.size))


def _groups(values: np.ndarray) -> np.ndarray:
    """Adjacent channels together: a mean without noise does not flatten the line."""
    n_groups = values.shape[1] // _GROUP
    return values[:, : n_groups * _GROUP].reshape(len(values), n_groups, _GROUP)


def _fit_line(means: np.ndarray, squares: np.ndarray, used: np.ndarray) -> VarianceFit:
    mean = np.maximum(means.mean(axis=2), 0)
    local = np.maximum(means, mean[..., None])
    floor = _LEAST_READ * np.maximum(mean.mean(axis=1), _LEAST_COUNTS)
    square = used * squares.mean(axis=2)
    gain = _LEAST_COUNTS + square.sum(axis=1) / np.maximum(
        mean.sum(axis=1), _LEAST_COUNTS
    )
    read = np.maximum(np.median(square, axis=1), floor)
    for _ in range(_N_ITERATIONS):
        variance = gain[:, None] * mean + read[:, None]
        weight = used / variance**2
        highest = _OUTLYING * (gain[:, None, None] * local + read[:, None, None])
        clipped = np.minimum(squares, highest).mean(axis=2)
        s0, s1, s2, t0, t1 = _sums(weight, mean, clipped)
        determinant = np.maximum(s0 * s2 - s1**2, 1e-300)
        slope = (s0 * t1 - s1 * t0) / determinant
        level = (s2 * t0 - s1 * t1) / determinant
        slope = np.where(level < floor, t1 / np.maximum(s2, 1e-300), slope)
        level = np.maximum(level, floor)
        gain = np.clip(slope, 0.1 * gain, 10 * gain)
        read = level
    gain = np.maximum(gain, _LEAST_COUNTS)
    independent = 2 * _CORRELATION / _GROUP
    information = np.maximum(s2 - s1**2 / s0, 1e-300)
    return VarianceFit(
        gain,
        np.where(read > floor, read, 0.0),
        np.sqrt(independent / information) / gain,
        np.sqrt(independent * s2 / determinant),
    )


def _sums(weight, mean, clipped):
    weighted = weight * mean
    return (
        weight.sum(axis=1),
        weighted.sum(axis=1),
        np.einsum("ij,ij->i", weighted, mean),
        np.einsum("ij,ij->i", weight, clipped),
        np.einsum("ij,ij->i", weighted, clipped),
    )
