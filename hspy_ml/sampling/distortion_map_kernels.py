# SPDX-License-Identifier: GPL-3.0-or-later
"""Chances of error of all pixels, kept up to date, compiled.

Pixels whose nearest measurements change are stale until what follows from these is
asked for.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from .distortion_kernels import N_LOCAL, chance_of_error, describe_doubt
from .neighbour_kernels import forget_measurement, insert_measurement
from .reconstruction_kernels import agree, count_measurements, krige_label

_OPTIONS = {"cache": True, "nogil": True}


class DoubtMaps(NamedTuple):
    """What is known of every pixel.

    Attributes
    ----------
    near : ndarray of int16, shape (n_rows, n_columns, n_neighbours, 2)
        See `neighbours`.
    labels : ndarray of int16, shape (n_rows, n_columns)
        What was measured, 0 where nothing was.
    image : ndarray of int16, shape (n_rows, n_columns)
        The reconstruction; right where it is not stale.
    chance : ndarray of float32, shape (n_rows, n_columns)
        Of an error, as the network says; right where it is not stale.
    agreed : ndarray of bool, shape (n_rows, n_columns)
        Whether the nearest measurements have one label.
    stale : ndarray of bool, shape (n_rows, n_columns)
        Whether the nearest measurements changed.
    judged : ndarray of bool, shape (n_rows, n_columns)
        Pixels of which the chance is kept; of a large map a part is enough.
    room, shares : ndarray
        Scratch, see `reconstruction_kernels`.
    """

    near: np.ndarray
    labels: np.ndarray
    image: np.ndarray
    chance: np.ndarray
    agreed: np.ndarray
    stale: np.ndarray
    judged: np.ndarray
    room: np.ndarray
    shares: np.ndarray


@numba.njit(**_OPTIONS)
def take_in(maps, row, column, label):
    """Take in a label, of a new pixel or in place of an older one."""
    if maps.labels[row, column] > 0:
        maps.labels[row, column] = 0
        take_out(maps, row, column)
    maps.labels[row, column] = label
    insert_measurement(maps.near, maps.stale, row, column)


@numba.njit(**_OPTIONS)
def take_out(maps, row, column):
    """Forget a label, which ``maps.labels`` no longer has."""
    forget_measurement(maps.near, maps.labels > 0, maps.stale, row, column)


@numba.njit(**_OPTIONS)
def follow(maps, places, labels, of_the_map, network, chances, guesses):
    """Take in labels, one after the other; return by how many more are known.

    Label 0 takes one out. Before a pixel is known its label is predicted, with the
    chance of an error; the chance is NaN of one that was known, or if it came as 0.
    """
    features = np.empty(network.weights_1.shape[0])
    hidden = np.empty((1, network.biases_1.size))
    features[N_LOCAL:] = of_the_map
    n_more = 0
    for i in range(labels.size):
        y, x = places[i, 0], places[i, 1]
        was_known = maps.labels[y, x] > 0
        chances[i] = np.nan
        if labels[i] > 0 and not was_known:
            guesses[i], chances[i] = _expect(maps, y, x, features, hidden, network)
        if labels[i] > 0:
            take_in(maps, y, x, labels[i])
        elif was_known:
            maps.labels[y, x] = 0
            take_out(maps, y, x)
        n_more += int(labels[i] > 0) - int(was_known)
    return n_more


@numba.njit(**_OPTIONS)
def _expect(maps, row, column, features, hidden, network):
    n_rows, n_columns = maps.labels.shape
    for y in range(max(row - 1, 0), min(row + 2, n_rows)):
        for x in range(max(column - 1, 0), min(column + 2, n_columns)):
            if maps.stale[y, x]:
                _reconstruct(maps, y, x)
    chance = _chance(maps, row, column, features, hidden, network)
    return maps.image[row, column], chance


@numba.njit(**_OPTIONS)
def _reconstruct(maps, y, x):
    if maps.labels[y, x] > 0:
        maps.image[y, x] = maps.labels[y, x]
        return
    nearest = maps.near[y, x]
    n_used = maps.room.shape[1]
    maps.image[y, x], _ = krige_label(
        nearest, maps.labels, y, x, n_used, maps.room, maps.shares
    )
    n = count_measurements(nearest, n_used)
    maps.agreed[y, x] = agree(nearest, maps.labels, y, x, n)


@numba.njit(**_OPTIONS)
def _chance(maps, y, x, features, hidden, network):
    describe_doubt(
        maps.near[y, x],
        maps.labels,
        maps.image,
        y,
        x,
        maps.room,
        maps.shares,
        features,
    )
    return chance_of_error(features, network, hidden)


@numba.njit(**_OPTIONS)
def reconstruct_stale(maps):
    """Renew the reconstruction where it is stale."""
    for y in range(maps.labels.shape[0]):
        for x in range(maps.labels.shape[1]):
            if maps.stale[y, x]:
                _reconstruct(maps, y, x)


@numba.njit(**_OPTIONS)
def judge_stale(maps, of_the_map, network):
    """Renew the chances of stale pixels and of those beside; none is stale then.

    The reconstruction is up to date.
    """
    features = np.empty(network.weights_1.shape[0])
    hidden = np.empty((1, network.biases_1.size))
    features[N_LOCAL:] = of_the_map
    for y in range(maps.labels.shape[0]):
        for x in range(maps.labels.shape[1]):
            if maps.labels[y, x] > 0:
                maps.chance[y, x] = 0.0
            elif maps.judged[y, x] and _is_stale_around(maps.stale, y, x):
                maps.chance[y, x] = _chance(maps, y, x, features, hidden, network)
    maps.stale[:] = False


@numba.njit(**_OPTIONS)
def _is_stale_around(stale, row, column):
    for y in range(max(row - 1, 0), min(row + 2, stale.shape[0])):
        for x in range(max(column - 1, 0), min(column + 2, stale.shape[1])):
            if stale[y, x]:
                return True
    return False


@numba.njit(**_OPTIONS)
def judge_all(maps, of_the_map, network, chance):
    """Write the chances of all pixels; the reconstruction is up to date."""
    features = np.empty(network.weights_1.shape[0])
    hidden = np.empty((1, network.biases_1.size))
    features[N_LOCAL:] = of_the_map
    for y in range(chance.shape[0]):
        for x in range(chance.shape[1]):
            chance[y, x] = 0.0
            if maps.labels[y, x] == 0:
                chance[y, x] = _chance(maps, y, x, features, hidden, network)


@numba.njit(**_OPTIONS)
def describe_all(maps, places, of_the_map, features):
    """Features of the pixels at ``places``, row * n_columns + column."""
    row = np.empty(features.shape[1])
    row[N_LOCAL:] = of_the_map
    n_columns = maps.labels.shape[1]
    for i in range(places.size):
        y, x = places[i] // n_columns, places[i] % n_columns
        describe_doubt(
            maps.near[y, x],
            maps.labels,
            maps.image,
            y,
            x,
            maps.room,
            maps.shares,
            row,
        )
        features[i] = row
