# SPDX-License-Identifier: GPL-3.0-or-later
"""Random instruments stay within their tolerances."""

from dataclasses import replace

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.simulation.random_instruments import Tolerances, draw_acquisitions

ENERGY = np.arange(0.05, 10.0, 0.01)
STATED = Acquisition(ENERGY, "EDS_TEM", 200.0, 22.0, make_detector("polymer", 133.0))


def thicknesses(acquisitions):
    return np.array(
        [[layer.mass_thickness for layer in a.detector.layers] for a in acquisitions]
    )


def test_the_first_is_as_stated():
    drawn = draw_acquisitions(STATED, 5, random_state=0)
    assert len(drawn) == 5
    assert drawn[0] is STATED
    assert len(draw_acquisitions(STATED, 1)) == 1


def test_offset_gain_resolution_and_angle_are_within_the_tolerances():
    """And come near them: among 300 uniform draws one is in the outer 3 %."""
    limits = Tolerances(4.0, 1e-3, 0.05, 2.0, 0.2)
    drawn = draw_acquisitions(STATED, 300, limits, 1)
    ends = np.array([a.energy[[0, -1]] for a in drawn])
    gain = np.ptp(ends, axis=1) / np.ptp(ENERGY) - 1
    offset_eV = 1e3 * (ends[:, 0] - ENERGY[0] * (1 + gain))
    width = np.array([a.detector.resolution_MnKa_eV for a in drawn]) / 133.0 - 1
    angle = np.array([a.take_off_angle for a in drawn]) - 22.0
    for found, largest in (
        (gain, 1e-3),
        (offset_eV, 4.0),
        (width, 0.05),
        (angle, 2.0),
    ):
        assert np.abs(found).max() <= largest * (1 + 1e-6)
        assert found.max() > 0.94 * largest
        assert found.min() < -0.94 * largest


def test_the_axes_stay_even():
    for acquisition in draw_acquisitions(STATED, 9, random_state=2):
        assert acquisition.energy.shape == ENERGY.shape
        steps = np.diff(acquisition.energy)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-9)


def test_layers_are_thicker_or_thinner_by_a_log_normal_factor():
    drawn = draw_acquisitions(STATED, 1500, Tolerances(layers=0.3), 3)
    factors = np.log(thicknesses(drawn)[1:] / thicknesses([STATED]))
    assert np.abs(factors.mean(axis=0)).max() < 4.5 * 0.3 / np.sqrt(1499)
    np.testing.assert_allclose(factors.std(axis=0), 0.3, rtol=0.1)
    first, second = factors.T[:2]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.12


def test_without_tolerance_all_are_as_stated():
    exact = Tolerances(0.0, 0.0, 0.0, 0.0, 0.0)
    for acquisition in draw_acquisitions(STATED, 4, exact, 0):
        np.testing.assert_allclose(acquisition.energy, ENERGY, rtol=1e-12)
        assert acquisition.detector == STATED.detector
        assert acquisition.take_off_angle == 22.0


@pytest.mark.parametrize("angle", [1.5, 89.5])
def test_the_take_off_angle_stays_above_the_surface(angle):
    stated = replace(STATED, take_off_angle=angle)
    limits = Tolerances(take_off_angle=5.0)
    drawn = [a.take_off_angle for a in draw_acquisitions(stated, 50, limits, 0)]
    assert min(drawn) >= 1.0
    assert max(drawn) <= 90.0


def test_energy_losses_are_shifted_in_electronvolts():
    eels = Acquisition(np.arange(400.0, 900.0), "EELS", 300.0)
    drawn = draw_acquisitions(eels, 40, Tolerances(6.0, 0.0), 0)
    shifts = np.array([a.energy[0] - 400.0 for a in drawn])
    assert 4.0 < np.abs(shifts).max() <= 6.0
    assert all(a.detector is None for a in drawn)


def test_the_same_seed_gives_the_same_instruments():
    def first_energies(seed):
        return [a.energy[0] for a in draw_acquisitions(STATED, 6, random_state=seed)]

    assert first_energies(4) == first_energies(4)
    assert first_energies(4) != first_energies(5)
    assert STATED.energy[0] == ENERGY[0]
