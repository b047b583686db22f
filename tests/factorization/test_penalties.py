# SPDX-License-Identifier: GPL-3.0-or-later
"""Penalties: their graphs, values and majorisers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.factorization.penalties import PixelGraph, Smoothness, Sparsity


@st.composite
def maps(draw):
    """A graph of a map with pixels missing, and abundances on it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    size = int(np.prod(shape))
    pixels = np.flatnonzero(rng.random(size) < draw(st.sampled_from([0.6, 1.0])))
    graph = PixelGraph.of_map(shape, pixels)
    return shape, pixels, graph, rng.random((2, pixels.size, 3))


def penalties_of(graph):
    return [Smoothness(graph, 2.5), Sparsity(0.7), Sparsity(3.0, scale=1e-3)]


def majoriser(penalty, at, h):
    """The majoriser at ``h``, less its value at ``at``."""
    q = np.broadcast_to(penalty.curvature, len(h))[:, None]
    b = penalty.slope(at)
    return (q / 2 * (h**2 - at**2) + b * (h - at)).sum()


@settings(max_examples=60, deadline=None)
@given(maps())
def test_neighbours_are_pixels_at_distance_one(case):
    shape, pixels, graph, _ = case
    places = np.stack(np.unravel_index(pixels, shape), axis=1)
    expected = {
        (i, j)
        for i, j in itertools.combinations(range(len(pixels)), 2)
        if np.abs(places[i] - places[j]).sum() == 1
    }
    assert {tuple(sorted(pair)) for pair in graph.pairs.T.tolist()} == expected
    assert graph.pairs.shape[1] == len(expected)
    dense = graph.adjacency.toarray()
    np.testing.assert_array_equal(dense, dense.T)
    np.testing.assert_array_equal(dense.sum(axis=0), graph.n_neighbours)


def test_order_of_pixels_is_that_of_the_data():
    graph = PixelGraph.of_map((2, 3), np.array([5, 0, 2]))
    assert {tuple(sorted(pair)) for pair in graph.pairs.T.tolist()} == {(0, 2)}


@pytest.mark.parametrize("map_shape", [(), (1,)])
def test_single_spectrum_has_no_neighbours(map_shape):
    smoothness = Smoothness(PixelGraph.of_map(map_shape), 3.0)
    assert smoothness.value(np.ones((1, 2))) == 0
    np.testing.assert_array_equal(smoothness.slope(np.ones((1, 2))), 0)


@settings(max_examples=60, deadline=None)
@given(maps())
def test_majoriser_is_nowhere_below_the_penalty(case):
    _, _, graph, (at, h) = case
    for penalty in penalties_of(graph):
        rise = penalty.value(h) - penalty.value(at)
        assert rise <= majoriser(penalty, at, h) + 1e-10


@settings(max_examples=30, deadline=None)
@given(maps())
def test_majoriser_has_the_slope_of_the_penalty(case):
    _, _, graph, (at, direction) = case
    step = 1e-6 * (direction - 0.5)
    at = at + 0.1
    for penalty in penalties_of(graph):
        rise = penalty.value(at + step) - penalty.value(at - step)
        expected = majoriser(penalty, at, at + step) - majoriser(penalty, at, at - step)
        assert rise == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_smoothness_of_a_step():
    # Three pairs across the step of a 2 x 3 map have |h_p - h_q|^2 = 2 x 0.5^2.
    h = np.array([[0.0, 1.0]] * 3 + [[0.5, 0.5]] * 3)
    smoothness = Smoothness(PixelGraph.of_map((2, 3)), 4.0)
    assert smoothness.value(h) == pytest.approx(4.0 / 2 * 3 * 0.5)


def test_constant_maps_are_perfectly_smooth():
    smoothness = Smoothness(PixelGraph.of_map((3, 4)), 1e6)
    assert smoothness.value(np.tile([0.2, 0.8], (12, 1))) == 0


def test_sparsity_likes_pure_pixels():
    sparsity = Sparsity(1.0)
    assert sparsity.value(np.array([[1.0, 0.0]])) < sparsity.value(
        np.array([[0.5, 0.5]])
    )
    assert sparsity.value(np.zeros((4, 2))) == 0
