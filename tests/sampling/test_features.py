# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconstruction and features, against their formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.sampling.choice import Chooser
from hspy_ml.sampling.features import FEATURES, paper_reach, products
from hspy_ml.sampling.regressor import Regressor
from hspy_ml.sampling.training import features_of

RULE = Regressor.from_rule()


def measured(shape, share, n_phases, seed):
    """Random labels at random pixels, one of them at least."""
    rng = np.random.default_rng(seed)
    labels = np.where(
        rng.random(shape) < share, rng.integers(1, n_phases + 1, shape), 0
    )
    labels.flat[rng.integers(labels.size)] = 1
    return labels.astype(np.int16)


def of_pixel(labels, place, n_neighbours=10):
    """Squared distances and labels of the nearest measurements, weights, votes."""
    points = np.argwhere(labels > 0)
    offsets = points - place
    squares = (offsets**2).sum(axis=1)
    order = np.lexsort((offsets[:, 1], offsets[:, 0], squares))[:n_neighbours]
    nearest = labels[tuple(points[order].T)]
    weights = 1 / squares[order]
    votes = np.bincount(nearest, weights) / weights.sum()
    return squares[order], nearest, weights / weights.sum(), votes


@given(
    shape=st.tuples(st.integers(2, 12), st.integers(2, 12)),
    share=st.sampled_from([0.02, 0.1, 0.3]),
    seed=st.integers(0, 999),
)
@settings(max_examples=60, deadline=None)
def test_features_are_those_of_the_formulas(shape, share, seed):
    labels = measured(shape, share, 3, seed)
    chooser = Chooser(labels, labels == 0, RULE)
    image, open_pixels = chooser.maps.image, np.argwhere(labels == 0)
    if not len(open_pixels):
        return
    places = np.flatnonzero(labels == 0)
    found = dict(zip(FEATURES, features_of(chooser, places).T, strict=True))
    reach = paper_reach(labels.size)
    for k, (row, column) in enumerate(open_pixels):
        squares, nearest, weights, votes = of_pixel(labels, (row, column))
        best = image[row, column]
        assert votes[best] == pytest.approx(votes.max())
        other = nearest != best
        n_within = (squares <= reach**2).sum()
        positive = votes[votes > 0]
        expected = {
            "disagreement": weights[other].sum(),
            "root_of_disagreeing_share": np.sqrt(other.mean()),
            "distance": np.sqrt(squares[0]),
            "sparsity": (1 + np.pi * reach**2) / (1 + n_within),
            "lead": np.diff(np.sort(np.append(votes, 0))[-2:])[0],
            "entropy": -(positive * np.log(positive)).sum(),
            "n_labels": len(positive),
            "log_distance_same": 0.5 * np.log(squares[~other].min()),
        }
        for name, value in expected.items():
            assert found[name][k] == pytest.approx(value, abs=2e-5), name
        left, right = image[row, max(column - 1, 0)], image[row, column + 1 :][:1]
        assert found["change_in_x"][k] == (left != (right[0] if right.size else best))


def test_a_plane_knows_on_which_side_of_a_straight_boundary_a_pixel_lies():
    """Measured at the corners of squares, left of column 10 one label, right another:
    the height is one far from the boundary and a half midway between the labels."""
    labels = np.zeros((20, 20), np.int16)
    labels[::4, ::4] = np.where(np.arange(0, 20, 4) < 10, 1, 2)
    chooser = Chooser(labels, labels == 0, RULE)
    places = 10 * 20 + np.array([1, 10])
    height = features_of(chooser, places)[:, FEATURES.index("plane_height")]
    assert height[0] > 0.95
    assert height[1] == pytest.approx(0.5, abs=0.1)


def test_missing_pixels_are_no_measurements():
    """An ill pixel is closed, and changes no feature of the others."""
    labels = measured((15, 15), 0.1, 2, 0)
    is_open = labels == 0
    places = np.flatnonzero(is_open)[5:]
    before = features_of(Chooser(labels, is_open, RULE), places)
    closed = is_open.copy()
    closed.flat[np.flatnonzero(is_open)[:5]] = False
    after = features_of(Chooser(labels, closed, RULE), places)
    np.testing.assert_array_equal(before, after)


def test_products_of_labels_have_two_pairs_that_repeat():
    """A change is 0 or 1, so its square is itself."""
    rng = np.random.default_rng(0)
    paper = np.hstack([rng.random((50, 4)), rng.integers(0, 2, (50, 2))])
    terms = products(paper)
    assert terms.shape == (50, 28)
    assert np.linalg.matrix_rank(terms) == 26
    np.testing.assert_allclose(terms[:, 7], paper[:, 0] ** 2)
    np.testing.assert_allclose(terms[:, 8], paper[:, 0] * paper[:, 1])


def test_reach_of_a_quarter_of_a_percent():
    assert paper_reach(128 * 128) == 4
    assert paper_reach(1024 * 1024) == 29
