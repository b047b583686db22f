# SPDX-License-Identifier: GPL-3.0-or-later
"""Poisson maximum likelihood of one pixel's weights, compiled.

The columns sum to one, so that a weight is a number of counts, and the objective is
``sum_k w_k - sum_e y_e ln m_e`` with ``m = sum_k w_k columns_k``: only channels with
counts occur. A column, such as the lines of an element, is kept between its first and
last channel only; products of two columns need the channels that both have. Newton's
step on the exact Hessian, held at zero or above, with a search along it: the
likelihood rises in every iteration, and converges quadratically.

No validation here: shapes and types are the caller's duty.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from .quadratic_kernels import bounded_step

# Sums may be taken in any order: so the loops become vector instructions.
_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
}
# Expectation-maximisation before Newton: each is cheap, and safe from anywhere.
_FIRST_STEPS = 5
# Squared Newton decrement under which a full step surely raises the likelihood:
# (3 - sqrt 5) / 2, squared (Nesterov & Nemirovskii 1994), with room.
_QUADRATIC_REGION = 0.05
_SEARCH_STEPS = 40


class Columns(NamedTuple):
    """Columns of the matrix, each with a sum of one, zero outside its channels."""

    values: np.ndarray  # (n_columns, n_channels)
    first: np.ndarray  # (n_columns,) first channel
    last: np.ndarray  # (n_columns,) one after the last channel


class Workspace(NamedTuple):
    """What is known at the channels of a pixel that have counts."""

    channels: np.ndarray  # (n_channels,) increasing
    counts: np.ndarray  # (n_channels,)
    model: np.ndarray
    change: np.ndarray  # of the model, along the step
    ratio: np.ndarray
    curvature: np.ndarray
    rows: np.ndarray  # (n_columns, n_channels) the columns at these channels
    first: np.ndarray  # (n_columns,) where a column's channels begin and end
    last: np.ndarray


@numba.njit(**_OPTIONS)
def workspace(n_columns, n_channels):
    """Room for one pixel at a time."""
    return Workspace(
        np.empty(n_channels, np.int64),
        np.empty(n_channels),
        np.empty(n_channels),
        np.empty(n_channels),
        np.empty(n_channels),
        np.empty(n_channels),
        np.empty((n_columns, n_channels)),
        np.empty(n_columns, np.int64),
        np.empty(n_columns, np.int64),
    )


@numba.njit(**_OPTIONS)
def fit_pixel(columns, work, n, weights, max_iterations, tolerance):
    """Write the weights that are most likely, given ``n`` channels with counts.

    ``work.channels`` and ``work.counts`` hold the data. Returns whether the squared
    Newton decrement, twice what the log-likelihood can still rise by, fell below the
    tolerance.
    """
    gather(columns, work, n)
    _start(work, n, weights)
    n_columns = weights.size
    gradient = np.empty(n_columns)
    hessian = np.empty((n_columns, n_columns))
    step = np.empty(n_columns)
    for _ in range(max_iterations):
        combine(work, n, weights, work.model)
        _derivatives(work, n, gradient, hessian)
        bounded_step(hessian, gradient, weights, step)
        decrement = -np.dot(gradient, step)
        combine(work, n, step, work.change)
        length = 1.0
        if decrement > tolerance:
            length = _step_length(work, n, step.sum(), decrement)
        elif _largest_step(work, n) <= 1:
            return True
        for k in range(n_columns):
            weights[k] = max(weights[k] + length * step[k], 0.0)
        if decrement <= tolerance:
            return True
        if length == 0:
            return False
    return False


@numba.njit(**_OPTIONS)
def dot(left, right):
    """Scalar product. Given slices, whose indices cannot wrap, it is vectorised."""
    total = 0.0
    for i in range(left.size):
        total += left[i] * right[i]
    return total


@numba.njit(**_OPTIONS)
def multiply(left, right, product):
    """Write the product of each pair of elements."""
    for i in range(left.size):
        product[i] = left[i] * right[i]


@numba.njit(**_OPTIONS)
def add(weight, row, total):
    """Add a multiple of a row."""
    for i in range(row.size):
        total[i] += weight * row[i]


@numba.njit(**_OPTIONS)
def divide(left, right, ratio):
    """Write the ratio of each pair of elements."""
    for i in range(left.size):
        ratio[i] = left[i] / right[i]


@numba.njit(**_OPTIONS)
def gather(columns, work, n):
    """Copy the columns at the channels that have counts."""
    channels = work.channels[:n]
    for k in range(columns.first.size):
        begin = np.searchsorted(channels, columns.first[k])
        end = np.searchsorted(channels, columns.last[k])
        work.first[k], work.last[k] = begin, end
        for i in range(begin, end):
            work.rows[k, i] = columns.values[k, channels[i]]


@numba.njit(**_OPTIONS)
def combine(work, n, weights, total):
    """Write the weighted sum of the columns."""
    total[:n] = 0
    for k in range(weights.size):
        weight = weights[k]
        if weight != 0:
            begin, end = work.first[k], work.last[k]
            add(weight, work.rows[k, begin:end], total[begin:end])


@numba.njit(**_OPTIONS)
def _start(work, n, weights):
    """Equal weights, then a few steps of expectation-maximisation."""
    n_used = 0
    for k in range(weights.size):
        weights[k] = 1.0 if work.last[k] > work.first[k] else 0.0
        n_used += work.last[k] > work.first[k]
    weights *= work.counts[:n].sum() / n_used
    for _ in range(_FIRST_STEPS):
        combine(work, n, weights, work.model)
        divide(work.counts[:n], work.model[:n], work.ratio)
        for k in range(weights.size):
            begin, end = work.first[k], work.last[k]
            weights[k] *= dot(work.rows[k, begin:end], work.ratio[begin:end])


@numba.njit(**_OPTIONS)
def _derivatives(work, n, gradient, hessian):
    """Gradient, and lower triangle of the Hessian, of minus the log-likelihood."""
    divide(work.counts[:n], work.model[:n], work.ratio)
    divide(work.ratio[:n], work.model[:n], work.curvature)
    product = work.change
    for k in range(gradient.size):
        begin, end = work.first[k], work.last[k]
        row = work.rows[k, begin:end]
        gradient[k] = 1 - dot(row, work.ratio[begin:end])
        multiply(row, work.curvature[begin:end], product[begin:end])
        for j in range(k + 1):
            lo, hi = max(begin, work.first[j]), min(end, work.last[j])
            hessian[k, j] = dot(product[lo:hi], work.rows[j, lo:hi]) if lo < hi else 0.0


@numba.njit(**_OPTIONS)
def _largest_step(work, n):
    """Length of the step at which the model vanishes where there are counts."""
    fastest = 0.0
    for i in range(n):
        fastest = max(fastest, -work.change[i] / work.model[i])
    return 1 / fastest if fastest > 0 else np.inf


@numba.njit(**_OPTIONS)
def _slopes(work, n, total_step, length):
    """First and second derivative of the objective along the step."""
    first, second = total_step, 0.0
    for i in range(n):
        relative = work.change[i] / (work.model[i] + length * work.change[i])
        first -= work.counts[i] * relative
        second += work.counts[i] * relative * relative
    return first, second


@numba.njit(**_OPTIONS)
def _step_length(work, n, total_step, decrement):
    """Length of the step, at which the objective, being convex, still falls."""
    largest = _largest_step(work, n)
    highest = min(1.0, largest)
    if largest > 1:
        slope, _ = _slopes(work, n, total_step, 1.0)
        if slope <= 0 or decrement < _QUADRATIC_REGION:
            return 1.0
    lowest = 0.0
    length = highest / (1 + np.sqrt(decrement))
    for _ in range(_SEARCH_STEPS):
        slope, second = _slopes(work, n, total_step, length)
        if slope <= 0:
            lowest = length
            if slope > -0.3 * decrement:
                break
        else:
            highest = length
        length -= slope / second
        if not lowest < length < highest:
            length = 0.5 * (lowest + highest)
    return lowest
