# SPDX-License-Identifier: GPL-3.0-or-later
"""Static patterns: different pixels inside the map, evenly spread or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from hspy_ml.sampling.patterns import PATTERNS


@given(
    name=st.sampled_from(list(PATTERNS)),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    share=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_positions_are_different_pixels_of_the_map(name, shape, share):
    n_points = int(share * shape[0] * shape[1])
    positions = PATTERNS[name](shape, n_points, 3)
    assert ((positions >= 0) & (positions < shape)).all()
    assert len(np.unique(positions, axis=0)) == len(positions)
    if name != "grid":
        assert len(positions) == n_points


@pytest.mark.parametrize("shape", [(100, 100), (60, 150)])
def test_a_grid_has_about_as_many_points_as_wanted(shape):
    for n_points in (100, 333, 1000):
        assert len(PATTERNS["grid"](shape, n_points)) == pytest.approx(
            n_points, rel=0.06
        )


def test_even_patterns_leave_smaller_gaps_than_random_ones():
    """Mean distance from a pixel to the next point, over 1/(2 sqrt(density)): that is
    1 at random, and 0.77 for a square grid."""
    shape, n_points = (200, 200), 400
    pixels = np.indices(shape).reshape(2, -1).T
    gap = {
        name: cKDTree(draw(shape, n_points, 0)).query(pixels)[0].mean() / 5
        for name, draw in PATTERNS.items()
    }
    assert gap["random"] == pytest.approx(1.0, abs=0.08)
    assert gap["grid"] == pytest.approx(0.77, abs=0.03)
    assert gap["low-discrepancy"] < 0.85


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_repeat_and_refuse_too_many(name):
    first, again = (PATTERNS[name]((30, 20), 50, 7) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    with pytest.raises(ValueError, match="`n_points`"):
        PATTERNS[name]((3, 4), 13)
