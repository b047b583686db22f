# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bumps on the edges a measured spectrum asks for.

Weights that may not be negative take up noise. Where bumps cover most of what is seen
of an edge, as of N before Ti, they so take away from its continuum, and from the
concentration. So only those are kept that a spectrum of many counts needs.
"""

from __future__ import annotations

import numpy as np

__all__ = ["fit_poisson", "noise_gain", "needed_columns"]

_SIGNIFICANCE = 5.0
_LEAST_SHARE = 0.002
_ITERATIONS = 30
_TOLERANCE = 1e-6
_FLOOR = 1e-6
_MEDIAN_OF_CHI_SQUARE = 0.4549


def needed_columns(
    counts: np.ndarray, matrix: np.ndarray, optional: np.ndarray
) -> np.ndarray:
    """Choose columns one by one, as long as one improves the fit significantly.

    Parameters
    ----------
    counts : ndarray, shape (n_channels,)
        A spectrum of many counts.
    matrix : ndarray, shape (n_channels, n_columns)
        All columns.
    optional : ndarray of bool, shape (n_columns,)
        Columns to choose from; the others stay.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
        Columns that stay. One is added if its score is five standard deviations
        above zero, given those that are there (Rao 1948, Proc. Camb. Phil. Soc. 44,
        50), and the excess is at least 0.2 % of the counts where the column is. The
        noise is that of the spectrum, see :func:`noise_gain`.
    """
    scaled = matrix / matrix.sum(axis=0)
    kept = ~optional
    while not kept.all():
        model = scaled[:, kept] @ fit_poisson(counts, scaled[:, kept])
        model = np.maximum(model, _FLOOR * counts.max())
        gain = noise_gain(counts, model)
        score = _scores(counts, model, scaled, kept, gain)
        best = int(np.argmax(score))
        if not score[best] > _SIGNIFICANCE:
            break
        kept[best] = True
    return kept


def _scores(
    counts: np.ndarray,
    model: np.ndarray,
    matrix: np.ndarray,
    kept: np.ndarray,
    gain: float,
) -> np.ndarray:
    """Scores of the columns that are not kept, in standard deviations."""
    weighted = matrix / np.sqrt(model)[:, None]
    basis, _ = np.linalg.qr(weighted[:, kept])
    beside = weighted - basis @ (basis.T @ weighted)
    information = np.einsum("ec,ec->c", beside, beside)
    excess = beside.T @ ((counts - model) / np.sqrt(model))
    information = np.maximum(information, 1e-9 * (weighted**2).sum(axis=0))
    amount = excess / information
    relevant = amount > _LEAST_SHARE / (weighted**2).sum(axis=0)
    found = np.where(relevant & ~kept, excess / np.sqrt(gain * information), -np.inf)
    return found


def noise_gain(counts: np.ndarray, model: np.ndarray) -> float:
    """Variance of the noise over the counts: one for Poisson counts.

    Parameters
    ----------
    counts, model : ndarray, shape (n_channels,)
        A spectrum and a smooth description of it.

    Returns
    -------
    float
        From the median square of the second differences of what the model leaves
        over, which hardly feel that it does not fit.
    """
    left = counts - model
    second = (left[:-2] - 2 * left[1:-1] + left[2:]) ** 2
    variance = (model[:-2] + 4 * model[1:-1] + model[2:]).clip(1e-300)
    gain = np.median(second / variance) / _MEDIAN_OF_CHI_SQUARE
    return max(float(gain), 1e-12)


def fit_poisson(counts: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Weights of zero or more by iteratively reweighted least squares.

    Parameters
    ----------
    counts : ndarray, shape (n_channels,)
        A spectrum.
    matrix : ndarray, shape (n_channels, n_columns)
        Columns of similar size.

    Returns
    -------
    ndarray, shape (n_columns,)
        Where it converges, Poisson's likelihood is largest.
    """
    from scipy.optimize import nnls

    floor = _FLOOR * counts.max()
    model = np.maximum(counts, 1e-3 * counts.max())
    for _ in range(_ITERATIONS):
        root = np.sqrt(model)
        weights, _ = nnls(matrix / root[:, None], counts / root, maxiter=10_000)
        last, model = model, np.maximum(matrix @ weights, floor)
        if np.abs(model / last - 1).max() < _TOLERANCE:
            break
    return weights
