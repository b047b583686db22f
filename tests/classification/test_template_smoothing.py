# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from toy_phases import N_CHANNELS, PEAKS, spectrum

from hspy_ml.classification.template_smoothing import smoothed_shape


def divergence(truth, found):
    """Chi-squared of one count."""
    return ((found - truth) ** 2 / truth).sum()


@pytest.mark.parametrize("counts", [300, 3000, 100_000])
def test_nearer_to_the_truth_than_the_counts_themselves(counts):
    truth = spectrum(PEAKS["alpha"])
    ratios = []
    for seed in range(8):
        drawn = np.random.default_rng(seed).poisson(counts * truth)
        raw = drawn / drawn.sum()
        ratios.append(divergence(truth, smoothed_shape(drawn)) / divergence(truth, raw))
    assert np.mean(ratios) < 0.5


def test_many_counts_give_the_spectrum_itself():
    truth = spectrum(PEAKS["beta"])
    drawn = np.random.default_rng(0).poisson(1e8 * truth)
    # Four standard deviations above what 1e8 counts give, and the flat share of 1e-4.
    limit = (N_CHANNELS + 4 * np.sqrt(2 * N_CHANNELS)) / 1e8 + 1e-6
    assert divergence(truth, smoothed_shape(drawn)) < limit


@pytest.mark.parametrize("counts", [1, 20, 5000])
def test_no_channel_is_impossible_and_all_sum_to_one(counts):
    drawn = np.zeros(N_CHANNELS)
    drawn[37] = counts
    shape = smoothed_shape(drawn)
    assert shape.min() > 0
    assert shape.sum() == pytest.approx(1, abs=1e-12)
    assert shape.argmax() == 37


def test_counts_of_broad_parts_stay():
    truth = spectrum(PEAKS["gamma"])
    drawn = np.random.default_rng(3).poisson(20_000 * truth)
    shape = smoothed_shape(drawn)
    halves = np.array([shape[:105].sum(), drawn[:105].sum() / drawn.sum()])
    # Of the counting error of the half, a third at most.
    assert abs(np.diff(halves)[0]) < 0.33 * np.sqrt(halves[0] * (1 - halves[0]) / 2e4)


def test_counts_are_not_changed():
    drawn = np.random.default_rng(0).poisson(100 * spectrum(PEAKS["alpha"]))
    before = drawn.copy()
    smoothed_shape(drawn)
    assert (drawn == before).all()
