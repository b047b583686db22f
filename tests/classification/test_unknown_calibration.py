# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from toy_phases import N_CHANNELS, NAMES, classifier, counted, shapes, spots

from hspy_ml.classification.references import references_from_expected
from hspy_ml.classification.unknown import UnknownTest
from hspy_ml.classification.unknown_calibration import Calibration, calibrate


def small_test():
    references = references_from_expected(NAMES[:2], shapes()[:2])
    return UnknownTest(references, np.zeros((0, N_CHANNELS)))


def test_calibration_repeats_exactly():
    one, two = (calibrate(small_test(), 7, n_spots=60) for _ in range(2))
    for name in Calibration.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_oddness_is_the_logarithm_of_a_probability():
    """A table made by hand: the statistic itself is exponentially distributed."""
    levels = np.array([0.9, 0.5, 0.3, 0.2, 0.1])
    quantiles = np.broadcast_to(-np.log(levels), (1, 11, 5))
    calibration = Calibration(
        np.zeros((1, 11, 2)), np.ones((1, 11, 2)), quantiles, np.ones((1, 11))
    )
    statistic = np.array([0.5, 1.0, 3.0, 8.0])
    both = np.column_stack([statistic, np.zeros(4)])
    found = calibration.oddness(both, np.full(4, 77.0), np.zeros(4, int))
    np.testing.assert_allclose(found, statistic / np.log(10), rtol=1e-5)


def test_nothing_is_judged_without_counts_or_phase():
    calibration = classifier().calibration
    found = calibration.oddness(
        np.ones((2, 2)), np.array([0.0, 5.0]), np.array([0, -1])
    )
    assert np.isnan(found).all()


@pytest.mark.parametrize("dose", [2.0, 60, 900, 5000, 3e4])
def test_false_alarms_on_spots_that_were_not_used(dose):
    """At every dose, also between and beyond those that were simulated."""
    rng = np.random.default_rng(11)
    expected, labels = spots(700, rng)
    counts = counted(expected, dose, rng)
    oddness = classifier().classify(counts).oddness
    for level in (0.1, 0.01, 0.001):
        alarms = np.mean(oddness > -np.log10(level))
        # The tables know a level to a fifth, spots are 2100; scatter is taken with
        # caution, so that there may be fewer.
        assert alarms < 1.6 * level + 3 * np.sqrt(level / 2100)
    assert np.mean(oddness > 1) > 0.01


def test_false_alarms_are_few_with_one_training_spectrum():
    rng = np.random.default_rng(12)
    expected, _ = spots(300, rng)
    for n_each in (1, 3):
        for dose in (100, 5000):
            found = classifier(n_each).classify(counted(expected, dose, rng))
            assert np.mean(~found.is_known) < 0.01
