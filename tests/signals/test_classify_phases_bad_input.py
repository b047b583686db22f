# SPDX-License-Identifier: GPL-3.0-or-later
"""What `classify_phases` refuses, and what it says then."""

import numpy as np
import pytest
from phase_images import ALLOYS, alloy_image, reference_spectra, some_pixels

import hspy_ml


@pytest.fixture(scope="module")
def _alloy():
    return alloy_image()


@pytest.fixture
def alloy(_alloy):
    s, labels = _alloy
    return s.deepcopy(), labels


@pytest.fixture(scope="module")
def model(_alloy):
    s, labels = _alloy
    return hspy_ml.train_classifier(s, labels=some_pixels(labels, 12))


def test_something_must_be_known(alloy, model):
    s, labels = alloy
    with pytest.raises(ValueError, match="neither were given"):
        s.classify_phases()
    with pytest.raises(ValueError, match="both were given"):
        s.classify_phases(references=ALLOYS, labels=labels)
    with pytest.raises(ValueError, match="`model` was given together with `labels`"):
        s.classify_phases(model, labels=labels)
    with pytest.raises(TypeError, match="`model` is a dict"):
        s.classify_phases(ALLOYS)


def test_one_phase_alone(alloy):
    s, labels = alloy
    with pytest.raises(ValueError, match="names 1 phase"):
        s.classify_phases(references={"matrix": "Al"})
    with pytest.raises(ValueError, match="two phases or more"):
        s.classify_phases(labels={"matrix": some_pixels(labels, 3)["matrix"]})
    with pytest.raises(ValueError, match="two phases or more"):
        s.classify_phases(labels=(labels == 1).astype(int))


def test_two_identical_references(alloy):
    s, labels = alloy
    spectra = reference_spectra(labels, s)
    spectra["theta"] = spectra["matrix"]
    with pytest.raises(ValueError, match="matrix.*theta|theta.*matrix"):
        s.classify_phases(references=spectra)
    with pytest.raises(ValueError, match="a.*b"):
        s.classify_phases(references={"a": "Al", "b": "Al", "c": "Si"})


def test_references_on_another_axis_are_rebinned_or_refused(alloy):
    s, labels = alloy
    finer, finer_labels = alloy_image(
        600, n_channels=820, channel_width_keV=0.01, random_state=8
    )
    spectra = reference_spectra(finer_labels, finer)
    with pytest.warns(UserWarning, match="is rebinned to the energy axis"):
        result = s.classify_phases(references=spectra)
    best = result.arrays.probabilities.argmax(axis=1) + 1
    assert np.mean(best.reshape(labels.shape) != labels) < 0.02
    short = {name: x.isig[:500] for name, x in spectra.items()}
    with pytest.raises(ValueError, match="does not cover"):
        s.classify_phases(references=short)
    coarse = {name: x.rebin(scale=[5]) for name, x in spectra.items()}
    with pytest.raises(ValueError, match="too wide"):
        s.classify_phases(references=coarse)


def test_references_of_another_instrument(alloy):
    s, labels = alloy
    spectra = reference_spectra(labels, s)
    for spectrum in spectra.values():
        spectrum.metadata.Acquisition_instrument.SEM.beam_energy = 20.0
    with pytest.raises(ValueError, match="beam energy is 20 keV, not 10 keV"):
        s.classify_phases(references=spectra)
    film = {name: x.deepcopy() for name, x in reference_spectra(labels, s).items()}
    for spectrum in film.values():
        spectrum.set_signal_type("EDS_TEM")
    with pytest.raises(ValueError, match="technique is EDS_TEM, not EDS_SEM"):
        s.classify_phases(references=film)


def test_references_of_the_wrong_kind(alloy):
    s, labels = alloy
    spectra = reference_spectra(labels, s)
    with pytest.raises(TypeError, match="mixes compositions"):
        s.classify_phases(references={**spectra, "iron": "Fe"})
    with pytest.raises(TypeError, match="`references` is a list"):
        s.classify_phases(references=list(spectra.values()))
    with pytest.raises(ValueError, match="channels of `s`"):
        s.classify_phases(references={"a": np.ones(9), "b": np.arange(9)})
    with pytest.raises(ValueError, match="negative or not finite"):
        s.classify_phases(references={"a": -np.ones(400), "b": np.ones(400)})
    with pytest.raises(ValueError, match="Xx"):
        s.classify_phases(references={"a": "Xx2", "b": "Al"})


