# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts that compete: shares first, then spectra, and the best bound wins."""

import numpy as np
import pytest
import scenes

from hspy_ml.factorization.audition import best_start, find_shares
from hspy_ml.factorization.start import whiten
from hspy_ml.factorization.variational import VariationalProblem

PRIOR = np.full(2, 0.1)


def _response():
    matrix = scenes.g_matrix().matrix
    return matrix / matrix.sum(axis=0)


def _two_grains(counts=4000, seed=41):
    """Pixels of one phase and of another that shares all elements."""
    rng = np.random.default_rng(seed)
    maps = np.repeat(np.eye(2), [170, 130], axis=0)
    return scenes.draw(maps, (15, 20), counts, rng, amounts=scenes.SIMILAR)


def _problem(scene):
    return VariationalProblem(scene.image.counts, _response(), np.zeros(2, dtype=bool))


def _true_shares(scene):
    shares = scene.weights * scene.g_matrix.matrix.sum(axis=0)[:, None]
    return shares / shares.sum(axis=0)


def test_shares_of_similar_phases_are_found_and_spectra_stay():
    scene = _two_grains()
    truth = _true_shares(scene)
    pixels = whiten(scene.image.counts, _response())
    found = find_shares(_problem(scene), pixels, truth, PRIOR)
    np.testing.assert_array_equal(found.model.column_shares, truth)
    assert np.sqrt(((found.model.shares - scene.abundances) ** 2).mean()) < 0.08
    assert np.all(np.diff(found.bounds) >= -1e-9 * abs(found.bounds[0]))


@pytest.mark.parametrize("seed", [41, 42, 43])
def test_the_start_that_wins_is_not_made_purer_than_pure_grains(seed):
    scene = _two_grains(seed=seed)
    options = {"tolerance": 2e-4, "progress": None}
    rng = np.random.default_rng(seed)
    start = best_start(_problem(scene), PRIOR, None, rng, options)
    shares, truth = start.model.column_shares, _true_shares(scene)
    shares = shares[:, scenes.best_order(shares, truth)]
    # Half a million counts of each phase: 0.1 % in each share, and more for overlap.
    assert np.abs(shares - truth).max() < 0.006


@pytest.mark.parametrize("at", [1, 2, 9, 20])
def test_ctrl_c_ends_the_audition(at):
    scene = _two_grains()
    passes = []

    def progress(n):
        passes.append(n)
        if len(passes) == at:
            raise KeyboardInterrupt

    options = {"tolerance": 0.0, "progress": progress}
    rng = np.random.default_rng(0)
    start = best_start(_problem(scene), PRIOR, None, rng, options)
    assert start.interrupted
    assert len(passes) == at
    assert np.isfinite(start.model.column_shares).all()
