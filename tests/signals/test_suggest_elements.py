# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements suggested for signals; measured spectra of known composition."""

import warnings
from pathlib import Path

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "vendor"

# In the specimen, or the grid; and what coats or surrounds it, which may be found too.
MEASURED = {
    "nist/Example 2/K411 std.msa": ("O Mg Si Ca Fe", "C"),
    "nist/Example 2/K412 unk.msa": ("O Mg Al Si Ca Fe", "C"),
    "nist/Example 2/Fe std.msa": ("Fe", "C O"),
    "nist/Example 2/MgO std.msa": ("Mg O", "C"),
    "nist/K412 spectra/CaF2 std.msa": ("Ca F", "C O"),
    "nist/K412 spectra/SiO2 std.msa": ("Si O", "C"),
    "bruker/bruker_nano.spx": ("Fe S Cu", "C O"),
    "hspy/EDS_TEM_FePt_nanoparticles.hspy": ("Fe Pt Cu C", "O Si Co Zr"),
}


@pytest.fixture(scope="module")
def image():
    phases = {"oxide": "Fe2O3", "alloy": "Ni0.5Ti0.5"}
    return hspy_ml.simulate(phases, (13, 11), 200, random_state=0)


def test_metadata_are_not_changed(image):
    s = image.deepcopy()
    del s.metadata.Sample.elements
    before, data = s.metadata.as_dictionary(), s.data.copy()
    suggestion = hspy_ml.suggest_elements(s)
    assert set(suggestion.elements) == {"Fe", "O", "Ni", "Ti"}
    assert s.metadata.as_dictionary() == before
    np.testing.assert_array_equal(s.data, data)


def test_lazy_signal_gives_the_same(image):
    assert hspy_ml.suggest_elements(image.as_lazy()) == hspy_ml.suggest_elements(image)


def test_masks_leave_pixels_and_channels_out(image):
    energy = image.axes_manager[-1].axis
    suggestion = hspy_ml.suggest_elements(image, signal_mask=energy < 5.5)
    assert set(suggestion.elements) == {"Fe", "Ni"}
    share = image.metadata.Simulation.abundances[..., 0]
    pure = hspy_ml.suggest_elements(image, navigation_mask=(share < 0.999).T)
    assert set(pure.elements) == {"Fe", "O"}


def test_no_elements_in_the_metadata_names_the_suggestion(image):
    s = image.deepcopy()
    del s.metadata.Sample.elements
    with pytest.raises(ValueError, match=r"suggests \['Fe', .*'Ni'") as error:
        hspy_ml.g_matrix(s)
    assert "s.set_elements" in str(error.value)
    with pytest.raises(ValueError, match=r"`hspy_ml\.suggest_elements\(s\)`"):
        hspy_ml.g_matrix(s.as_lazy())


def test_edges_are_refused():
    s = hs.signals.Signal1D(np.ones((3, 100)))
    s.set_signal_type("EELS")
    with pytest.raises(ValueError, match="EELS signal"):
        hspy_ml.suggest_elements(s)


@pytest.mark.parametrize("path", MEASURED)
def test_measured_spectra(path):
    if not (SHARED / path).exists():
        pytest.skip("shared data are not here")
    present, possible = (set(names.split()) for names in MEASURED[path])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = hs.load(SHARED / path)
        found = set(hspy_ml.suggest_elements(s).elements)
    assert found >= present
    assert found <= present | possible
