# SPDX-License-Identifier: GPL-3.0-or-later
"""What is filled in comes from measured pixels of the same phase."""

import numpy as np
import pytest

from hspy_ml.sampling.inpainting import inpaint

SHAPE = 24, 31
LABELS = np.ones(SHAPE, int)
LABELS[:, 14:] = 2
LABELS[3:8, 3:8] = 3


def some_positions(n, seed=0):
    flat = np.random.default_rng(seed).permutation(LABELS.size)[:n]
    return np.stack(np.unravel_index(flat, SHAPE), axis=1)


def test_phases_do_not_mix():
    positions = some_positions(150)
    values = np.array([10.0, 20.0, 30.0])[LABELS[tuple(positions.T)] - 1]
    filled = inpaint(SHAPE, positions, values[:, None], LABELS)
    np.testing.assert_allclose(filled[..., 0], 10.0 * LABELS)


def test_measured_pixels_keep_their_values_and_maps_are_independent():
    rng = np.random.default_rng(1)
    positions = some_positions(60)
    values = rng.normal(size=(60, 2))
    filled = inpaint(SHAPE, positions, values, LABELS)
    np.testing.assert_array_equal(filled[tuple(positions.T)], values)
    alone = inpaint(SHAPE, positions, values[:, 1:], LABELS)
    np.testing.assert_array_equal(filled[..., 1:], alone)


def test_values_stay_between_those_measured():
    positions = some_positions(40, seed=2)
    values = np.random.default_rng(3).random((40, 1))
    filled = inpaint(SHAPE, positions, values, LABELS)
    assert values.min() <= filled.min() and filled.max() <= values.max()


def test_a_phase_without_measurement_takes_what_is_near():
    positions = np.array([[0, 0], [20, 25]])
    filled = inpaint(SHAPE, positions, np.array([[4.0], [8.0]]), LABELS)
    assert np.isfinite(filled).all()
    assert filled[5, 5, 0] == pytest.approx(4.0, abs=2.0)  # label 3: none measured


def test_a_smooth_map_is_followed():
    """A ramp of 1 over 31 columns, every fifth pixel: off by a pixel or two of it."""
    ramp = np.broadcast_to(np.linspace(0, 1, SHAPE[1]), SHAPE)
    positions = some_positions(LABELS.size // 5, seed=4)
    one_phase = np.ones(SHAPE, int)
    filled = inpaint(SHAPE, positions, ramp[tuple(positions.T)][:, None], one_phase)
    assert np.sqrt(np.mean((filled[..., 0] - ramp) ** 2)) < 1.5 / 31


def test_missing_values_are_left_out():
    positions = some_positions(80)
    values = np.full((80, 1), 2.0)
    values[::3] = np.nan
    assert (inpaint(SHAPE, positions, values, LABELS) == 2.0).all()


@pytest.mark.parametrize(
    ("positions", "values", "labels", "name"),
    [
        (np.zeros((0, 2), int), np.zeros((0, 1)), LABELS, "positions"),
        (np.zeros((3, 3), int), np.zeros((3, 1)), LABELS, "positions"),
        (np.zeros((3, 2), int), np.zeros((2, 1)), LABELS, "values"),
        (np.zeros((3, 2), int), np.zeros((3, 1)), LABELS[:-1], "labels"),
    ],
)
def test_shapes_that_do_not_fit(positions, values, labels, name):
    with pytest.raises(ValueError, match=f"`{name}` has the shape"):
        inpaint(SHAPE, positions, values, labels)