def test_labels_outside_the_map(alloy):
    s, labels = alloy
    known = some_pixels(labels, 3)
    known["theta"] = [(23, 2)]
    with pytest.raises(ValueError, match=r"\(23, 2\), outside the map of 23 x 20"):
        s.classify_phases(labels=known)
    known["theta"] = [(-1, 2)]
    with pytest.raises(ValueError, match="outside the map"):
        s.classify_phases(labels=known)
    known["theta"] = known["matrix"]
    with pytest.raises(ValueError, match="two phases"):
        s.classify_phases(labels=known)
    with pytest.raises(ValueError, match="have the shape"):
        s.classify_phases(labels=labels.T)
    with pytest.raises(ValueError, match="go down to -1"):
        s.classify_phases(labels=labels - 2)
    with pytest.raises(TypeError, match="whole numbers"):
        s.classify_phases(labels=labels.astype(float))
    with pytest.raises(ValueError, match="`names` has 2 names"):
        s.classify_phases(labels=labels, names=["a", "b"])


def test_labels_in_masked_pixels(alloy):
    s, labels = alloy
    known = some_pixels(labels, 3)
    mask = np.zeros(labels.shape, bool)
    for x, y in known["theta"]:
        mask[y, x] = True
    with pytest.raises(ValueError, match="theta lie only in pixels that are masked"):
        s.classify_phases(labels=known, navigation_mask=mask.T)


def test_a_model_of_other_spectra(alloy, model):
    s, _ = alloy
    shifted = s.deepcopy()
    shifted.axes_manager[-1].offset += 0.1
    with pytest.raises(ValueError, match="the energy axis is"):
        shifted.classify_phases(model)
    with pytest.raises(ValueError, match="the energy axis is"):
        s.isig[:-4].classify_phases(model)
    s.set_microscope_parameters(beam_energy=20.0)
    with pytest.raises(ValueError, match="beam energy is 20 keV"):
        s.classify_phases(model)
    s.set_signal_type("EDS_TEM")
    with pytest.raises(ValueError, match="technique is EDS_TEM"):
        s.classify_phases(model)


def test_a_model_file_that_is_none(alloy, tmp_path, good_network):
    s, _ = alloy
    with pytest.raises(FileNotFoundError):
        s.classify_phases(tmp_path / "nothing.safetensors")
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"\x80\x04\x95 a pickle")
    for read in (s.classify_phases, hspy_ml.load_model):
        with pytest.raises(ValueError, match="not a safetensors file"):
            read(path)
    with pytest.raises(ValueError, match="is a model for quantification"):
        s.classify_phases(good_network)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("method", "magic", ValueError),
        ("false_alarms", 0.7, ValueError),
        ("false_alarms", "few", TypeError),
        ("num_workers", 0, ValueError),
        ("random_state", -1, ValueError),
    ],
)
def test_values_that_make_no_sense(alloy, name, value, error):
    s, labels = alloy
    with pytest.raises(error, match=f"`{name}`"):
        s.classify_phases(labels=labels, **{name: value})


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_data_that_are_no_counts(alloy, model, bad):
    s, _ = alloy
    s.change_dtype("float64")
    s.data[2, 3, 50] = bad
    with pytest.raises(ValueError, match="finite|negative"):
        s.classify_phases(model)


def test_channels_are_masked(alloy, model):
    """Without the L lines of copper, theta is still told by its K lines: not here,
    where 10 keV excite few; aluminium's share is what is left."""
    s, labels = alloy
    energy = s.axes_manager[-1].axis
    result = s.classify_phases(labels=labels, signal_mask=energy < 1.2)
    assert result.settings["used_channels"] == np.sum(energy >= 1.2)
    with pytest.raises(ValueError, match="`model` was given together with"):
        s.classify_phases(model, signal_mask=energy < 1.2)
    with pytest.raises(ValueError, match="`signal_mask` has the shape"):
        s.classify_phases(labels=labels, signal_mask=energy[:-1] < 1.2)


def test_axes_in_eV_are_the_same(alloy):
    s, labels = alloy
    known = some_pixels(labels, 5)
    expected = s.classify_phases(labels=known)
    axis = s.axes_manager[-1]
    axis.scale, axis.offset, axis.units = axis.scale * 1e3, axis.offset * 1e3, "eV"
    found = s.classify_phases(labels=known)
    np.testing.assert_array_equal(found.label_array, expected.label_array)
