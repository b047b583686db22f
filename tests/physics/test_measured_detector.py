# SPDX-License-Identifier: GPL-3.0-or-later
"""Detectors by their efficiency curve."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition, Detector
from hspy_ml.physics.detector import efficiency, make_detector, measured_detector
from hspy_ml.physics.gmatrix import build_g_matrix

POLYMER = make_detector("polymer")


def test_curve_is_followed_and_ends_are_held():
    detector = measured_detector([0.5, 1.0, 3.0], [0.2, 0.6, 1.0])
    found = efficiency(detector, [[0.1, 0.5], [0.75, 2.0], [3.0, 9.0]])
    np.testing.assert_allclose(found, [[0.2, 0.2], [0.4, 0.8], [1.0, 1.0]])


def test_layers_are_replaced_not_multiplied():
    thin = Detector(layers=POLYMER.layers, efficiency_curve=([0.1, 20], [0.5, 0.5]))
    assert efficiency(thin, 0.3) == 0.5


def test_curve_of_a_known_detector_gives_its_g_matrix():
    energy = np.linspace(0.05, 20.5, 40001)
    measured = measured_detector(energy, lambda e: efficiency(POLYMER, e), 125.0)
    matrices = [
        build_g_matrix(
            Acquisition(np.arange(0.25, 20, 0.02), "EDS_TEM", 200.0, 30.0, detector),
            ["O", "Fe"],
        ).matrix
        for detector in (measured, make_detector("polymer", 125.0))
    ]
    np.testing.assert_allclose(*matrices, rtol=2e-3, atol=1e-12 * matrices[0].max())


def test_detectors_with_a_curve_can_be_compared():
    curve = [0.5, 1.0], [0.2, 0.6]
    assert measured_detector(*curve) == measured_detector(*map(np.array, curve))
    assert hash(measured_detector(*curve)) == hash(measured_detector(*curve))


@pytest.mark.parametrize(
    ("energy", "curve", "message"),
    [
        ([1.0, 0.5], [0.1, 0.2], "increasing"),
        ([0.0, 0.5], [0.1, 0.2], "above zero"),
        ([1.0, np.nan], [0.1, 0.2], "finite"),
        ([1.0, 2.0, 3.0], [0.1, 0.2], "as many of each"),
        ([1.0], [0.1], "two or more"),
        ([1.0, 2.0], [10, 90], "percent"),
        ([1.0, 2.0], [np.nan, 0.2], "between 0 and 1"),
        ([1.0, 2.0], [0.0, 0.0], "zero everywhere"),
    ],
)
def test_bad_curves_are_refused(energy, curve, message):
    with pytest.raises(ValueError, match=message):
        measured_detector(energy, curve)


def test_a_curve_has_two_parts():
    with pytest.raises(ValueError, match="has 1 parts; give two"):
        Detector(efficiency_curve=([1.0, 2.0, 3.0],))


def test_resolution_in_keV_is_refused():
    with pytest.raises(ValueError, match="`resolution_MnKa_eV` is 0.13"):
        measured_detector([1.0, 2.0], [0.5, 0.6], 0.13)
