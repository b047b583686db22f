# SPDX-License-Identifier: GPL-3.0-or-later
"""Kriging of labels from the nearest measurements, compiled.

``nearest`` holds offsets (rows, columns) as in `neighbour_kernels`, ``labels`` what was
measured, 0 where nothing was. ``room`` is scratch of `room_for`, ``shares`` room for
one number per label (0 included), zero before and after. No validation here.

The covariance of the indicators of a label falls off linearly with the distance, as it
does at distances below that of two boundaries. A prior variance much larger than the
covariances that matter stands for a mean that is not known: simple kriging is then
ordinary kriging, and one Cholesky factorisation is all.
"""

from __future__ import annotations

import numba
import numpy as np

from .neighbour_kernels import NOWHERE

_OPTIONS = {"cache": True, "nogil": True}

UNKNOWN_MEAN = 1e4
"""Prior variance over the covariance that is lost at the farthest measurement."""


def room_for(n_neighbours: int) -> np.ndarray:
    """Scratch of the kernels: a matrix, the weights and two coordinates."""
    return np.empty((n_neighbours + 3, n_neighbours))


@numba.njit(**_OPTIONS)
def krige_label(nearest, labels, row, column, n_used, room, shares):
    """Label of a pixel that was not measured, and the share that speaks against it.

    The label has the largest sum of kriging weights over the ``n_used`` nearest
    measurements (the smallest label if several have the same); 0 if there is none.
    Weights may be negative, and so may what speaks against it.
    """
    n = count_measurements(nearest, n_used)
    if n == 0:
        return np.int16(0), 1.0
    first = labels[row + nearest[0, 0], column + nearest[0, 1]]
    if agree(nearest, labels, row, column, n):
        return first, 0.0
    krige_weights(nearest, n, room)
    for i in range(n):
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        shares[label] += room[n_used, i]
    best, largest = np.int16(0), -np.inf
    for i in range(n):
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        share = shares[label]
        if share > largest or (share == largest and label < best):
            best, largest = label, share
    for i in range(n):
        shares[labels[row + nearest[i, 0], column + nearest[i, 1]]] = 0.0
    return best, 1.0 - largest


@numba.njit(**_OPTIONS)
def count_measurements(nearest, n_used):
    """How many of the nearest measurements there are, at most ``n_used``."""
    for i in range(n_used):
        if nearest[i, 0] == NOWHERE:
            return i
    return n_used


@numba.njit(**_OPTIONS)
def agree(nearest, labels, row, column, n):
    """Whether the first ``n`` measurements have one label."""
    first = labels[row + nearest[0, 0], column + nearest[0, 1]]
    for i in range(1, n):
        if labels[row + nearest[i, 0], column + nearest[i, 1]] != first:
            return False
    return True


@numba.njit(**_OPTIONS)
def krige_weights(nearest, n, room):
    """Weights of the first ``n`` measurements, into the row ``room[n_used]``."""
    n_used = room.shape[1]
    weights, ys, xs = room[n_used], room[n_used + 1], room[n_used + 2]
    for i in range(n):
        ys[i], xs[i] = nearest[i, 0], nearest[i, 1]
    dy, dx = ys[n - 1], xs[n - 1]
    prior = UNKNOWN_MEAN * np.sqrt(dy * dy + dx * dx)
    for i in range(n):
        weights[i] = prior - np.sqrt(ys[i] * ys[i] + xs[i] * xs[i])
        for j in range(i):
            dy, dx = ys[i] - ys[j], xs[i] - xs[j]
            room[i, j] = prior - np.sqrt(dy * dy + dx * dx)
        room[i, i] = prior
    _factorise(room, n)
    _solve(room, n, weights)


@numba.njit(**_OPTIONS)
def _factorise(matrix, n):
    """Cholesky's factor into the lower triangle; reciprocals on its diagonal."""
    for i in range(n):
        for j in range(i):
            s = matrix[i, j]
            for k in range(j):
                s -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = s * matrix[j, j]
        s = matrix[i, i]
        for k in range(i):
            s -= matrix[i, k] * matrix[i, k]
        matrix[i, i] = 1.0 / np.sqrt(s)


@numba.njit(**_OPTIONS)
def _solve(factor, n, vector):
    """Solve in place with the factor, forwards and backwards."""
    for i in range(n):
        s = vector[i]
        for k in range(i):
            s -= factor[i, k] * vector[k]
        vector[i] = s * factor[i, i]
    for i in range(n - 1, -1, -1):
        s = vector[i]
        for k in range(i + 1, n):
            s -= factor[k, i] * vector[k]
        vector[i] = s * factor[i, i]


@numba.njit(**_OPTIONS)
def krige_image(near, labels, n_used, room, shares, image, against):
    """Reconstruct all pixels; what was measured stays."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] > 0:
                image[y, x], against[y, x] = labels[y, x], 0.0
            else:
                image[y, x], against[y, x] = krige_label(
                    near[y, x], labels, y, x, n_used, room, shares
                )


@numba.njit(**_OPTIONS)
def krige_shares(near, labels, n_used, room, shares):
    """Add up the kriging weights by label: ``shares[y, x, label - 1]``, zero before."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            n = count_measurements(near[y, x], n_used)
            if labels[y, x] > 0:
                shares[y, x, labels[y, x] - 1] = 1.0
                continue
            if not agree(near[y, x], labels, y, x, n):
                krige_weights(near[y, x], n, room)
            else:
                n = 1
                room[n_used, 0] = 1.0
            for i in range(n):
                label = labels[y + near[y, x, i, 0], x + near[y, x, i, 1]]
                shares[y, x, label - 1] += room[n_used, i]


@numba.njit(**_OPTIONS)
def krige_others(near, labels, places, n_used, room, shares):
    """Kriging weights at measured places from the other measurements, by label.

    ``near`` has one neighbour more than are used, the first of which is the place
    itself.
    """
    for i in range(places.shape[0]):
        y, x = places[i, 0], places[i, 1]
        if labels[y, x] == 0:
            continue
        others = near[y, x, 1:]
        n = count_measurements(others, n_used)
        if n > 0:
            krige_weights(others, n, room)
        for j in range(n):
            label = labels[y + others[j, 0], x + others[j, 1]]
            shares[i, label - 1] += room[n_used, j]
