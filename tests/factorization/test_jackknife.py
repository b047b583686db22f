# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaving counts out: every count once, and less bias afterwards."""

import numpy as np
import pytest

from hspy_ml.counts import DenseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.jackknife import without_bias, without_folds
from hspy_ml.factorization.multiscale import BinnedImage, PhaseSpectra
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalFit,
    VariationalProblem,
    fit,
)

COLUMNS = np.array([[0.55, 0.1], [0.3, 0.2], [0.1, 0.3], [0.05, 0.4]])


def phases_of(counts, model):
    image = BinnedImage(counts, np.arange(counts.n_pixels))
    return PhaseSpectra(
        model.column_shares, image, VariationalFit(model, [0.0], 1, True), 1
    )


def few_counts(generator, response):
    """Pixels of 60 counts that mix two phases, and phases that fit them."""
    shares = generator.dirichlet([0.3, 0.3], 800)
    counts = DenseCounts(generator.poisson(60 * shares @ (response @ COLUMNS).T))
    start = SharesModel(COLUMNS, 0.1 + 60 * shares, np.full(2, 0.1))
    problem = VariationalProblem(counts, response, np.zeros(2, dtype=bool))
    model = fit(problem, start, max_iterations=500, tolerance=1e-7).model
    return phases_of(counts, model)


@pytest.fixture
def response():
    channel, centre = np.arange(19)[:, None], np.array([3, 7, 11, 15])
    peaks = np.exp(-((channel - centre) ** 2) / (2 * 2.0**2))
    return peaks / peaks.sum(axis=0)


@pytest.mark.parametrize("mean", [0.05, 3.0])
def test_each_count_is_left_out_once(mean):
    data = np.random.default_rng(0).poisson(mean, (37, 53)).astype(np.uint16)
    counts = counts_from_array(data)
    parts = list(without_folds(counts, 4, 1))
    assert all(part.values.dtype == counts.values.dtype for part in parts)
    total = sum(part.pixel_totals for part in parts)
    np.testing.assert_array_equal(total, 3 * counts.pixel_totals)
    total = sum(part.channel_totals for part in parts)
    np.testing.assert_array_equal(total, 3 * counts.channel_totals)


def test_bias_of_few_counts_shrinks(response):
    generator = np.random.default_rng(2)
    before, after = [], []
    for seed in range(8):
        phases = few_counts(generator, response)
        corrected = without_bias(phases, response, random_state=seed)
        before.append(phases.column_shares - COLUMNS)
        after.append(corrected.column_shares - COLUMNS)
    bias_before, bias_after = np.mean(before, axis=0), np.mean(after, axis=0)
    assert np.abs(bias_after).sum() < 0.7 * np.abs(bias_before).sum()


def test_corrected_spectra_are_shares_and_repeat(response):
    phases = few_counts(np.random.default_rng(3), response)
    once = without_bias(phases, response, random_state=5).column_shares
    again = without_bias(phases, response, random_state=5).column_shares
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once.sum(axis=0), 1.0)
    assert (once >= 0).all()


def test_interrupted_phases_are_given_back(response):
    phases = few_counts(np.random.default_rng(4), response)

    def interrupted_at_once(passes):
        raise KeyboardInterrupt

    corrected = without_bias(phases, response, progress=interrupted_at_once)
    assert corrected.column_shares is phases.column_shares
    assert corrected.fit.interrupted


def test_known_phases_stay(response):
    phases = few_counts(np.random.default_rng(4), response)
    corrected = without_bias(phases, response, n_fixed=1, random_state=0)
    np.testing.assert_allclose(
        corrected.column_shares[:, 0], phases.column_shares[:, 0], rtol=1e-12
    )
    assert (corrected.column_shares[:, 1] != phases.column_shares[:, 1]).any()
