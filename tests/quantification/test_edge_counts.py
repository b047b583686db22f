# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts in edges, without the background below them."""

import numpy as np
import pytest

from hspy_ml.counts import DenseCounts
from hspy_ml.physics.gmatrix import GMatrix
from hspy_ml.quantification.edge_counts import edge_counts

N_CHANNELS = 150


@pytest.fixture(scope="module")
def response():
    """Two edges on a falling background."""
    energy = np.arange(400.0, 400.0 + N_CHANNELS)
    edges = [
        np.where(energy > onset, (energy / onset) ** -4, 0) for onset in (440, 500)
    ]
    matrix = np.column_stack([1e-9 * edges[0], 3e-9 * edges[1], (energy / 400) ** -3])
    return GMatrix.from_array(
        matrix, ["O K", "Fe L", "background"], ["O", "Fe", None], concentration="atomic"
    )


def counts_of(response, weights, seed=0, n_pixels=400):
    mean = response.matrix @ weights
    rng = np.random.default_rng(seed)
    return DenseCounts(rng.poisson(np.tile(mean, (n_pixels, 1))))


WEIGHTS = np.array([40e9, 20e9, 500.0])


def test_they_scatter_as_counts_do(response):
    edges = edge_counts(counts_of(response, WEIGHTS), response)
    assert (edges.gain > 1.5).all()
    variance, mean = edges.values.var(axis=0), edges.values.mean(axis=0)
    assert variance / mean == pytest.approx(1.0, rel=0.25)


def test_their_response_gives_the_amounts(response):
    edges = edge_counts(counts_of(response, WEIGHTS), response)
    assert edges.response.names == ("O K", "Fe L")
    assert edges.response.concentration == "atomic"
    found = edges.values.mean(axis=0) / edges.response.matrix.diagonal()
    np.testing.assert_allclose(found, WEIGHTS[:2], rtol=0.02)


def test_whole_numbers_stay_whole_and_others_do_not(response):
    counts = counts_of(response, WEIGHTS)
    whole = edge_counts(counts, response).values
    assert (whole == np.rint(whole)).all()
    others = edge_counts(DenseCounts(counts.values / 3.7), response).values
    assert (others != np.rint(others)).any()


def test_edges_that_are_not_there_have_none(response):
    edges = edge_counts(counts_of(response, WEIGHTS * [1, 0, 1]), response)
    assert edges.values[:, 1].mean() < 1.0
    assert edges.values[:, 0].mean() > 10


def test_a_spectrum_has_the_same_counts_in_its_edges(response):
    edges = edge_counts(counts_of(response, WEIGHTS), response)
    known = edges.of_spectrum(response.matrix @ WEIGHTS, response)
    np.testing.assert_allclose(known, edges.values.mean(axis=0), rtol=0.02)


def test_phases_get_the_background_of_their_pixels(response):
    of_one, of_other = WEIGHTS, np.array([10e9, 60e9, 900.0])
    values = [counts_of(response, w, n_pixels=30).values for w in (of_one, of_other)]
    edges = edge_counts(DenseCounts(np.vstack(values)), response)
    loadings = np.repeat(np.eye(2), 30, axis=0)
    found = edges.with_background(np.column_stack([of_one, of_other])[:2], loadings)
    np.testing.assert_allclose(found[:2], np.column_stack([of_one, of_other])[:2])
    np.testing.assert_allclose(found[2], [500, 900], rtol=0.02)
