# SPDX-License-Identifier: GPL-3.0-or-later
"""How likely the label of a pixel that was not measured is wrong, compiled.

`describe_doubt` writes the features of one pixel, `chance_of_error` puts them through a
small network. ``nearest``, ``labels``, ``room`` and ``shares`` are as in
`reconstruction_kernels`. No validation here.
"""

from __future__ import annotations

import numba
import numpy as np

from .reconstruction_kernels import count_measurements, krige_weights

_OPTIONS = {"cache": True, "nogil": True}

N_LOCAL = 12
"""Features of a pixel; those of the whole map follow."""


@numba.njit(**_OPTIONS)
def describe_doubt(nearest, labels, image, row, column, room, shares, features):
    """Write the local features of a pixel; return its label.

    In this order: the share of the kriging that speaks against the label, its lead
    over the second; share of the nearest that disagree; logarithms of the distances
    to the first, to the farthest, to the first of this label and of another one (twice
    the farthest where there is none); how one-sided they lie; how many of the 8 pixels
    around have another label, were measured, both; error variance of the kriging.
    """
    n = count_measurements(nearest, room.shape[1])
    best = _krige(nearest, labels, row, column, n, room, shares, features)
    _describe_nearest(nearest, labels, row, column, n, best, features)
    _describe_around(labels, image, row, column, best, features)
    return best


@numba.njit(**_OPTIONS)
def _krige(nearest, labels, row, column, n, room, shares, features):
    krige_weights(nearest, n, room)
    weights = room[room.shape[1]]
    lost = 0.0
    for i in range(n):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        lost += weights[i] * np.sqrt(dy * dy + dx * dx)
        shares[labels[row + nearest[i, 0], column + nearest[i, 1]]] += weights[i]
    best, largest, second = np.int16(0), -np.inf, 0.0
    for i in range(n):
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        share = shares[label]
        if share > largest or (share == largest and label < best):
            best, largest = label, share
    for i in range(n):
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        if label != best:
            second = max(second, shares[label])
    for i in range(n):
        shares[labels[row + nearest[i, 0], column + nearest[i, 1]]] = 0.0
    features[0] = 1.0 - largest
    features[1] = largest - second
    features[11] = np.log(max(lost, 0.1))
    return best


@numba.njit(**_OPTIONS)
def _describe_nearest(nearest, labels, row, column, n, best, features):
    same, other, farthest, disagree = 0.0, 0.0, 1.0, 0
    total, sum_y, sum_x = 0.0, 0.0, 0.0
    for i in range(n):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        square = dy * dy + dx * dx
        farthest = square
        total += 1.0 / np.sqrt(square)
        sum_y += dy / square
        sum_x += dx / square
        if labels[row + nearest[i, 0], column + nearest[i, 1]] == best:
            same = same if same > 0 else square
        else:
            other = other if other > 0 else square
            disagree += 1
    dy, dx = np.float64(nearest[0, 0]), np.float64(nearest[0, 1])
    features[2] = disagree / n
    features[3] = 0.5 * np.log(dy * dy + dx * dx)
    features[4] = 0.5 * np.log(farthest)
    features[5] = 0.5 * np.log(same if same > 0 else 4.0 * farthest)
    features[6] = 0.5 * np.log(other if other > 0 else 4.0 * farthest)
    features[7] = np.sqrt(sum_y * sum_y + sum_x * sum_x) / total


@numba.njit(**_OPTIONS)
def _describe_around(labels, image, row, column, best, features):
    differ, measured, both = 0, 0, 0
    for y in range(max(row - 1, 0), min(row + 2, image.shape[0])):
        for x in range(max(column - 1, 0), min(column + 2, image.shape[1])):
            if y == row and x == column:
                continue
            differs, is_measured = image[y, x] != best, labels[y, x] > 0
            differ += differs
            measured += is_measured
            both += differs and is_measured
    features[8] = differ
    features[9] = measured
    features[10] = both


@numba.njit(**_OPTIONS)
def chance_of_error(features, network, hidden):
    """Probability that the label is wrong: two hidden layers, logistic at the end."""
    for j in range(network.biases_1.size):
        s = network.biases_1[j]
        for i in range(features.size):
            s += features[i] * network.weights_1[i, j]
        hidden[0, j] = max(s, 0.0)
    logit = network.bias_3[0]
    for j in range(network.biases_2.size):
        s = network.biases_2[j]
        for i in range(network.biases_1.size):
            s += hidden[0, i] * network.weights_2[i, j]
        logit += max(s, 0.0) * network.weights_3[j]
    return 1.0 / (1.0 + np.exp(-logit))
