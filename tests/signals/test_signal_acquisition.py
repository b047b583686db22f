# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata become an Acquisition, or an error that says how to mend them."""

import dataclasses
import math

import exspy
import hyperspy.api as hs
import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition, Detector
from hspy_ml.physics.detector import make_detector
from hspy_ml.signals.acquisition import acquisition_from_signal


def _same(first: Acquisition, second: Acquisition) -> None:
    for field in dataclasses.fields(Acquisition):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name == "energy":
            np.testing.assert_allclose(one, other, atol=1e-12)
        else:
            assert one == other, field.name


def test_what_the_metadata_say_is_read(eds):
    s = eds(signal_type="EDS_SEM", beam_energy=15)
    s.set_microscope_parameters(
        tilt_stage=7.0,
        azimuth_angle=0.0,
        elevation_angle=31.0,
        live_time=12.5,
        energy_resolution_MnKa=127.0,
    )
    s.metadata.set_item("Acquisition_instrument.SEM.beam_current", 0.75)
    acquisition = acquisition_from_signal(s)
    assert acquisition.technique == "EDS_SEM"
    assert acquisition.beam_energy_keV == 15
    # tilted by 7 degrees towards a detector at 31 degrees
    assert acquisition.take_off_angle == pytest.approx(38.0)
    assert acquisition.detector == make_detector("polymer", 127.0)
    assert acquisition.live_time_s == 12.5
    assert acquisition.beam_current_nA == 0.75


@pytest.mark.parametrize("signal_type", ["EDS_TEM", "EDS_SEM"])
def test_eV_and_keV_give_the_same_acquisition(eds, signal_type):
    first = acquisition_from_signal(eds(units="eV", signal_type=signal_type))
    _same(first, acquisition_from_signal(eds(units="keV", signal_type=signal_type)))


def test_a_lazy_signal_and_a_slice_give_the_same_acquisition(eds):
    s = eds()
    _same(acquisition_from_signal(s), acquisition_from_signal(s.as_lazy()))
    _same(acquisition_from_signal(s), acquisition_from_signal(s.inav[1, 2]))


def test_a_key_with_a_trailing_blank_is_found(eds):
    s = eds(beam_energy=None)
    s.metadata.Acquisition_instrument.TEM.add_dictionary({"beam_energy ": 300})
    assert acquisition_from_signal(s).beam_energy_keV == 300


def test_the_users_detector_is_taken_as_it_is(eds):
    detector = Detector(name="mine", resolution_MnKa_eV=141.0)
    assert acquisition_from_signal(eds(), detector).detector is detector


def test_a_detector_can_be_named(eds):
    s = eds()
    s.set_microscope_parameters(energy_resolution_MnKa=139.0)
    detector = acquisition_from_signal(s, "polymer").detector
    assert detector == make_detector("polymer", 139.0)
    with pytest.raises(ValueError, match="'glass'"):
        acquisition_from_signal(s, "glass")


def test_missing_beam_energy_says_how_to_set_it(eds):
    with pytest.raises(ValueError, match=r"set_microscope_parameters\(beam_energy=200"):
        acquisition_from_signal(eds(beam_energy=None))


def test_beam_energy_in_eV_is_refused_with_the_value_in_keV(eds):
    with pytest.raises(ValueError, match=r"given in eV.*beam_energy=200\)"):
        acquisition_from_signal(eds(beam_energy=200e3))


@pytest.mark.parametrize("value", [-200.0, 0.0, math.nan, math.inf, "high"])
def test_absurd_beam_energies_are_refused(eds, value):
    s = eds()
    s.metadata.Acquisition_instrument.TEM.beam_energy = value
    with pytest.raises(ValueError, match="beam.energy"):
        acquisition_from_signal(s)


@pytest.mark.parametrize("key", ["Stage.tilt_alpha", "Detector.EDS.elevation_angle"])
def test_a_missing_direction_is_filled_in_with_a_warning(eds, key):
    s = eds()
    branch, leaf = f"Acquisition_instrument.TEM.{key}".rsplit(".", 1)
    delattr(s.metadata.get_item(branch), leaf)
    with pytest.warns(UserWarning, match=leaf):
        assert acquisition_from_signal(s).take_off_angle == pytest.approx(35.0)


def test_both_tilts_of_the_stage_count(eds):
    s = eds()
    s.set_microscope_parameters(azimuth_angle=90.0, elevation_angle=20.0)
    s.metadata.set_item("Acquisition_instrument.TEM.Stage.tilt_beta", 10.0)
    assert acquisition_from_signal(s).take_off_angle == pytest.approx(30.0)


def test_a_detector_behind_the_surface_is_refused(eds):
    s = eds()
    s.set_microscope_parameters(tilt_stage=-60.0, elevation_angle=20.0)
    with pytest.raises(ValueError, match="behind the specimen"):
        acquisition_from_signal(s)


def test_a_missing_resolution_is_filled_in_with_a_warning(eds):
    s = eds()
    del s.metadata.Acquisition_instrument.TEM.Detector.EDS.energy_resolution_MnKa
    with pytest.warns(UserWarning, match="130 eV"):
        assert acquisition_from_signal(s).detector.resolution_MnKa_eV == 130


def test_a_resolution_in_keV_is_refused(eds):
    s = eds()
    s.set_microscope_parameters(energy_resolution_MnKa=0.13)
    with pytest.raises(ValueError, match="in eV"):
        acquisition_from_signal(s)


def test_zero_doses_are_unknown_doses(eds):
    s = eds()
    s.set_microscope_parameters(live_time=0.0, beam_current=0.0)
    acquisition = acquisition_from_signal(s)
    assert acquisition.live_time_s is None
    assert acquisition.beam_current_nA is None


def test_units_that_cannot_be_true_are_refused(eds):
    as_keV, as_eV = eds(units="eV"), eds(units="keV")
    as_keV.axes_manager[-1].units, as_eV.axes_manager[-1].units = "keV", "eV"
    with pytest.raises(ValueError, match="probably 'eV'"):
        acquisition_from_signal(as_keV)
    with pytest.raises(ValueError, match="probably 'keV'"):
        acquisition_from_signal(as_eV)


def test_a_plain_signal_is_told_to_set_its_type():
    s = hs.signals.Signal1D(np.ones((2, 9)))
    with pytest.raises(ValueError, match=r"s.set_signal_type\('EDS_TEM'\)"):
        acquisition_from_signal(s)
    with pytest.raises(TypeError, match="hs.load"):
        acquisition_from_signal(np.ones((2, 9)))


def test_eels_angles_are_read():
    s = exspy.signals.EELSSpectrum(np.ones((2, 9)))
    s.axes_manager[-1].units = "eV"
    s.axes_manager[-1].offset = 300
    s.set_microscope_parameters(
        beam_energy=120, convergence_angle=21, collection_angle=33
    )
    acquisition = acquisition_from_signal(s)
    assert acquisition.technique == "EELS"
    assert acquisition.energy[0] == 300
    assert acquisition.convergence_angle_mrad == 21
    assert acquisition.collection_angle_mrad == 33
    assert acquisition.detector is None
