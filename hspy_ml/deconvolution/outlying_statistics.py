# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of spectra that are large where a spectrum is none that was trained for."""

from __future__ import annotations

import numpy as np

__all__ = ["misfit", "peak_share", "unexplained_before"]

_SIGNIFICANT = 3.0  # standard errors, that are taken off a misfit
_SEEN_WITHIN = 0.5  # widths from the zero loss: there is nothing but its peak
_LEAST = 1e-9


def misfit(
    residuals: np.ndarray, expected: np.ndarray, region: np.ndarray
) -> np.ndarray:
    """Relative error of what is expected in a region, a lower bound.

    Parameters
    ----------
    residuals : ndarray, shape (n, n_channels)
        Measured less expected counts over the standard deviation.
    expected : ndarray, shape (n, n_channels)
        Electrons.
    region : ndarray of bool, shape (n, n_channels)

    Returns
    -------
    ndarray, shape (n,)
        0 where nothing but noise is seen.

    Notes
    -----
    Noise of adjacent channels is independent, errors of the expectation are alike: the
    sum of products of adjacent residuals is the excess of the deviance, whatever the
    gain. An excess x of N electrons is a relative error of sqrt(x / N).
    """
    pairs = region[:, 1:] & region[:, :-1]
    products = np.where(pairs, residuals[:, 1:] * residuals[:, :-1], 0)
    excess = products.sum(axis=1) - _SIGNIFICANT * np.sqrt(pairs.sum(axis=1))
    electrons = np.where(region, expected, 0).sum(axis=1)
    return np.sqrt(np.maximum(excess, 0) / np.maximum(electrons, 1))


def peak_share(
    electrons: np.ndarray, line: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Electrons of the zero-loss peak, and their share of all.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Measured.
    line : ndarray, shape (n, n_channels)
        Share of the electrons without loss that arrive in each channel.
    distance : ndarray, shape (n, n_channels)
        From the zero loss, in widths.

    Returns
    -------
    number, share : ndarray, shape (n,)
    """
    near = np.abs(distance) < _SEEN_WITHIN
    seen = np.where(near, electrons, 0).sum(axis=1)
    arriving = np.where(near, line, 0).sum(axis=1)
    number = np.maximum(seen, 0) / np.maximum(arriving, _LEAST)
    return number, number / np.maximum(electrons.sum(axis=1), 1)


def unexplained_before(
    electrons: np.ndarray, peak: np.ndarray, distance: np.ndarray, read: np.ndarray
) -> np.ndarray:
    """Electrons before the zero loss that are not its tail, over those of the peak.

    Parameters
    ----------
    electrons, peak : ndarray, shape (n, n_channels)
        Measured, and those of the zero-loss peak.
    distance : ndarray, shape (n, n_channels)
        From the zero loss, in widths.
    read : ndarray, shape (n,)
        Variance of reading out, electrons^2.

    Returns
    -------
    ndarray, shape (n,)
        A lower bound.
    """
    before = distance < -3
    excess = np.where(before, electrons - peak, 0).sum(axis=1)
    variance = np.where(before, np.maximum(electrons, 0) + read[:, None], 0).sum(axis=1)
    least = np.maximum(excess - _SIGNIFICANT * np.sqrt(variance), 0)
    return least / np.maximum(peak.sum(axis=1), 1)
