# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd by chance as often as it says, and odd where something is new."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.classification.network_departures import departures_of
from hspy_ml.classification.network_oddness import OddnessTest, fit_oddness_test
from hspy_ml.classification.network_scatter import _as_normal, _equal_groups
from hspy_ml.classification.network_stream import SpectrumBank

N_BINS = 150


def shape(*centres):
    place = np.arange(N_BINS)
    peaks = sum(np.exp(-0.5 * ((place - c) / 2.5) ** 2) for c in centres)
    spectrum = 0.02 + peaks
    return spectrum / spectrum.sum()


SHAPES = np.array([shape(30, 80), shape(34, 110)])


def bank(scatter=0.03, seed=0):
    """Two phases, the peaks of which vary independently in height."""
    rng = np.random.default_rng(seed)
    place = np.arange(N_BINS)
    factors = 1 + scatter * rng.standard_normal((2, 400, 2))
    factor = np.where(place < 60, factors[..., :1], factors[..., 1:])
    spectra = SHAPES[:, None] * factor
    return SpectrumBank((spectra / spectra.sum(2, keepdims=True)).astype(np.float32))


@cache
def fitted(with_alternative=True):
    alternatives = shape(55)[None] if with_alternative else np.zeros((0, N_BINS))
    rng = np.random.default_rng(5)
    return fit_oddness_test(bank(), bank(seed=1), alternatives, rng)


def oddness(expected, counts, n=2000, seed=3, test=None):
    rng = np.random.default_rng(seed)
    spectra = rng.poisson(np.broadcast_to(expected, (n, N_BINS)) * counts)
    phases = np.zeros(n, int)
    return (test or fitted()).oddness(spectra.astype(np.float32), phases)


@pytest.mark.parametrize("counts", [20, 300, 4000, 60000])
def test_it_is_the_logarithm_of_a_probability(counts):
    variants = bank(seed=9).spectra[0]
    expected = variants[np.random.default_rng(2).integers(400, size=4000)]
    found = oddness(expected, counts, 4000)
    for level in (0.5, 0.05, 0.005):
        share = np.mean(found > -np.log10(level))
        # 4000 spectra, and as many as 1500 in the calibration
        assert share == pytest.approx(level, abs=4 * np.sqrt(level / 1000))


def test_scatter_that_is_usual_is_not_odd_and_twice_as_much_elsewhere_is():
    place = np.arange(N_BINS)
    usual = SHAPES[0] * np.where(place < 60, 1.04, 0.96)
    new = SHAPES[0] * np.where(np.abs(place - 30) < 2.5, 1.2, 1.0)
    assert np.mean(oddness(usual / usual.sum(), 20000) > 3) < 0.02
    assert np.mean(oddness(new / new.sum(), 20000) > 3) > 0.9


def test_a_named_alternative_is_found_at_fewer_counts():
    mixed = 0.75 * SHAPES[0] + 0.25 * shape(55)
    named = np.median(oddness(mixed, 100))
    unnamed = np.median(oddness(mixed, 100, test=fitted(False)))
    assert named > unnamed
    assert np.median(oddness(mixed, 1000, test=fitted(False))) > 3


def test_where_nothing_was_counted_nothing_is_said():
    found = fitted().oddness(np.zeros((3, N_BINS), np.float32), np.zeros(3, int))
    assert np.isnan(found).all()


def test_it_comes_back_from_arrays():
    weights = fitted().to_weights()
    again = OddnessTest.from_weights(weights)
    first, second = (oddness(SHAPES[1], 50, test=t) for t in (fitted(), again))
    np.testing.assert_array_equal(first, second)
    for name in ("oddness.axes", "oddness.group", "oddness.tail", "oddness.skewness"):
        wrong = {**weights, name: weights[name][:, :1]}
        with pytest.raises(ValueError, match="oddness"):
            OddnessTest.from_weights(wrong)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.floats(1e-6, 1), min_size=2, max_size=60),
    n_groups=st.integers(1, 60),
)
def test_groups_are_in_order_and_none_is_empty(counts, n_groups):
    n_groups = min(n_groups, len(counts))
    group = _equal_groups(np.array(counts), n_groups)
    assert group[0] == 0
    assert group[-1] == n_groups - 1
    assert np.isin(np.diff(group), (0, 1)).all()


def test_groups_have_about_equal_counts():
    group = _equal_groups(SHAPES[0], 10)
    shares = np.bincount(group, SHAPES[0])
    assert np.abs(shares - 0.1).max() < SHAPES[0].max()


def test_poisson_scores_become_normal():
    rng = np.random.default_rng(0)
    mean = 6.0
    scores = (rng.poisson(mean, 200000) - mean) / np.sqrt(mean)
    found = _as_normal(scores, np.array(1 / mean))
    # 0.135 % of a normal variable are above three; of the raw scores 0.9 %
    assert np.mean(scores > 3) > 0.002
    assert np.mean(found > 3) == pytest.approx(0.00135, abs=0.001)
    assert (found >= 0).all()


def test_departures_are_spectra():
    found = departures_of(SHAPES, shape(55)[None])
    assert found.shape[0] == 2
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=2), 1)
    assert np.abs(found - SHAPES[:, None]).sum(axis=2).min() > 1e-3
