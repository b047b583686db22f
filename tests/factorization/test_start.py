# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts: white noise, the largest simplex, and purer than the purest pixel."""

import numpy as np
import pytest
import scenes
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.counts import DenseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.start import (
    candidate_starts,
    corner_shares,
    fit_column_shares,
    grain_shares,
    largest_simplex,
    phase_shares,
    project,
    purified,
    whiten,
)


def _response():
    matrix = scenes.g_matrix().matrix
    return matrix / matrix.sum(axis=0)


def test_column_shares_of_a_noiseless_spectrum():
    shares = np.array([0.3, 0.1, 0.25, 0.05, 0.2, 0.1])
    found = fit_column_shares(1e5 * _response() @ shares, _response(), 3000)
    np.testing.assert_allclose(found, shares, atol=1e-4)


def test_noise_is_white_after_whitening():
    # Repeated draws of one spectrum: coordinates times sqrt(counts) must have unit
    # variance in all directions. 4000 draws leave 2.2 % on each variance.
    rng = np.random.default_rng(0)
    mean = 400 * _response() @ np.array([0.3, 0.1, 0.25, 0.05, 0.2, 0.1])
    counts = counts_from_array(rng.poisson(mean, (4000, mean.size)))
    pixels = whiten(counts, _response())
    scaled = pixels.coordinates * np.sqrt(400)
    covariance = np.cov(scaled.T)
    # One direction, the total, is fixed by the division: its variance is zero.
    variances = np.linalg.eigvalsh(covariance)
    np.testing.assert_allclose(variances[1:], 1.0, atol=0.15)
    assert variances[0] < 0.02


def test_projection_of_sparse_and_dense_counts_agrees():
    rng = np.random.default_rng(1)
    data = rng.poisson(0.1, (37, 131))
    weights = rng.normal(size=(131, 4))
    sparse = project(counts_from_array(data), weights)
    np.testing.assert_allclose(sparse, project(DenseCounts(data), weights))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), n_corners=st.integers(2, 5))
def test_the_corners_of_a_simplex_are_found(seed, n_corners):
    rng = np.random.default_rng(seed)
    corners = rng.normal(size=(n_corners, 6))
    mixtures = rng.dirichlet(np.ones(n_corners), 150)
    points = np.vstack([mixtures, np.eye(n_corners)]) @ corners
    found = largest_simplex(points, n_corners, rng)
    assert sorted(found) == list(range(150, 150 + n_corners))


def test_an_empty_pixel_is_no_corner():
    rng = np.random.default_rng(2)
    scene = scenes.draw(scenes.grains_side_by_side((13, 16), rng), (13, 16), 3000, rng)
    thickness = np.ones(13 * 16)
    thickness[::7] = 1e-3
    holes = scenes.draw(scene.abundances, (13, 16), 3000, rng, thickness)
    pixels = whiten(holes.image.counts, _response())
    shares = corner_shares(pixels, 3, np.random.default_rng(0))
    amounts = shares / scene.g_matrix.matrix.sum(axis=0)[:, None]
    found = amounts[:-1] / amounts[:-1].sum(axis=0)
    order = scenes.best_order(found, scene.composition)
    # A pixel of 3000 counts tells its composition to a few percent.
    assert np.abs(found[:, order] - scene.composition).max() < 0.08


def test_purification_stops_where_an_element_runs_out():
    pure = np.array([[0.7, 0.1], [0.3, 0.0], [0.0, 0.9]])
    mixed = np.column_stack([pure[:, 0], 0.5 * pure[:, 0] + 0.5 * pure[:, 1]])
    found = purified(mixed, mixed.mean(axis=1), [(1, 0)])
    # 95 % of what could be taken out is taken out.
    assert found[1, 1] == pytest.approx(0.05 * 0.15 / (1 - 0.95 * 0.5), rel=0.02)
    np.testing.assert_allclose(found.sum(axis=0), 1.0)
    np.testing.assert_array_equal(found[:, 0], mixed[:, 0])


def test_candidates_are_positive_shares_and_leave_the_input_alone():
    shares = np.random.default_rng(3).dirichlet(np.ones(6), 3).T
    before = shares.copy()
    candidates = candidate_starts(shares, shares.mean(axis=1))
    assert len(candidates) == 5
    for candidate in candidates:
        assert (candidate > 0).all()
        np.testing.assert_allclose(candidate.sum(axis=0), 1.0)
    np.testing.assert_array_equal(shares, before)


def _halves(counts, rng):
    """One phase in 150 pixels, another that shares all elements in 90."""
    maps = np.repeat(np.eye(2), [150, 90], axis=0)
    return scenes.draw(maps, (12, 20), counts, rng, amounts=scenes.SIMILAR)


def test_the_mean_of_a_grain_is_purer_than_its_purest_pixel():
    rng = np.random.default_rng(4)
    scene = _halves(300, rng)
    pixels = whiten(scene.image.counts, _response())
    corners = corner_shares(pixels, 2, rng)
    truth = scene.weights * scene.g_matrix.matrix.sum(axis=0)[:, None]
    truth /= truth.sum(axis=0)
    grains = grain_shares(pixels, corners)
    np.testing.assert_allclose(grains.sum(axis=0), 1.0)
    errors = [
        np.abs(found[:, scenes.best_order(found, truth)] - truth).max()
        for found in (grains, corners)
    ]
    assert errors[0] < 0.02 < errors[1]


def test_a_cluster_that_no_pixel_is_in_stays():
    rng = np.random.default_rng(5)
    pixels = whiten(_halves(300, rng).image.counts, _response())
    corners = np.full((6, 3), 0.1)
    corners[[0, 1, 4], [0, 1, 2]] = 0.5
    assert np.isfinite(grain_shares(pixels, corners)).all()


def test_least_squares_finds_the_shares_of_known_phases():
    rng = np.random.default_rng(6)
    abundances = rng.dirichlet([0.5, 0.5], 240)
    scene = scenes.draw(abundances, (12, 20), 1e5, rng, amounts=scenes.SIMILAR)
    truth = scene.weights * scene.g_matrix.matrix.sum(axis=0)[:, None]
    pixels = whiten(scene.image.counts, _response())
    found = phase_shares(pixels, truth / truth.sum(axis=0))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found > 0).all()
    # The phases differ by a few percent in each channel: a hundred thousand counts
    # tell their shares to about 0.01.
    assert np.sqrt(((found - abundances) ** 2).mean()) < 0.02
