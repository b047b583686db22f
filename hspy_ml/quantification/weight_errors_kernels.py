# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors and goodness of fit of one pixel's weights, compiled.

Here all channels count, also the empty ones, merged into groups
(:mod:`hspy_ml.quantification.channel_groups`); as in
:mod:`hspy_ml.quantification.weight_kernels` a product of two columns needs only the
channels that both have.
"""

from __future__ import annotations

import numba
import numpy as np

from .deviance_moments import (
    CURVATURE,
    KNOTS_PER_OCTAVE,
    LARGEST_EXPONENT,
    MEAN,
    SLOPE,
    SMALLEST_EXPONENT,
    VARIANCE,
)
from .quadratic_kernels import invert
from .weight_kernels import add, dot, multiply

_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
}
# A float64 has 52 bits of mantissa below its exponent: those of the knot, the rest.
_KNOT_BITS = int(np.log2(KNOTS_PER_OCTAVE))
_SHIFT = np.uint64(52 - _KNOT_BITS)
_REST = np.uint64(2 ** (52 - _KNOT_BITS) - 1)
_REST_SCALE = 2.0 ** -(52 - _KNOT_BITS)
_FIRST_KNOT = (1023 + SMALLEST_EXPONENT) * KNOTS_PER_OCTAVE
_SMALLEST = 2.0**SMALLEST_EXPONENT
_LARGEST = 2.0**LARGEST_EXPONENT * (1 - 1e-9)


@numba.njit(**_OPTIONS)
def model_of_channels(columns, weights, model):
    """Write the expected counts of every channel."""
    model[:] = 0
    for k in range(weights.size):
        if weights[k] > 0:
            begin, end = columns.first[k], columns.last[k]
            add(weights[k], columns.values[k, begin:end], model[begin:end])


@numba.njit(**_OPTIONS)
def weighted_products(columns, channel_weights, members, product, result):
    """Write ``sum_e v_e columns_ke columns_le`` of the members, a symmetric matrix."""
    for a in range(members.size):
        k = members[a]
        begin, end = columns.first[k], columns.last[k]
        row, channel_weight = columns.values[k, begin:end], channel_weights[begin:end]
        multiply(row, channel_weight, product[begin:end])
        for b in range(a + 1):
            j = members[b]
            lo, hi = max(begin, columns.first[j]), min(end, columns.last[j])
            total = dot(product[lo:hi], columns.values[j, lo:hi]) if lo < hi else 0.0
            result[a, b] = total
            result[b, a] = total


@numba.njit(**_OPTIONS)
def reciprocal(model, result):
    """Write one over the model, zero where it vanishes."""
    for e in range(model.size):
        result[e] = 1 / model[e] if model[e] > 0 else 0.0


@numba.njit(**_OPTIONS)
def covariance_of_weights(columns, weights, reported, inverse_scale, covariance):
    """Write the covariance of the reported weights.

    It is the inverse of the expected Fisher information of all columns at the
    weights, of which none is taken to be below one count: at the bound the model
    would vanish, and the information become infinite.
    """
    n_columns, n_channels = columns.values.shape
    model = np.empty(n_channels)
    channel_weights = np.empty(n_channels)
    information = np.empty((n_columns, n_columns))
    inverse = np.empty((n_columns, n_columns))
    model_of_channels(columns, np.maximum(weights, 1.0), model)
    reciprocal(model, channel_weights)
    members = np.arange(n_columns)
    weighted_products(columns, channel_weights, members, model, information)
    invert(information, inverse)
    for a in range(reported.size):
        for b in range(reported.size):
            i, j = reported[a], reported[b]
            scale = inverse_scale[i] * inverse_scale[j]
            covariance[a, b] = inverse[i, j] * scale


@numba.njit(**_OPTIONS)
def deviance_of_pixel(counts, model, total_model):
    """Poisson deviance over all channels, given those with counts."""
    deviance = 2 * total_model
    for i in range(counts.size):
        deviance += 2 * (counts[i] * np.log(counts[i] / model[i]) - counts[i])
    return deviance


@numba.njit(**_OPTIONS)
def goodness_of_pixel(columns, sizes, weights, deviance, moments):
    """The deviance, standardised by its mean and variance under the fitted model.

    Both are those given the estimates: fitting p weights lowers the deviance by p,
    and shifts its expectation, by the curvature of the mean, by half the trace of
    covariance times curvature; the variance that the weights explain is taken out
    (McCullagh 1986, J. Am. Stat. Assoc. 81, 104).
    """
    members = np.flatnonzero(weights > 0)
    n, n_channels = members.size, sizes.size
    model = np.empty(n_channels)
    model_of_channels(columns, weights, model)
    slope = np.zeros(n_channels)
    curvature = np.zeros(n_channels)
    mean, variance = _sum_of_moments(model, sizes, moments, slope, curvature)
    information = np.empty((n, n))
    covariance = np.empty((n, n))
    product = np.empty(n_channels)
    channel_weights = np.empty(n_channels)
    reciprocal(model, channel_weights)
    weighted_products(columns, channel_weights, members, product, information)
    invert(information, covariance)
    weighted_products(columns, curvature, members, product, information)
    mean -= n + 0.5 * (covariance * information).sum()
    covariances = np.zeros(n)
    for a in range(n):
        k = members[a]
        begin, end = columns.first[k], columns.last[k]
        covariances[a] = dot(slope[begin:end], columns.values[k, begin:end])
    variance -= covariances @ covariance @ covariances
    return (deviance - mean) / np.sqrt(variance) if variance > 0 else np.nan


@numba.njit(**_OPTIONS)
def _sum_of_moments(model, sizes, moments, slope, curvature):
    """Interpolate the moments at every channel; return the sums of the first two.

    The channels of a group are taken to expect the same.

    The exponent and the first bits of the mantissa of a number are the number of
    its knot, the rest says where it is between two knots.
    """
    mean, variance = 0.0, 0.0
    for e in range(model.size):
        m = model[e] / max(sizes[e], 1.0)
        if m < _SMALLEST:
            continue
        bits = np.float64(min(m, _LARGEST)).view(np.uint64)
        knot = np.int64(bits >> _SHIFT) - _FIRST_KNOT
        share = np.float64(bits & _REST) * _REST_SCALE
        rest = 1 - share
        below, above = moments[knot], moments[knot + 1]
        mean += sizes[e] * (rest * below[MEAN] + share * above[MEAN])
        variance += sizes[e] * (rest * below[VARIANCE] + share * above[VARIANCE])
        slope[e] = rest * below[SLOPE] + share * above[SLOPE]
        curvature[e] = rest * below[CURVATURE] + share * above[CURVATURE]
        curvature[e] /= sizes[e]
    return mean, variance
