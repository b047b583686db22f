# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from toy_phases import NAMES, counted, shapes, spots

from hspy_ml.classification.count_sums import own_groups, own_sums, weighted_sums
from hspy_ml.classification.likelihood import (
    checked_shares,
    log_likelihoods,
    overdispersion,
    probabilities,
)
from hspy_ml.classification.references import (
    references_from_expected,
    references_from_spectra,
)
from hspy_ml.classification.scores import expected_calibration_error
from hspy_ml.counts import DenseCounts, SparseCounts, channel_type

few_counts = hnp.arrays(
    np.uint8, st.tuples(st.integers(1, 6), st.just(9)), elements=st.integers(0, 5)
)


def sparse(array):
    offsets = np.concatenate([[0], np.cumsum((array > 0).sum(axis=1))])
    channels = np.nonzero(array)[1].astype(channel_type(array.shape[1]))
    return SparseCounts(offsets, channels, array[array > 0], array.shape[1])


@settings(max_examples=40, deadline=None)
@given(few_counts, st.integers(0, 2**31))
def test_sums_of_sparse_and_dense_counts_are_matrix_products(array, seed):
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((4, 9))
    for counts in (sparse(array), DenseCounts(array), DenseCounts(array * 1.0)):
        np.testing.assert_allclose(
            weighted_sums(counts, weights), array @ weights.T, atol=1e-12
        )


@settings(max_examples=40, deadline=None)
@given(few_counts, st.integers(0, 2**31))
def test_sums_by_phase_use_the_weights_of_the_phase(array, seed):
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((3, 9, 5)).astype(np.float32)
    group = rng.integers(0, 4, (3, 9))
    which = rng.integers(-1, 3, len(array))
    expected = np.zeros((len(array), 5))
    grouped = np.zeros((len(array), 4))
    for p, k in enumerate(which):
        if k >= 0:
            expected[p] = array[p] @ weights[k]
            grouped[p] = np.bincount(group[k], array[p], 4)
    for counts in (sparse(array), DenseCounts(array)):
        found = own_sums(counts, weights, which)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        np.testing.assert_allclose(own_groups(counts, group, 4, which), grouped)


def test_likelihood_is_the_multinomial_one():
    from scipy.stats import multinomial

    rng = np.random.default_rng(0)
    y = rng.poisson(80 * shapes())
    found = log_likelihoods(DenseCounts(y), shapes())
    exact = [[multinomial.logpmf(x, x.sum(), q) for q in shapes()] for x in y]
    differences = np.diff(exact, axis=1)
    np.testing.assert_allclose(np.diff(found, axis=1), differences, rtol=1e-7)


def test_probabilities_of_exact_references_are_those_of_bayes():
    rng = np.random.default_rng(1)
    counts = counted(np.repeat(shapes(), 40, axis=0), 12, rng)
    logs = log_likelihoods(counts, shapes())
    shares = np.array([0.7, 0.2, 0.1])
    found = probabilities(logs, counts.pixel_totals, np.zeros((3, 3)), shares)
    odds = shares * np.exp(logs)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_likeliest_phase_is_that_of_the_plain_likelihood():
    rng = np.random.default_rng(2)
    expected, labels = spots(30, rng)
    references = references_from_spectra(counted(expected, 3000, rng), labels, NAMES)
    ratio = overdispersion(references)
    for dose in (5, 100, 1e5):
        counts = counted(expected, dose, rng)
        logs = log_likelihoods(counts, references.shapes)
        p = probabilities(logs, counts.pixel_totals, ratio, np.full(3, 1 / 3))
        assert (p.argmax(axis=1) == logs.argmax(axis=1)).all()


@pytest.mark.parametrize("dose", [5, 20, 80])
def test_probabilities_are_as_often_right_as_they_say(dose):
    rng = np.random.default_rng(3)
    train, labels = spots(12, rng)
    references = references_from_spectra(counted(train, 5000, rng), labels, NAMES)
    expected, truth = spots(3000, rng)
    counts = counted(expected, dose, rng)
    logs = log_likelihoods(counts, references.shapes)
    p = probabilities(
        logs, counts.pixel_totals, overdispersion(references), np.full(3, 1 / 3)
    )
    # 9000 spectra; a bin's share is known to about 0.003.
    assert expected_calibration_error(p, truth) < 0.012


def test_many_counts_do_not_make_sure_of_what_scatter_can_do():
    """References that differ by half of the usual scatter, EELS-like counts."""
    q = np.exp(-np.linspace(0, 2, 400))
    wave = np.cos(np.pi * (np.cumsum(q) - q / 2) / q.sum())
    spectra = np.array([q * (1 - 0.004 * wave), q * (1 + 0.004 * wave)])
    references = references_from_expected(["a", "b"], spectra)
    y = np.round(1e7 * spectra[:1] / spectra[0].sum())
    counts = DenseCounts(y)
    logs = log_likelihoods(counts, references.shapes)
    raw = probabilities(logs, counts.pixel_totals, np.zeros((2, 2)), np.full(2, 0.5))
    assert raw[0, 0] > 0.9999
    honest = probabilities(
        logs, counts.pixel_totals, overdispersion(references), np.full(2, 0.5)
    )
    # Expectations 0.8 % apart, spots that vary by 1.5 % along the wave.
    assert 0.5 < honest[0, 0] < 0.8


def test_overdispersion_is_symmetric_and_rises_with_scatter():
    from dataclasses import replace

    references = references_from_expected(NAMES, shapes())
    ratio = overdispersion(references)
    np.testing.assert_allclose(ratio, ratio.T)
    assert (np.diag(ratio) == 0).all()
    scatter = replace(references.scatter, variances=4 * references.scatter.variances)
    wider = overdispersion(replace(references, scatter=scatter))
    off = ~np.eye(3, dtype=bool)
    assert (wider[off] > 2 * ratio[off]).all()


@pytest.mark.parametrize("shares", [[1, 2], [1, -1, 1], [0, 0, 0], [1, np.nan, 1]])
def test_shares_that_are_none(shares):
    with pytest.raises(ValueError, match="`prior_shares`"):
        checked_shares(shares, 3)
