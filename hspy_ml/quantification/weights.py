# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of a G-matrix's columns in each pixel, by Poisson maximum likelihood."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hspy_ml.counts import Counts, DenseCounts, SparseCounts

__all__ = ["WeightFit", "fit_spectrum", "fit_weights"]

_PIXELS_PER_BLOCK = 256
# What a column has less of, relative to its largest value, is rounding.
_NEGLIGIBLE = 1e-14


@dataclass(frozen=True, eq=False)
class WeightFit:
    r"""Weights of the columns, their errors, and how well they fit.

    Parameters
    ----------
    weights : ndarray, shape (n_pixels, n_columns)
        Zero or above; zero in pixels without counts.
    covariance : ndarray, shape (n_pixels, n_reported, n_reported)
        Of the reported weights; NaN in pixels without counts.
    deviance : ndarray, shape (n_pixels,)
        Poisson deviance over all channels that some column reaches,
        :math:`2 \sum_e [y_e \ln(y_e / m_e) - (y_e - m_e)]`.
    goodness : ndarray, shape (n_pixels,)
        The deviance less its mean, over its standard deviation, both exact for
        sparse counts: about normal, with mean 0 and variance 1, if the columns
        explain the pixel; large if they do not.
    degrees_of_freedom : ndarray of int, shape (n_pixels,)
        Channels that some column reaches, less the weights above zero.
    counts : ndarray, shape (n_pixels,)
        Counts in channels that some column reaches: those that were fitted.
    converged : ndarray of bool, shape (n_pixels,)
        True in pixels without counts.
    """

    weights: np.ndarray
    covariance: np.ndarray
    deviance: np.ndarray
    goodness: np.ndarray
    degrees_of_freedom: np.ndarray
    counts: np.ndarray
    converged: np.ndarray

    @property
    def standard_errors(self) -> np.ndarray:
        """Square roots of the variances, shape (n_pixels, n_reported)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))


def fit_weights(
    counts: Counts,
    matrix: np.ndarray,
    *,
    reported: Sequence[int] | None = None,
    num_workers: int | None = None,
    max_iterations: int = 100,
    tolerance: float = 1e-8,
    progress: Callable[[int], None] | None = None,
) -> WeightFit:
    r"""Fit every pixel: maximise the likelihood of ``y ~ Poisson(matrix w)``, w >= 0.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, n_pixels by n_channels.
    matrix : ndarray, shape (n_channels, n_columns)
        What a unit of weight puts into each channel: finite and not negative. Counts
        in channels where all columns are zero are left out.
    reported : sequence of int, optional
        Columns whose covariance is wanted; all by default.
    num_workers : int, optional
        Threads; all cores by default. The result does not depend on it.
    max_iterations : int, default 100
        Newton iterations per pixel; about ten are needed.
    tolerance : float, default 1e-8
        The fit ends with the step whose squared Newton decrement is below this:
        twice what the log-likelihood can still rise by, or the squared distance
        from the maximum in standard errors, before that step.
    progress : callable, optional
        Is given the number of pixels just done.

    Returns
    -------
    WeightFit

    Raises
    ------
    ValueError
        If sizes do not fit, the matrix has values that are negative or not finite
        or an empty column, or a reported column does not exist.

    Notes
    -----
    The problem is convex; the method is that of Newton with the exact Hessian, the
    weights held at zero or above by an active set. Time goes with the number of
    channels that have counts, but for the errors.

    Sums over all channels, for errors and goodness, run over groups of channels in
    which no column varies by more than 25 %; they cost less than a percent of the
    information.

    The covariance is the inverse of the expected Fisher information of all columns,
    :math:`I_{kl} = \sum_e G_{ek} G_{el} / m_e`. Columns whose weight is zero are part
    of it: where two elements coincide, of which the fit gives all to one, both have
    large errors. At zero the model is taken to hold one count of the column, since
    the information would be infinite where nothing else is; so the error of an absent
    element is at least that of one count, and its interval is from zero to one error.
    """
    matrix = _checked_matrix(matrix, counts.n_channels)
    scale = matrix.sum(axis=0)
    chosen = _checked_columns(reported, matrix.shape[1])
    results = _empty_results(counts.n_pixels, matrix.shape[1], chosen.size)
    _fit_blocks(
        counts,
        matrix / scale,
        (chosen, 1 / scale, int(max_iterations), float(tolerance)),
        results,
        num_workers,
        progress,
    )
    n_channels = int((matrix > 0).any(axis=1).sum())
    return WeightFit(
        results.weights,
        results.covariance,
        results.deviance,
        results.goodness,
        n_channels - results.n_free,
        results.counts,
        results.converged,
    )


def fit_spectrum(
    spectrum: np.ndarray,
    matrix: np.ndarray,
    used_channels: np.ndarray,
    reported: int | None = None,
) -> tuple[WeightFit, np.ndarray]:
    """Fit one spectrum with the columns that reach the channels used.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
    matrix : ndarray, shape (n_channels, n_columns)
    used_channels : ndarray of bool, shape (n_channels,)
    reported : int, optional
        The column whose variance is wanted; it has to reach the channels.

    Returns
    -------
    fit : WeightFit
        Of one pixel and of the columns that are present.
    present : ndarray of bool, shape (n_columns,)
    """
    used = matrix[used_channels]
    present = used.sum(axis=0) > 0
    place = 0 if reported is None else int(np.count_nonzero(present[:reported]))
    counts = np.ascontiguousarray(spectrum[None, used_channels], dtype=np.float64)
    fit = fit_weights(
        DenseCounts(counts), used[:, present], reported=[place], num_workers=1
    )
    return fit, present


def _checked_matrix(matrix: np.ndarray, n_channels: int) -> np.ndarray:
    matrix = np.array(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != n_channels or matrix.shape[1] == 0:
        raise ValueError(
            f"`matrix` has the shape {matrix.shape}; it must be channels by columns, "
            f"with the {n_channels} channels of `counts`."
        )
    if not (np.isfinite(matrix).all() and (matrix >= 0).all()):
        raise ValueError("`matrix` holds values that are negative or not finite.")
    matrix[matrix < _NEGLIGIBLE * matrix.max(axis=0)] = 0
    empty = np.flatnonzero(matrix.sum(axis=0) == 0)
    if empty.size:
        raise ValueError(
            f"`matrix` has empty columns, {empty.tolist()}, whose weights no data "
            "could say; leave them out."
        )
    return matrix


def _checked_columns(reported: Sequence[int] | None, n_columns: int) -> np.ndarray:
    if reported is None:
        return np.arange(n_columns)
    chosen = np.asarray(reported, dtype=np.int64).reshape(-1)
    if ((chosen < 0) | (chosen >= n_columns)).any():
        raise ValueError(
            f"`reported` is {chosen.tolist()}; columns are numbered from 0 to "
            f"{n_columns - 1}."
        )
    return chosen


def _empty_results(n_pixels: int, n_columns: int, n_reported: int):
    from .weight_blocks import Results

    return Results(
        np.zeros((n_pixels, n_columns)),
        np.empty((n_pixels, n_reported, n_reported)),
        *np.zeros((3, n_pixels)),
        np.zeros(n_pixels, np.int64),
        np.ones(n_pixels, np.bool_),
    )


def _fit_blocks(counts, matrix, settings, results, num_workers, progress) -> None:
    from .channel_groups import columns_of, merged_channels
    from .deviance_moments import deviance_moments
    from .weight_blocks import Settings, fit_dense_block, fit_sparse_block

    reported, inverse_scale, *stopping = settings
    columns, reached = columns_of(matrix), (matrix > 0).any(axis=1)
    groups = merged_channels(matrix)
    settings = Settings(
        reported, inverse_scale, reached, *groups, deviance_moments(), *stopping
    )
    if isinstance(counts, SparseCounts):
        kernel, data = fit_sparse_block, _sorted_rows(counts)
    else:
        kernel, data = fit_dense_block, counts.values

    def task(start: int) -> int:
        stop = min(start + _PIXELS_PER_BLOCK, counts.n_pixels)
        kernel(start, stop, data, columns, settings, results)
        return stop - start

    blocks = range(0, counts.n_pixels, _PIXELS_PER_BLOCK)
    progress = progress or (lambda n_done: None)
    # the first alone: numba looks up types in a way that threads can disturb
    for start in blocks[:1]:
        progress(task(start))
    n_workers = min(num_workers or os.cpu_count() or 1, max(len(blocks) - 1, 1))
    with ThreadPoolExecutor(n_workers) as pool:
        rest = blocks[1:]
        for n_done in pool.map(task, rest) if n_workers > 1 else map(task, rest):
            progress(n_done)


def _sorted_rows(counts: SparseCounts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channels in increasing order in each pixel, which data from files are."""
    falls = np.flatnonzero(np.diff(counts.channels.astype(np.int32)) <= 0) + 1
    if np.isin(falls, counts.offsets).all():
        return counts.offsets, counts.channels, counts.values
    pixels = np.repeat(np.arange(counts.n_pixels), np.diff(counts.offsets))
    order = np.lexsort((counts.channels, pixels))
    return counts.offsets, counts.channels[order], counts.values[order]
