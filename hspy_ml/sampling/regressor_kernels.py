# SPDX-License-Identifier: GPL-3.0-or-later
"""Score of a pixel from its features, compiled."""

from __future__ import annotations

import numba
import numpy as np

from .features import N_PAPER

_OPTIONS = {"cache": True, "nogil": True}


@numba.njit(**_OPTIONS)
def score_features(features, coefficients, hidden):
    """Score of one pixel; ``hidden`` is room for the first layer of the network.

    ``coefficients`` is `regressor.Coefficients`.
    """
    score = coefficients.rule[0] * features[0] * features[2] * features[2]
    if coefficients.theta.size > 0:
        score += _products(features, coefficients.theta)
    if hidden.size > 0:
        score += _network(features, coefficients, hidden)
    return score


@numba.njit(**_OPTIONS)
def _products(features, theta):
    value = theta[0]
    at = 1 + N_PAPER
    for i in range(N_PAPER):
        value += theta[1 + i] * features[i]
        for j in range(i, N_PAPER):
            value += theta[at] * features[i] * features[j]
            at += 1
    return value


@numba.njit(fastmath=True, **_OPTIONS)
def _network(features, coefficients, hidden):
    hidden[:] = coefficients.bias_1
    for i in range(features.size):
        value = features[i]
        for j in range(hidden.size):
            hidden[j] += value * coefficients.weights_1[i, j]
    for j in range(hidden.size):
        hidden[j] = max(hidden[j], np.float32(0.0))
    result = np.float32(0.0)
    for k in range(coefficients.bias_2.size):
        value = coefficients.bias_2[k]
        for j in range(hidden.size):
            value += hidden[j] * coefficients.weights_2[k, j]
        result += max(value, np.float32(0.0)) * coefficients.weights_3[k]
    return result
