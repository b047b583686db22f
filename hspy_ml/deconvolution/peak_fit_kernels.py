# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels of the fit of a zero-loss peak that losses may hide in part."""

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["N_PARAMETERS", "fit_peaks", "peak_values"]

N_PARAMETERS = 7
LN2 = math.log(2.0)
GAUSS = 0.5 / math.sqrt(3.0)  # of a bin, from its middle: where its mean is taken
STEP_LIMIT = 1.0  # of a parameter
LEAST_GAIN = 1e-3  # of the cost, by a step


@numba.njit(cache=True, nogil=True)
def natural(parameters):
    """Height, top, half widths left and right, share of the tail, exponent.

    And two raised to the inverse of the exponent. The parameters are the logarithm of
    the height, the place of the top, the logarithms of the half widths, the logit of
    the share of the tail and the logarithm of its exponent; then an offset, which is
    no part of the peak.
    """
    exponent = math.exp(parameters[5])
    return (
        math.exp(parameters[0]),
        parameters[1],
        math.exp(parameters[2]),
        math.exp(parameters[3]),
        1.0 / (1.0 + math.exp(-parameters[4])),
        exponent,
        2.0 ** (1.0 / exponent),
    )


@numba.njit(cache=True, nogil=True)
def peak_value(shape, x, gradient):
    """Value of the peak at `x`; its derivatives by the parameters are added."""
    height, top, left, right, eta, p, root = shape
    d = x - top
    on_left = d < 0
    h = left if on_left else right
    s = (d / h) ** 2
    k = root - 1.0
    inner = 1.0 + k * s
    log_inner = math.log(inner)
    bell = math.exp(-LN2 * s) if s < 60.0 else 0.0
    tail = math.exp(-p * log_inner)
    value = height * ((1.0 - eta) * bell + eta * tail)
    slope = -height * ((1.0 - eta) * LN2 * bell + eta * p * k * tail / inner)
    gradient[0] += value
    gradient[1] -= slope * 2.0 * d / h**2
    if on_left:
        gradient[2] -= slope * 2.0 * s
    else:
        gradient[3] -= slope * 2.0 * s
    gradient[4] += height * eta * (1.0 - eta) * (tail - bell)
    by_exponent = -log_inner + s * LN2 * root / (p * inner)
    gradient[5] += height * eta * tail * by_exponent * p
    return value


@numba.njit(cache=True, nogil=True)
def bin_value(shape, low, high, gradient):
    """Twice the mean over a bin (Gauss-Legendre, two points), and derivatives."""
    middle, reach = 0.5 * (low + high), GAUSS * (high - low)
    gradient[:] = 0.0
    value = peak_value(shape, middle - reach, gradient)
    return value + peak_value(shape, middle + reach, gradient)


@numba.njit(cache=True, nogil=True)
def solve(matrix, vector):
    """Solve a small positive definite system in place by Cholesky's way."""
    n = vector.size
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                matrix[i, i] = math.sqrt(max(total, 1e-30))
            else:
                matrix[i, j] = total / matrix[j, j]
    for i in range(n):
        for k in range(i):
            vector[i] -= matrix[i, k] * vector[k]
        vector[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            vector[i] -= matrix[k, i] * vector[k]
        vector[i] /= matrix[i, i]


@numba.njit(cache=True, nogil=True)
def cost_and_system(
    density,
    error,
    covered,
    edges,
    tolerance,
    least_error,
    prior,
    precision,
    at,
    system,
    right,
):
    """Robust cost at the parameters `at`, and the normal equations there.

    Counts above the peak cost less and less, `tolerance` of their error and more: they
    may be losses. Counts below it cost in full.
    """
    gradient = np.empty(N_PARAMETERS)
    shape = natural(at)
    system[:] = 0.0
    cost = 0.0
    for i in range(N_PARAMETERS):
        off = prior[i] - at[i]
        system[i, i] = precision[i]
        right[i] = precision[i] * off
        cost += 0.5 * precision[i] * off**2
    for j in range(density.size):
        if not covered[j]:
            continue
        value = 0.5 * bin_value(shape, edges[j], edges[j + 1], gradient)
        gradient[6] = 2.0
        variance = error[j] ** 2 + (least_error * value) ** 2
        miss = density[j] - value - at[6]
        square = miss**2 / variance
        weight = 1.0
        if miss > 0:
            scale = tolerance[j] ** 2
            weight = 1.0 / (1.0 + square / scale)
            cost += 0.5 * scale * math.log(1.0 + square / scale)
        else:
            cost += 0.5 * square
        weight /= variance
        for i in range(N_PARAMETERS):
            part = 0.5 * weight * gradient[i]
            right[i] += part * miss
            for k in range(i + 1):
                system[i, k] += 0.5 * part * gradient[k]
    return cost


@numba.njit(cache=True, nogil=True)
def fit_peak(
    density,
    error,
    covered,
    edges,
    tolerance,
    least_error,
    prior,
    precision,
    n_iterations,
    best,
):
    """Levenberg-Marquardt on one spectrum from `best`, which is changed.

    Returns the cost at the end.
    """
    n = N_PARAMETERS
    system, right = np.empty((n, n)), np.empty(n)
    trial_system, trial_right = np.empty((n, n)), np.empty(n)
    damped, step, trial = np.empty((n, n)), np.empty(n), np.empty(n)
    data = (density, error, covered, edges, tolerance, least_error, prior, precision)
    cost = cost_and_system(*data, best, system, right)
    damping = 1e-2
    for _ in range(n_iterations):
        damped[:] = system
        for i in range(n):
            damped[i, i] *= 1.0 + damping
        step[:] = right
        solve(damped, step)
        for i in range(n):
            trial[i] = best[i] + min(max(step[i], -STEP_LIMIT), STEP_LIMIT)
        trial_cost = cost_and_system(*data, trial, trial_system, trial_right)
        if trial_cost < cost:
            gain = cost - trial_cost
            best[:] = trial
            system[:] = trial_system
            right[:] = trial_right
            cost = trial_cost
            damping = max(damping * 0.2, 1e-6)
            if gain < LEAST_GAIN:
                break
        else:
            damping = damping * 8.0
            if damping > 1e6:
                break
    return cost


@numba.njit(cache=True, nogil=True)
def fit_peaks(
    density,
    error,
    covered,
    edges,
    tolerance,
    least_errors,
    start,
    precision,
    offset_precision,
    n_iterations,
    best,
):
    """Every spectrum, a row of each array; `best` holds the parameters at the end.

    In stages: errors are at first no smaller than a larger share of the peak, so that
    no part of it is taken for losses while the fit is far off.
    """
    precision = precision.copy()
    for row in range(density.shape[0]):
        best[row] = start
        precision[6] = offset_precision[row]
        for stage in range(least_errors.size):
            fit_peak(
                density[row],
                error[row],
                covered[row],
                edges,
                tolerance,
                least_errors[stage],
                start,
                precision,
                n_iterations[stage],
                best[row],
            )


@numba.njit(cache=True, nogil=True)
def peak_values(parameters, places, values):
    """Logarithms of the values at places, a row of parameters to a row of values."""
    gradient = np.zeros(N_PARAMETERS)
    for row in range(parameters.shape[0]):
        shape = natural(parameters[row])
        for j in range(places.size):
            value = peak_value(shape, places[j], gradient)
            values[row, j] = math.log(max(value, 1e-300))
