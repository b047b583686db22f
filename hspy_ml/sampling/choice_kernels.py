# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of the pixels and the best of them, kept up to date, compiled.

``maps`` are those of `choice`, ``coefficients`` those of `regressor`, and ``reach`` is
rc of Z3. No validation here.
"""

from __future__ import annotations

import numba
import numpy as np

from .choice import NEVER, TILE
from .feature_kernels import N_FEATURES, describe_pixel, reconstruct_pixel
from .neighbour_kernels import forget_measurement, heard_within, insert_measurement
from .regressor_kernels import score_features

_OPTIONS = {"cache": True, "nogil": True}

SEEN_FROM = 2
"""How far the features of a pixel see the reconstruction, pixels."""


@numba.njit(**_OPTIONS)
def add_measurement(maps, row, column, label, reach, coefficients):
    """Take in a label and renew what depends on it."""
    is_new = maps.labels[row, column] == 0
    maps.labels[row, column] = label
    maps.is_open[row, column] = False
    if is_new:
        radius = insert_measurement(maps.near, row, column)
    else:
        radius = heard_within(maps.near, row, column)
    refresh(maps, row, column, radius, reach, coefficients)


@numba.njit(**_OPTIONS)
def remove_measurement(maps, row, column, reach, coefficients):
    """Take back a label: its pixel is missing, and stays closed."""
    maps.labels[row, column] = 0
    radius = forget_measurement(maps.near, maps.labels > 0, row, column)
    refresh(maps, row, column, radius, reach, coefficients)


@numba.njit(**_OPTIONS)
def close_pixel(maps, row, column):
    """A pixel that is not to be measured any more."""
    maps.is_open[row, column] = False
    maps.score[row, column] = NEVER
    _refresh_tile(maps, row // TILE, column // TILE)


@numba.njit(**_OPTIONS)
def refresh(maps, row, column, radius, reach, coefficients):
    """Renew reconstruction, scores and tiles after a change within a radius."""
    n_rows, n_columns = maps.labels.shape
    for y in range(max(row - radius, 0), min(row + radius + 1, n_rows)):
        for x in range(max(column - radius, 0), min(column + radius + 1, n_columns)):
            maps.image[y, x] = reconstruct_pixel(
                maps.near[y, x], maps.labels, y, x, maps.votes
            )
    radius += SEEN_FROM
    top, bottom = max(row - radius, 0), min(row + radius + 1, n_rows)
    left, right = max(column - radius, 0), min(column + radius + 1, n_columns)
    _score_box(maps, top, bottom, left, right, reach, coefficients)
    for i in range(top // TILE, (bottom - 1) // TILE + 1):
        for j in range(left // TILE, (right - 1) // TILE + 1):
            _refresh_tile(maps, i, j)


@numba.njit(**_OPTIONS)
def _score_box(maps, top, bottom, left, right, reach, coefficients):
    features = np.empty(N_FEATURES, np.float32)
    hidden = np.empty(coefficients.weights_1.shape[1], np.float32)
    for y in range(top, bottom):
        for x in range(left, right):
            if maps.is_open[y, x] and maps.image[y, x] > 0:
                describe_pixel(
                    maps.near[y, x],
                    maps.labels,
                    maps.image,
                    y,
                    x,
                    reach,
                    maps.votes,
                    features,
                )
                maps.score[y, x] = score_features(features, coefficients, hidden)
            else:
                maps.score[y, x] = NEVER


@numba.njit(**_OPTIONS)
def _refresh_tile(maps, i, j):
    n_rows, n_columns = maps.labels.shape
    best, place = NEVER, -1
    for y in range(i * TILE, min((i + 1) * TILE, n_rows)):
        for x in range(j * TILE, min((j + 1) * TILE, n_columns)):
            if maps.score[y, x] > best:
                best, place = maps.score[y, x], y * n_columns + x
    maps.tile_score[i, j] = best
    maps.tile_place[i, j] = place


@numba.njit(**_OPTIONS)
def best_place(maps):
    """The pixel with the best score, row * n_columns + column; -1 if there is none."""
    best, place = NEVER, np.int64(-1)
    for i in range(maps.tile_score.shape[0]):
        for j in range(maps.tile_score.shape[1]):
            if maps.tile_score[i, j] > best:
                best, place = maps.tile_score[i, j], np.int64(maps.tile_place[i, j])
    return place


@numba.njit(**_OPTIONS)
def refresh_all(maps, reach, coefficients):
    """Renew reconstruction, scores and tiles everywhere."""
    n_rows, n_columns = maps.labels.shape
    refresh(maps, 0, 0, max(n_rows, n_columns), reach, coefficients)


@numba.njit(**_OPTIONS)
def replay(maps, truth, reach, coefficients, places):
    """Measure an image that is known, one pixel after the other; return how many.

    ``truth`` has the label 0 where a spectrum is ill. ``places`` takes the pixels in
    the order of their measurement, until it is full.
    """
    n_columns = truth.shape[1]
    for k in range(places.size):
        place = best_place(maps)
        if place < 0:
            return k
        places[k] = place
        row, column = place // n_columns, place % n_columns
        if truth[row, column] > 0:
            label = truth[row, column]
            add_measurement(maps, row, column, label, reach, coefficients)
        else:
            close_pixel(maps, row, column)
    return places.size
