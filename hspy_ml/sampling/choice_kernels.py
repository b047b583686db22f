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
from .neighbour_kernels import find_listeners, forget_measurement, insert_measurement
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
        radius = insert_measurement(maps.near, maps.has_changed, row, column)
    else:
        radius = find_listeners(maps.near, maps.has_changed, row, column)
    refresh(maps, row, column, radius, reach, coefficients)


@numba.njit(**_OPTIONS)
def remove_measurement(maps, row, column, reach, coefficients):
    """Take back a label: its pixel is missing, and stays closed."""
    maps.labels[row, column] = 0
    is_known = maps.labels > 0
    radius = forget_measurement(maps.near, is_known, maps.has_changed, row, column)
    refresh(maps, row, column, radius, reach, coefficients)


@numba.njit(**_OPTIONS)
def close_pixel(maps, row, column):
    """A pixel that is not to be measured any more."""
    maps.is_open[row, column] = False
    maps.score[row, column] = NEVER
    maps.withheld[row, column] = NEVER
    _refresh_tile(maps, row // TILE, column // TILE)


@numba.njit(**_OPTIONS)
def withhold(maps, row, column, radius):
    """Put the scores within a radius aside, so that none of these pixels is best."""
    n_rows, n_columns = maps.labels.shape
    reach = int(radius)
    top, bottom = max(row - reach, 0), min(row + reach + 1, n_rows)
    left, right = max(column - reach, 0), min(column + reach + 1, n_columns)
    for y in range(top, bottom):
        for x in range(left, right):
            is_within = (y - row) ** 2 + (x - column) ** 2 <= radius * radius
            if is_within and maps.score[y, x] != NEVER:
                maps.withheld[y, x] = maps.score[y, x]
                maps.score[y, x] = NEVER
    _refresh_tiles(maps, top, bottom, left, right)


@numba.njit(**_OPTIONS)
def release(maps, row, column, radius):
    """Take the scores back that were put aside."""
    n_rows, n_columns = maps.labels.shape
    reach = int(radius)
    top, bottom = max(row - reach, 0), min(row + reach + 1, n_rows)
    left, right = max(column - reach, 0), min(column + reach + 1, n_columns)
    for y in range(top, bottom):
        for x in range(left, right):
            if maps.withheld[y, x] != NEVER:
                maps.score[y, x] = maps.withheld[y, x]
                maps.withheld[y, x] = NEVER
    _refresh_tiles(maps, top, bottom, left, right)


@numba.njit(**_OPTIONS)
def refresh(maps, row, column, radius, reach, coefficients):
    """Renew what depends on the pixels that have changed, within a radius."""
    n_rows, n_columns = maps.labels.shape
    top, bottom = max(row - radius, 0), min(row + radius + 1, n_rows)
    left, right = max(column - radius, 0), min(column + radius + 1, n_columns)
    _mark_around(maps.is_stale, row, column)
    for y in range(top, bottom):
        for x in range(left, right):
            if maps.has_changed[y, x]:
                maps.has_changed[y, x] = False
                maps.is_stale[y, x] = True
                _refresh_image(maps, y, x)
    top, bottom = max(top - SEEN_FROM, 0), min(bottom + SEEN_FROM, n_rows)
    left, right = max(left - SEEN_FROM, 0), min(right + SEEN_FROM, n_columns)
    _refresh_scores(maps, top, bottom, left, right, reach, coefficients)
    _refresh_tiles(maps, top, bottom, left, right)


@numba.njit(**_OPTIONS)
def _mark_around(is_stale, row, column):
    """The pixels whose features see this one."""
    n_rows, n_columns = is_stale.shape
    for y in range(max(row - SEEN_FROM, 0), min(row + SEEN_FROM + 1, n_rows)):
        for x in range(
            max(column - SEEN_FROM, 0), min(column + SEEN_FROM + 1, n_columns)
        ):
            is_stale[y, x] = True


@numba.njit(**_OPTIONS)
def _refresh_image(maps, row, column):
    nearest = maps.near[row, column]
    label = reconstruct_pixel(nearest, maps.labels, row, column, maps.votes)
    if label != maps.image[row, column]:
        maps.image[row, column] = label
        _mark_around(maps.is_stale, row, column)


@numba.njit(**_OPTIONS)
def _refresh_scores(maps, top, bottom, left, right, reach, coefficients):
    """Score the pixels of a box whose features may have changed."""
    features = np.empty(N_FEATURES, np.float32)
    hidden = np.empty(coefficients.weights_1.shape[1], np.float32)
    for y in range(top, bottom):
        for x in range(left, right):
            if not maps.is_stale[y, x]:
                continue
            maps.is_stale[y, x] = False
            maps.score[y, x] = NEVER
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


@numba.njit(**_OPTIONS)
def _refresh_tiles(maps, top, bottom, left, right):
    """Find the best pixels of the tiles that a box touches."""
    for i in range(top // TILE, (bottom - 1) // TILE + 1):
        for j in range(left // TILE, (right - 1) // TILE + 1):
            _refresh_tile(maps, i, j)


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
    maps.has_changed[:] = True
    refresh(maps, 0, 0, max(maps.labels.shape), reach, coefficients)


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
