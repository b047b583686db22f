# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a classification is where the truth is known."""

from __future__ import annotations

import numpy as np

from ..counts import Counts
from ..counts.binning import bin_pixels
from ..counts.selection import plain_array

__all__ = [
    "confusion_matrix",
    "expected_calibration_error",
    "mean_spectra",
    "roc_area",
]


def confusion_matrix(
    truth: np.ndarray, labels: np.ndarray, n_phases: int
) -> np.ndarray:
    """Count how often a phase was given each label.

    Parameters
    ----------
    truth, labels : ndarray of int
        Labels of the same shape: 0 for none, 1 to `n_phases`.
    n_phases : int

    Returns
    -------
    ndarray of int64, shape (n_phases + 1, n_phases + 1)
        Row: truth; column: label.

    Raises
    ------
    ValueError
        If shapes differ, or labels are out of range.
    """
    truth, labels = np.asarray(truth), np.asarray(labels)
    if truth.shape != labels.shape:
        raise ValueError(
            f"`truth` has the shape {truth.shape}, `labels` {labels.shape}; give the "
            "label of every spectrum in both."
        )
    for name, values in (("truth", truth), ("labels", labels)):
        if values.size and not (0 <= values.min() and values.max() <= n_phases):
            raise ValueError(
                f"`{name}` runs from {values.min()} to {values.max()}; labels are 0 "
                f"for none and 1 to {n_phases}."
            )
    n = n_phases + 1
    pairs = truth.ravel().astype(np.int64) * n + labels.ravel()
    return np.bincount(pairs, minlength=n * n).reshape(n, n)


def expected_calibration_error(
    probabilities: np.ndarray, truth: np.ndarray, n_bins: int = 15
) -> float:
    r"""Mean difference between how sure a classifier is and how often it is right.

    .. math:: \sum_b \frac{n_b}{n} |\mathrm{confidence}_b - \mathrm{accuracy}_b|

    over bins of equal width of the probability of the likeliest phase.

    Parameters
    ----------
    probabilities : ndarray, shape (n_spectra, n_phases)
    truth : ndarray of int, shape (n_spectra,)
        Labels from 1; spectra with the label 0 are not judged.
    n_bins : int, default 15

    Returns
    -------
    float
        NaN if there is nothing to judge.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, Proc. AAAI (2015) 2901.
    """
    judged = np.asarray(truth) > 0
    if not judged.any():
        return float("nan")
    sure = probabilities[judged].max(axis=1).astype(float)
    right = probabilities[judged].argmax(axis=1) + 1 == np.asarray(truth)[judged]
    bins = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, sure - right, n_bins)
    return float(np.abs(gaps).sum() / sure.size)


def mean_spectra(counts: Counts, labels: np.ndarray, n_phases: int) -> np.ndarray:
    """Mean spectrum of the pixels of each phase.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
    labels : ndarray of int, shape (n_spectra,)
        From 1; 0 for spectra that are left out.
    n_phases : int

    Returns
    -------
    ndarray, shape (n_phases, n_channels)
        Counts of a pixel; NaN for a phase without pixels.
    """
    which = np.asarray(labels).astype(np.int64) - 1
    sums = plain_array(bin_pixels(counts, which, n_phases)).astype(float)
    pixels = np.bincount(which[which >= 0], minlength=n_phases).astype(float)
    return sums / np.where(pixels > 0, pixels, np.nan)[:, None]


def roc_area(known: np.ndarray, unknown: np.ndarray) -> float:
    """Probability that an unknown spectrum is odder than a known one.

    Parameters
    ----------
    known, unknown : ndarray
        Oddness of spectra of either kind; ties count half, NaN are left out.

    Returns
    -------
    float
        1 for a perfect test, 0.5 for one that sees nothing.

    References
    ----------
    H. B. Mann, D. R. Whitney, Ann. Math. Stat. 18 (1947) 50.
    """
    from scipy.stats import rankdata

    known, unknown = (x[~np.isnan(x)] for x in (known, unknown))
    if not (known.size and unknown.size):
        return float("nan")
    ranks = rankdata(np.concatenate([known, unknown]))[known.size :]
    wins = ranks.sum() - unknown.size * (unknown.size + 1) / 2
    return float(wins / (known.size * unknown.size))
