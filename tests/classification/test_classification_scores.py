# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from hspy_ml.classification.scores import (
    confusion_matrix,
    expected_calibration_error,
    mean_spectra,
    roc_area,
)
from hspy_ml.counts import DenseCounts


def test_confusion_has_truth_in_rows():
    found = confusion_matrix(np.array([[0, 1], [2, 2]]), np.array([[0, 2], [2, 1]]), 2)
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]


def test_confusion_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="shape"):
        confusion_matrix(np.ones(3), np.ones(4), 1)
    with pytest.raises(ValueError, match="`labels` runs from 0 to 3"):
        confusion_matrix(np.array([0, 1]), np.array([0, 3]), 2)


def test_calibration_error_of_a_classifier_that_is_too_sure():
    p = np.tile([0.9, 0.1], (1000, 1))
    truth = np.repeat([1, 2], [700, 300])
    assert expected_calibration_error(p, truth) == pytest.approx(0.2)


def test_calibration_error_of_an_honest_one_vanishes():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 200_000)
    truth = np.where(rng.random(sure.size) < sure, 1, 2)
    found = expected_calibration_error(np.column_stack([sure, 1 - sure]), truth)
    assert found < 0.004  # sqrt(0.2 / 25000) in each of eight bins is 0.003


def test_unknown_spectra_are_not_judged():
    p = np.array([[0.8, 0.2], [0.8, 0.2]])
    assert expected_calibration_error(p, np.array([1, 0])) == pytest.approx(0.2)
    assert np.isnan(expected_calibration_error(p, np.zeros(2, int)))


def test_mean_spectra_leave_out_unlabelled_pixels():
    values = np.array([[1, 0], [3, 4], [100, 100], [2, 2]])
    found = mean_spectra(DenseCounts(values), np.array([1, 1, 0, 3]), 3)
    np.testing.assert_allclose(found[[0, 2]], [[2, 2], [2, 2]])
    assert np.isnan(found[1]).all()


def test_area_is_the_share_of_pairs_in_order():
    known, unknown = np.array([0.0, 1, 2, np.nan]), np.array([1.0, 3])
    assert roc_area(known, unknown) == pytest.approx((1.5 + 3) / 6)
    assert np.isnan(roc_area(known, np.array([np.nan])))
