# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores: what is perfect, what is known by arithmetic, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.deconvolution.peaks import match_peaks
from hspy_ml.deconvolution.scores import interval_coverage, loss_region, score

ZERO, FWHM = 100.0, 12.0
CHANNELS = np.arange(600)


def bell(centre, fwhm, area):
    sigma = fwhm / np.sqrt(8 * np.log(2))
    height = area / (sigma * np.sqrt(2 * np.pi))
    return height * np.exp(-0.5 * ((CHANNELS - centre) / sigma) ** 2)


@pytest.fixture
def truth():
    zero = bell(ZERO, 4, 1e6)
    return np.array([zero + bell(200, 10, 1e4) + bell(300, 20, 5e3)] * 2)


def test_the_truth_itself(truth):
    found = score(truth, truth, FWHM, ZERO).summary()
    assert found["nmse"] == found["area_error"] == found["false_peaks"] == 0
    assert found["f1"] == found["precision"] == found["recall"] == 1
    assert found["width_ratio"] == found["total_variation"] == 1
    assert found["angle"] == pytest.approx(0, abs=1e-6)
    assert found["zero_loss_width"] == pytest.approx(4, abs=0.1)
    assert found["negative"] == 0


@given(st.floats(0.2, 5))
def test_a_common_factor(factor):
    zero = bell(ZERO, 4, 1e6)
    truth = (zero + bell(200, 10, 1e4))[None]
    found = score(factor * truth, truth, FWHM, ZERO)
    assert found.nmse[0] == pytest.approx((factor - 1) ** 2, abs=1e-9)
    assert found.angle[0] == pytest.approx(0, abs=1e-6)
    assert found.total_variation[0] == pytest.approx(factor)
    assert found.area_error == pytest.approx(abs(factor - 1), abs=1e-9)


def test_the_zero_loss_peak_is_not_judged(truth):
    estimate = truth.copy()
    estimate[:, : loss_region(FWHM, ZERO)] *= 1.5
    found = score(estimate, truth, FWHM, ZERO)
    assert found.nmse == pytest.approx([0, 0])
    assert found.f1 == 1


def test_one_peak_missing_and_one_invented(truth):
    estimate = truth.copy()
    estimate[0] += bell(400, 10, 4e3) - bell(300, 20, 5e3)
    found = score(estimate, truth, FWHM, ZERO)
    # 4 true peaks, 4 found, 3 in both
    assert found.recall == pytest.approx(3 / 4)
    assert found.precision == pytest.approx(3 / 4)
    assert found.f1 == pytest.approx(3 / 4)
    assert found.false_peaks == pytest.approx(1 / 2)


def test_a_ripple_below_the_prominence_is_no_peak(truth):
    highest = truth[0, 150:].max()
    small, large = (bell(450, 6, 1) for _ in range(2))
    small *= 0.015 * highest / small.max()
    large *= 0.025 * highest / large.max()
    assert score(truth + small, truth, FWHM, ZERO).false_peaks == 0
    assert score(truth + large, truth, FWHM, ZERO).false_peaks == 1


@pytest.mark.parametrize(("moved", "matched"), [(4, 1), (6, 0)])
def test_peaks_match_within_half_a_width(moved, matched):
    truth, estimate = bell(200, 10, 1e4), bell(200 + moved, 10, 1e4)
    peaks = match_peaks(estimate, truth, 120, 1.0)
    assert peaks.n_matched == matched
    assert peaks.n_false == 1 - matched
    assert np.array_equal(peaks.position_error, [moved] * matched)


def test_two_peaks_in_place_of_one_count_once():
    truth = bell(200, 20, 1e4)
    estimate = bell(195, 4, 5e3) + bell(206, 4, 5e3)
    peaks = match_peaks(estimate, truth, 120, 1.0)
    assert (peaks.n_truth, peaks.n_found, peaks.n_matched) == (1, 2, 1)
    assert peaks.position_error[0] == -5  # the nearer one


def test_widths_and_areas():
    truth, estimate = bell(200, 10, 1e4), bell(200, 15, 1.1e4)
    peaks = match_peaks(estimate, truth, 120, 1.0)
    assert peaks.width_ratio[0] == pytest.approx(1.5, rel=0.01)
    # within +- 10.5 channels a Gaussian of 10 (15) channels has 98.7 (90.1) %
    assert peaks.area_error[0] == pytest.approx(1.1 * 0.901 / 0.987 - 1, abs=0.005)


def test_a_vacuum(truth):
    vacuum = np.tile(bell(ZERO, 4, 1e6), (2, 1))
    found = score(vacuum + bell(300, 20, 500), vacuum, 20.0, ZERO)
    assert np.isnan(found.nmse).all()
    assert found.excess == pytest.approx([5e-4, 5e-4], rel=1e-3)
    assert found.false_peaks == 1
    clean = score(vacuum, vacuum, 20.0, ZERO)
    assert clean.false_peaks == 0
    assert np.isnan(clean.f1)


def test_channels_that_are_not_numbers_count_as_empty(truth):
    estimate = truth.copy()
    estimate[:, 300] = np.nan
    empty = truth.copy()
    empty[:, 300] = 0
    found, same = (score(e, truth, FWHM, ZERO) for e in (estimate, empty))
    assert np.array_equal(found.nmse, same.nmse)
    assert (found.nmse > 0).all()


def test_negative_channels_and_no_zero_loss(truth):
    found = score(-truth, truth, FWHM, ZERO)
    assert found.negative == pytest.approx(np.mean(truth > 0, axis=1))
    assert np.isnan(found.zero_loss_width).all()
    assert found.nmse == pytest.approx([4, 4])  # (-1 - 1)^2
    assert found.recall == 0


def test_nothing_found(truth):
    found = score(np.zeros_like(truth), truth, FWHM, ZERO)
    assert found.recall == found.f1 == found.false_peaks == 0
    assert np.isnan(found.precision)
    assert found.nmse == pytest.approx([1, 1])


def test_each_spectrum_has_its_own_region(truth):
    estimate = truth + bell(110, 2, 1e4)
    found = score(estimate, truth, np.array([18.0, 60.0]), ZERO)
    assert found.nmse[0] > 0.1
    assert found.nmse[1] == pytest.approx(0, abs=1e-12)


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = np.zeros((3, 4000))
    estimates = rng.normal(0, 2, truth.shape)
    errors = np.full(truth.shape, 2.0)
    # sqrt(0.68 * 0.32 / 4000) = 0.007
    assert interval_coverage(estimates, errors, truth, 1.0) == pytest.approx(
        np.full(3, 0.683), abs=0.03
    )
    assert interval_coverage(estimates, errors, truth, 1.96) == pytest.approx(
        np.full(3, 0.95), abs=0.015
    )


def test_shapes_must_agree(truth):
    with pytest.raises(ValueError, match="`estimates`"):
        score(truth[:1], truth, FWHM, ZERO)
    with pytest.raises(ValueError, match="`estimates`"):
        score(truth[0], truth[0], FWHM, ZERO)
