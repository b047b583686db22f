# SPDX-License-Identifier: GPL-3.0-or-later
"""A classifier with the spectra that it is for: files, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hspy_ml.classification.conditions import SpectrumConditions
from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.classification.phase_model import PhaseModel, load_phase_model
from hspy_ml.counts import DenseCounts
from hspy_ml.networks.model_file import StoredModel, save_model

N_CHANNELS = 90
USED = np.ones(N_CHANNELS, bool)
USED[:7] = USED[40:43] = False
CONDITIONS = SpectrumConditions("EDS_SEM", 0.1, 0.02, USED, 15.0)
PEAKS = 1.0 + 40 * np.exp(
    -0.5 * ((np.arange(N_CHANNELS) - np.array([[25], [60]])) / 3) ** 2
)


@pytest.fixture(scope="module")
def model():
    classifier = LikelihoodClassifier.from_expected(["iron", "tin"], PEAKS[:, USED])
    return PhaseModel(classifier, CONDITIONS, ("made for a test",))


def spectra(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 3, n)
    expected = 500 * PEAKS / PEAKS.sum(axis=1, keepdims=True)
    return rng.poisson(expected[labels - 1]), labels


def test_a_file_holds_all_of_it(model, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = load_phase_model(path)
    assert loaded.names == model.names and loaded.notes == model.notes
    assert loaded.conditions.to_dict() == CONDITIONS.to_dict()
    np.testing.assert_array_equal(loaded.conditions.used_channels, USED)
    counts = DenseCounts(spectra(50)[0][:, USED])
    found, expected = loaded.classify(counts), model.classify(counts)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    np.testing.assert_allclose(found.oddness, expected.oddness, atol=1e-4)
    with pytest.raises(FileExistsError):
        model.save(path)


def test_spectra_of_a_microscope_get_labels(model):
    measured, labels = spectra(400)
    found = model.label_spectra(measured)
    assert np.mean(found != labels) < 0.01
    assert model.label_spectra(measured[3]).tolist() == [labels[3]]
    assert model.label_spectra(np.zeros(N_CHANNELS)).tolist() == [0]


@pytest.mark.parametrize(
    "bad", [np.ones((2, 91)), np.full((1, 90), np.nan), -np.ones((1, 90))]
)
def test_spectra_that_are_none(model, bad):
    with pytest.raises(ValueError, match="`spectra`"):
        model.label_spectra(bad)


def test_differences_are_named():
    def differences(**changes):
        return CONDITIONS.differences(replace(CONDITIONS, **changes))

    assert differences() == []
    assert differences(used_channels=~USED) == []
    assert differences(first_energy=0.1015) == []  # less than a tenth of a channel
    assert "energy axis" in differences(first_energy=0.11)[0]
    assert "energy axis" in differences(channel_width=0.0201)[0]
    assert "energy axis" in differences(used_channels=np.ones(91, bool))[0]
    assert differences(beam_energy_keV=15.1) == []
    assert differences(beam_energy_keV=None) == []
    assert "beam energy is 20 keV" in differences(beam_energy_keV=20.0)[0]
    assert "technique is EDS_TEM" in differences(technique="EDS_TEM")[0]


def test_conditions_survive_their_dictionary():
    loaded = SpectrumConditions.from_dict(CONDITIONS.to_dict())
    np.testing.assert_array_equal(loaded.used_channels, USED)
    assert loaded.to_dict() == CONDITIONS.to_dict()
    np.testing.assert_allclose(loaded.energy, 0.1 + 0.02 * np.arange(90))


@pytest.mark.parametrize(
    "change",
    [
        {"n_channels": -1},
        {"n_channels": 10**9},
        {"first_energy": None},
        {"unused_channels": "all"},
    ],
)
def test_conditions_that_make_no_sense(change):
    with pytest.raises(ValueError, match="conditions of the spectra cannot be read"):
        SpectrumConditions.from_dict({**CONDITIONS.to_dict(), **change})
    lacking = CONDITIONS.to_dict()
    del lacking["technique"]
    with pytest.raises(ValueError, match="technique"):
        SpectrumConditions.from_dict(lacking)


def test_files_that_contradict_themselves(model, tmp_path):
    stored = model.to_stored()
    without = dict(stored.card.conditions)
    del without["spectra"]
    other = {**stored.card.conditions, "spectra": {**CONDITIONS.to_dict()}}
    other["spectra"]["unused_channels"] = []
    cards = {
        "does not say which spectra": replace(stored.card, conditions=without),
        "its classifier takes": replace(stored.card, conditions=other),
        "is a Forest for classification": replace(stored.card, architecture="Forest"),
    }
    for number, (message, card) in enumerate(cards.items()):
        path = tmp_path / f"{number}.safetensors"
        save_model(path, StoredModel(card, stored.weights))
        with pytest.raises(ValueError, match=message):
            load_phase_model(path)
