# SPDX-License-Identifier: GPL-3.0-or-later
"""Nearest measurements: against sorting all of them, however they came about."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.sampling.neighbour_kernels import (
    find_listeners,
    forget_measurement,
    insert_measurement,
    look_around,
)
from hspy_ml.sampling.neighbours import NOWHERE, nearest_measurements


def sorted_offsets(is_known, n_neighbours):
    """The same by sorting all measurements by distance, rows, columns."""
    points = np.argwhere(is_known)
    near = np.full((*is_known.shape, n_neighbours, 2), NOWHERE)
    for place in np.ndindex(is_known.shape):
        offsets = points - place
        order = np.lexsort((offsets[:, 1], offsets[:, 0], (offsets**2).sum(axis=1)))
        kept = offsets[order[:n_neighbours]]
        near[place][: len(kept)] = kept
    return near


@st.composite
def masks(draw):
    shape = draw(st.tuples(st.integers(1, 14), st.integers(1, 17)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return rng.random(shape) < draw(st.sampled_from([0.02, 0.1, 0.5, 1.0]))


@given(is_known=masks(), n_neighbours=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_nearest_measurements_are_those_of_a_sort(is_known, n_neighbours):
    near = nearest_measurements(is_known, n_neighbours)
    np.testing.assert_array_equal(near, sorted_offsets(is_known, n_neighbours))


@given(is_known=masks(), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_measurement_is_put_in_and_taken_out(is_known, seed):
    before = nearest_measurements(is_known, 4)
    unknown = np.argwhere(~is_known)
    if not len(unknown):
        return
    row, column = np.random.default_rng(seed).choice(unknown)
    near, changed = before.copy(), np.zeros(is_known.shape, bool)
    insert_measurement(near, changed, row, column)
    np.testing.assert_array_equal(changed, (near != before).any(axis=(2, 3)))
    is_known[row, column] = True
    np.testing.assert_array_equal(near, sorted_offsets(is_known, 4))

    listeners = np.zeros(is_known.shape, bool)
    find_listeners(near, listeners, row, column)
    np.testing.assert_array_equal(listeners, changed)

    is_known[row, column] = False
    forget_measurement(near, is_known, np.zeros_like(is_known), row, column)
    np.testing.assert_array_equal(near, before)


def test_many_measurements_one_by_one_are_as_all_at_once():
    """Where they crowd along a line, as sampling has it."""
    rng = np.random.default_rng(0)
    is_known = rng.random((90, 70)) < 0.01
    near, changed = nearest_measurements(is_known), np.zeros(is_known.shape, bool)
    rows = rng.permutation(90)
    for row in rows:
        column = min(int(row / 2 + rng.integers(4)), 69)
        if not is_known[row, column]:
            insert_measurement(near, changed, row, column)
            is_known[row, column] = True
    np.testing.assert_array_equal(near, nearest_measurements(is_known))


def test_one_pixel_that_looks_around_finds_the_same():
    is_known = np.random.default_rng(1).random((20, 30)) < 0.05
    expected = nearest_measurements(is_known, 5)
    found = np.zeros((5, 2), np.int16)
    for place in [(0, 0), (19, 29), (10, 3)]:
        look_around(found, is_known, *place)
        np.testing.assert_array_equal(found, expected[place])
