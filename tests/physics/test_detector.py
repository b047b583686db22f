# SPDX-License-Identifier: GPL-3.0-or-later
"""Detectors: efficiency, resolution, contents of channels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.acquisition import Detector, Layer
from hspy_ml.physics.detector import (
    DETECTORS,
    efficiency,
    make_detector,
    peaks_on_channels,
    resolution,
)

THICK_SILICON = Layer((("Si", 1.0),), 1e4)


def test_polymer_window_transmits_what_its_layers_should():
    # film, aluminium and grid of an AP3.3 window, without the detector behind it
    window = make_detector("polymer").layers[:3]
    found = efficiency(
        Detector(layers=window, active_layer=THICK_SILICON), [0.525, 1.25, 1.74, 6.4]
    )
    assert found == pytest.approx([0.507, 0.715, 0.725, 0.769], abs=1e-3)


@given(st.sampled_from(sorted(DETECTORS)), st.floats(0.05, 300))
def test_efficiency_is_a_fraction(name, energy):
    assert 0 <= efficiency(make_detector(name), energy) <= 1


def test_efficiency_of_one_closed_layer_by_hand():
    # 10 um Be: mu(Be, 1 keV) = 604 cm2/g (Hubbell and Seltzer, NIST 1995)
    layer = Layer((("Be", 1.0),), 1.85e-3)
    found = efficiency(Detector(layers=(layer,), active_layer=THICK_SILICON), 1.0)
    assert found == pytest.approx(np.exp(-604 * 1.85e-3), rel=0.03)


def test_grid_lets_its_open_part_pass():
    grid = Layer((("Au", 1.0),), 10.0, open_fraction=0.77)
    found = efficiency(Detector(layers=(grid,), active_layer=THICK_SILICON), 5.0)
    assert found == pytest.approx(0.77)


def test_windows_differ_where_they_should():
    oxygen = {name: efficiency(make_detector(name), 0.525) for name in DETECTORS}
    assert oxygen["windowless"] > 0.8 > oxygen["polymer"] > 0.3
    assert oxygen["beryllium"] < 0.01 and oxygen["Si(Li)"] < 0.01
    hard = {name: efficiency(make_detector(name), 20.0) for name in DETECTORS}
    assert hard["Si(Li)"] > 0.9 > 0.5 > hard["windowless"]


@pytest.mark.parametrize("at_manganese", [110.0, 130.0, 165.0])
def test_resolution_at_manganese_is_what_was_asked_for(at_manganese):
    detector = make_detector("windowless", at_manganese)
    assert resolution(detector, 5.8987) == pytest.approx(at_manganese / 1e3)


def test_resolution_rises_and_is_clamped():
    detector = make_detector("windowless", 110.0)
    fwhm = resolution(detector, np.linspace(-1, 20, 43))
    assert np.all(np.diff(fwhm) >= 0)
    assert fwhm[0] == pytest.approx(0.030)
    # charge statistics: 2.45 eV per eV
    at = resolution(detector, np.array([6.0, 10.0])) ** 2
    assert at[1] - at[0] == pytest.approx(2.45e-3 * 4.0)


def peak(energy, centre, fwhm=0.13):
    return peaks_on_channels(
        energy, np.array([centre]), np.array([1.0]), np.array([fwhm])
    )


@given(st.floats(2, 8), st.floats(0.004, 0.3), st.floats(0.03, 0.3))
def test_a_peak_on_the_axis_holds_its_content(centre, width, fwhm):
    energy = np.arange(0, 10, width)
    assert peak(energy, centre, fwhm).sum() == pytest.approx(1, abs=1e-7)


@given(st.floats(-0.5, 10.5), st.floats(0.03, 0.3))
def test_merging_channels_adds_their_contents(centre, fwhm):
    width, merged = 0.01, 4
    fine = width * (np.arange(1000) + 0.5)
    coarse = merged * width * (np.arange(250) + 0.5)
    summed = peak(fine, centre, fwhm).reshape(250, merged).sum(axis=1)
    assert np.allclose(peak(coarse, centre, fwhm), summed, atol=2e-9)


def test_half_of_a_peak_at_the_end_of_the_axis_is_lost():
    energy = np.arange(0.005, 5, 0.01)
    assert peak(energy, 5.0).sum() == pytest.approx(0.5, abs=1e-9)
    assert not peak(energy, 7.0).any()


def test_width_of_a_peak():
    energy = np.arange(0, 10, 0.002)
    spectrum = peak(energy, 5.0, 0.13)
    above_half = energy[spectrum > spectrum.max() / 2]
    assert np.ptp(above_half) == pytest.approx(0.13, abs=0.004)


def test_peaks_add():
    energy = np.arange(0, 10, 0.05)
    both = peaks_on_channels(
        energy, np.array([3.0, 3.1]), np.array([2.0, 5.0]), np.array([0.1, 0.2])
    )
    assert np.allclose(both, 2 * peak(energy, 3.0, 0.1) + 5 * peak(energy, 3.1, 0.2))


def test_unknown_detector_and_resolution_in_keV():
    with pytest.raises(ValueError, match="`name` of a detector is 'glass'"):
        make_detector("glass")
    with pytest.raises(ValueError, match="`resolution_MnKa_eV` is 0.13"):
        make_detector("polymer", 0.13)
