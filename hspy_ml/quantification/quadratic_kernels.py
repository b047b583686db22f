# SPDX-License-Identifier: GPL-3.0-or-later
"""Small dense problems inside a pixel's fit, compiled: Cholesky, bounded Newton step.

They hold no validation. Matrices are scaled to a diagonal of ones and get
:data:`RIDGE` added to it, so that collinear columns give a huge variance and a
finite step instead of a failure.
"""

from __future__ import annotations

import numba
import numpy as np

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}

#: Added to the diagonal of ones: the standard error of a direction that the data do
#: not determine is a million times that of a column alone.
RIDGE = 1e-12
# Multipliers, in standard deviations, that count as zero.
_MULTIPLIER = 1e-10


@numba.njit(**_OPTIONS)
def factorise(matrix, n):
    """Write the Cholesky factor into the lower triangle of ``matrix[:n, :n]``."""
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                matrix[i, i] = np.sqrt(max(total, RIDGE))
            else:
                matrix[i, j] = total / matrix[j, j]


@numba.njit(**_OPTIONS)
def solve(factor, n, vector):
    """Overwrite ``vector[:n]`` with the solution, given :func:`factorise`'s result."""
    for i in range(n):
        total = vector[i]
        for k in range(i):
            total -= factor[i, k] * vector[k]
        vector[i] = total / factor[i, i]
    for i in range(n - 1, -1, -1):
        total = vector[i]
        for k in range(i + 1, n):
            total -= factor[k, i] * vector[k]
        vector[i] = total / factor[i, i]


@numba.njit(**_OPTIONS)
def invert(matrix, inverse):
    """Write the inverse of a symmetric matrix, whose lower triangle is read.

    Rows with a zero on the diagonal, of which nothing is known, get NaN.
    """
    n = matrix.shape[0]
    known = np.empty(n, np.int64)
    n_known = 0
    for i in range(n):
        if matrix[i, i] > 0:
            known[n_known] = i
            n_known += 1
    factor = np.empty((n_known, n_known))
    scale = np.empty(n_known)
    for i in range(n_known):
        scale[i] = np.sqrt(matrix[known[i], known[i]])
        for j in range(i):
            factor[i, j] = matrix[known[i], known[j]] / (scale[i] * scale[j])
        factor[i, i] = 1 + RIDGE
    factorise(factor, n_known)
    _invert_factor(factor, n_known)
    inverse[:] = np.nan
    for i in range(n_known):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, n_known):
                total += factor[k, i] * factor[k, j]
            total /= scale[i] * scale[j]
            inverse[known[i], known[j]] = total
            inverse[known[j], known[i]] = total


@numba.njit(**_OPTIONS)
def _invert_factor(factor, n):
    """Overwrite a lower triangle with its inverse."""
    row = np.empty(n)
    for i in range(n):
        row[:i] = 0
        for k in range(i):
            for j in range(k + 1):
                row[j] -= factor[i, k] * factor[k, j]
        for j in range(i):
            factor[i, j] = row[j] / factor[i, i]
        factor[i, i] = 1 / factor[i, i]


@numba.njit(**_OPTIONS)
def bounded_step(hessian, gradient, weights, step):
    """Write the Newton step that keeps the weights at zero or above.

    It minimises ``gradient s + s hessian s / 2`` over ``weights + s >= 0`` by an
    active-set method: the free weights go to their minimum, those that would become
    negative are held at zero, one whose multiplier is negative is freed again. The
    objective falls in every turn.
    """
    n = weights.size
    matrix = np.empty((n, n))
    slope = np.empty(n)
    lowest = np.empty(n)
    position = np.zeros(n)
    scale = np.empty(n)
    free = np.zeros(n, np.bool_)
    for i in range(n):
        scale[i] = np.sqrt(hessian[i, i])
        if scale[i] == 0:  # no counts where this column is
            scale[i] = 1.0
        slope[i] = gradient[i] / scale[i]
        lowest[i] = -weights[i] * scale[i]
        for j in range(i):
            matrix[i, j] = hessian[i, j] / (scale[i] * scale[j])
            matrix[j, i] = matrix[i, j]
        matrix[i, i] = RIDGE + (hessian[i, i] > 0)
        free[i] = hessian[i, i] > 0 and (weights[i] > 0 or gradient[i] < 0)
        if not free[i]:
            position[i] = lowest[i]
    _minimise(matrix, slope, lowest, position, free)
    for i in range(n):
        at_zero = position[i] == lowest[i]
        step[i] = -weights[i] if at_zero else position[i] / scale[i]


@numba.njit(**_OPTIONS)
def _minimise(matrix, slope, lowest, position, free):
    n = slope.size
    factor = np.empty((n, n))
    target = np.empty(n)
    candidate = np.empty(n)
    value = _objective(matrix, slope, position)
    for _ in range(10 * n + 10):
        inside = _free_minimum(matrix, slope, lowest, position, free, factor, target)
        if inside:
            position[:] = target
            value = _objective(matrix, slope, position)
            if not _release(matrix, slope, position, free):
                return
            continue
        for i in range(n):
            candidate[i] = max(target[i], lowest[i])
        projected = _objective(matrix, slope, candidate)
        if not projected < value:
            _first_bound(lowest, position, free, target, candidate)
            projected = _objective(matrix, slope, candidate)
        position[:] = candidate
        value = projected
        for i in range(n):
            free[i] = free[i] and position[i] > lowest[i]


@numba.njit(**_OPTIONS)
def _free_minimum(matrix, slope, lowest, position, free, factor, target):
    """Write the minimum over the free coordinates; tell if it is allowed."""
    n = slope.size
    members = np.flatnonzero(free)
    right = np.empty(members.size)
    for a in range(members.size):
        i = members[a]
        right[a] = -slope[i]
        for j in range(n):
            if not free[j]:
                right[a] -= matrix[i, j] * position[j]
        for b in range(a + 1):
            factor[a, b] = matrix[i, members[b]]
    factorise(factor, members.size)
    solve(factor, members.size, right)
    target[:] = position
    inside = True
    for a in range(members.size):
        target[members[a]] = right[a]
        inside = inside and right[a] >= lowest[members[a]]
    return inside


@numba.njit(**_OPTIONS)
def _release(matrix, slope, position, free):
    """Free the held coordinate with the most negative multiplier; tell if any."""
    worst, which = -_MULTIPLIER, -1
    for i in range(slope.size):
        if not free[i]:
            multiplier = slope[i]
            for j in range(slope.size):
                multiplier += matrix[i, j] * position[j]
            if multiplier < worst:
                worst, which = multiplier, i
    if which >= 0:
        free[which] = True
    return which >= 0


@numba.njit(**_OPTIONS)
def _first_bound(lowest, position, free, target, candidate):
    """Write the point towards the target where the first bound is met."""
    length, which = 1.0, -1
    for i in range(position.size):
        if free[i] and target[i] < lowest[i]:
            share = (position[i] - lowest[i]) / (position[i] - target[i])
            if share < length or which < 0:
                length, which = min(share, length), i
    for i in range(position.size):
        moved = position[i] + length * (target[i] - position[i])
        candidate[i] = max(moved, lowest[i])
    if which >= 0:
        candidate[which] = lowest[which]


@numba.njit(**_OPTIONS)
def _objective(matrix, slope, position):
    total = 0.0
    for i in range(slope.size):
        row = slope[i]
        for j in range(slope.size):
            row += 0.5 * matrix[i, j] * position[j]
        total += row * position[i]
    return total
