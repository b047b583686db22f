# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of the weights over blocks of pixels, compiled and on several threads."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from .weight_errors_kernels import (
    covariance_of_weights,
    deviance_of_pixel,
    goodness_of_pixel,
)
from .weight_kernels import Columns, combine, fit_pixel, workspace

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


class Settings(NamedTuple):
    """What is the same in all pixels."""

    reported: np.ndarray  # (n_reported,) numbers of columns
    inverse_scale: np.ndarray  # (n_columns,) one over the sums of the columns
    reached: np.ndarray  # (n_channels,) whether some column is there
    groups: Columns  # of merged channels
    group_sizes: np.ndarray  # (n_groups,) their numbers of channels
    moments: np.ndarray  # table of the deviance's moments
    max_iterations: int
    tolerance: float


class Results(NamedTuple):
    """Arrays of all pixels, to be filled in."""

    weights: np.ndarray  # (n_pixels, n_columns)
    covariance: np.ndarray  # (n_pixels, n_reported, n_reported)
    deviance: np.ndarray  # (n_pixels,), as those that follow
    goodness: np.ndarray
    counts: np.ndarray
    n_free: np.ndarray
    converged: np.ndarray


@numba.njit(**_OPTIONS)
def fit_sparse_block(start, stop, data, columns, settings, results):
    """Fit pixels of compressed rows: ``data`` is offsets, channels and values."""
    offsets, channels, values = data
    work = workspace(*columns.values.shape)
    for p in range(start, stop):
        n = 0
        for i in range(offsets[p], offsets[p + 1]):
            if values[i] > 0:
                work.channels[n] = channels[i]
                work.counts[n] = values[i]
                n += 1
        _fit(p, columns, work, n, settings, results)


@numba.njit(**_OPTIONS)
def fit_dense_block(start, stop, values, columns, settings, results):
    """Fit pixels of a plain array, pixels by channels."""
    work = workspace(*columns.values.shape)
    for p in range(start, stop):
        n = 0
        for e in range(values.shape[1]):
            if values[p, e] > 0:
                work.channels[n] = e
                work.counts[n] = values[p, e]
                n += 1
        _fit(p, columns, work, n, settings, results)


@numba.njit(**_OPTIONS)
def _fit(p, columns, work, n, settings, results):
    n = _explained(settings.reached, work, n)
    counts = work.counts[:n]
    results.counts[p] = counts.sum()
    if n == 0:
        results.covariance[p] = np.nan
        results.goodness[p] = np.nan
        return
    weights = results.weights[p]
    results.converged[p] = fit_pixel(
        columns, work, n, weights, settings.max_iterations, settings.tolerance
    )
    results.n_free[p] = (weights > 0).sum()
    combine(work, n, weights, work.model)
    deviance = deviance_of_pixel(counts, work.model[:n], weights.sum())
    results.deviance[p] = deviance
    results.goodness[p] = goodness_of_pixel(
        settings.groups, settings.group_sizes, weights, deviance, settings.moments
    )
    covariance_of_weights(
        settings.groups,
        weights,
        settings.reported,
        settings.inverse_scale,
        results.covariance[p],
    )
    weights *= settings.inverse_scale


@numba.njit(**_OPTIONS)
def _explained(reached, work, n):
    """Leave out counts in channels to which no column contributes."""
    kept = 0
    for i in range(n):
        if reached[work.channels[i]]:
            work.channels[kept] = work.channels[i]
            work.counts[kept] = work.counts[i]
            kept += 1
    return kept
