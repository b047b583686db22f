# SPDX-License-Identifier: GPL-3.0-or-later
"""The energy axis is read in every spelling, or refused with the mend."""

import hyperspy.api as hs
import numpy as np
import pytest

from hspy_ml.signals.axes import energy_axis, energy_unit


@pytest.mark.parametrize(
    ("units", "name", "expected"),
    [
        ("keV", "Energy", "keV"),
        ("KeV", "", "keV"),
        ("eV", "Energy", "eV"),
        ("Energy Loss (eV)", "", "eV"),
        ("ev", "", "eV"),
        ("", "Energy (eV)", "eV"),
        (" keV ", "Energy (eV)", "keV"),
    ],
)
def test_units_are_read_however_they_are_spelled(eds, units, name, expected):
    axis = eds().axes_manager[-1]
    axis.units, axis.name = units, name
    assert energy_unit(axis) == expected


@pytest.mark.parametrize("units", ["", "nm", "keVish", "channels"])
def test_unknown_units_are_refused_with_the_mend(eds, units):
    s = eds()
    s.axes_manager[-1].units = units
    with pytest.raises(ValueError, match=r"axes_manager\[-1\].units = 'keV'"):
        energy_axis(s, "keV")


def test_energy_is_converted_and_may_start_below_zero(eds):
    keV, eV = eds(units="keV"), eds(units="eV")
    expected = -0.2 + 0.16 * np.arange(64)
    np.testing.assert_allclose(energy_axis(keV, "keV"), expected, atol=1e-12)
    np.testing.assert_allclose(energy_axis(eV, "keV"), expected, atol=1e-12)
    np.testing.assert_allclose(energy_axis(keV, "eV"), 1000 * expected, atol=1e-9)


def test_a_reversed_axis_is_refused_and_the_mend_works(eds):
    s = eds()
    s.axes_manager[-1].scale, s.axes_manager[-1].offset = -0.16, 10.0
    with pytest.raises(ValueError, match="reversed"):
        energy_axis(s, "keV")
    assert (np.diff(energy_axis(s.isig[::-1], "keV")) > 0).all()


def test_a_non_uniform_axis_is_refused_and_the_mend_works(eds):
    s = eds()
    s.axes_manager[-1].convert_to_non_uniform_axis()
    with pytest.raises(ValueError, match="convert_to_uniform_axis"):
        energy_axis(s, "keV")
    s.axes_manager[-1].convert_to_uniform_axis()
    np.testing.assert_allclose(energy_axis(s, "keV"), energy_axis(eds(), "keV"))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("scale", [0.0, np.nan, np.inf])
def test_a_scale_that_is_no_step_is_refused(eds, scale):
    s = eds()
    s.axes_manager[-1].scale = scale
    with pytest.raises(ValueError, match="scale"):
        energy_axis(s, "keV")


def test_an_image_is_no_spectrum():
    with pytest.raises(ValueError, match="2 signal axes"):
        energy_axis(hs.signals.Signal2D(np.ones((4, 6))), "keV")


@pytest.mark.parametrize("n_channels", [0, 1])
def test_an_empty_signal_is_refused(eds, n_channels):
    s = eds()
    s = s.isig[:2] if n_channels else s
    s.data = s.data[..., :n_channels]
    s.axes_manager[-1].size = n_channels
    with pytest.raises(ValueError, match="empty"):
        energy_axis(s, "keV")
