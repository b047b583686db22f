# SPDX-License-Identifier: GPL-3.0-or-later
"""The network: right where the likelihood is, honest, and the same after a file."""

from dataclasses import replace

import numpy as np
import pytest
from toy_spots import (
    FEW_STEPS,
    N_CHANNELS,
    NAMES,
    classifier,
    conditions,
    drawn,
    shape,
    shapes,
    spots,
)

from hspy_ml.classification.network_classifier import NetworkClassifier
from hspy_ml.classification.network_spots import PhaseSpots
from hspy_ml.classification.network_training import train_network_classifier
from hspy_ml.classification.phase_model import PhaseModel, load_phase_model
from hspy_ml.classification.scores import expected_calibration_error
from hspy_ml.counts import DenseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.networks.model_file import StoredModel


@pytest.mark.parametrize("counts", [30, 100, 1000, 100000])
def test_it_errs_no_more_than_the_likelihood_of_the_true_spectra(counts):
    measured, labels = drawn(shapes(), 600, counts, 11)
    found = classifier().classify(measured)
    best = (measured.values @ np.log(shapes()).T).argmax(axis=1) + 1
    errors, least = np.mean(found.best != labels), np.mean(best != labels)
    # both are estimated from the same 1800 spectra
    assert errors <= least + 3 * np.sqrt((least + 1e-3) / 1800)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_probabilities_are_calibrated():
    measured, labels = drawn(shapes(), 1500, 4, 3)
    found = classifier().classify(measured)
    assert 0.01 < np.mean(found.best != labels) < 0.3
    # 4500 spectra: by chance about 0.006
    assert expected_calibration_error(found.probabilities, labels) < 0.02


def test_known_spectra_are_known_and_others_are_not():
    network = classifier()
    measured, _ = drawn(shapes(), 700, 3000, 4)
    # 0.2 % are asked for; the references are of few spots
    assert np.mean(~network.classify(measured).is_known) < 0.01
    half = 0.5 * shapes()[:1] + 0.5 * shapes()[1:2]
    for odd in (
        shape("foreign"),
        half[0],
        shape("a", 0.15),
        np.full(N_CHANNELS, 1 / N_CHANNELS),
    ):
        found = network.classify(drawn(odd[None], 50, 3000, 5)[0])
        assert np.mean(found.is_known) < 0.05
        assert (found.labels[~found.is_known] == 0).all()


def test_a_shift_within_what_is_usual_is_not_odd():
    measured, labels = drawn(shapes(0.005), 300, 3000, 6)
    found = classifier().classify(measured)
    assert np.mean(found.labels != labels) < 0.02


def test_empty_spectra_have_no_phase():
    found = classifier().classify(DenseCounts(np.zeros((4, N_CHANNELS), np.uint8)))
    assert np.isfinite(found.probabilities).all()
    assert np.isnan(found.oddness).all()
    assert (found.labels == 0).all()


def test_no_spectra_are_no_error():
    found = classifier().classify(DenseCounts(np.zeros((0, N_CHANNELS), np.uint8)))
    assert found.probabilities.shape == (0, 3)
    assert found.labels.shape == (0,)


def test_sparse_and_dense_threads_and_progress_change_nothing():
    dense, _ = drawn(shapes(), 800, 40, 7)
    sparse = counts_from_array(dense.values)
    done = []
    first = classifier().classify(dense, num_workers=1)
    second = classifier().classify(sparse, num_workers=2, progress=done.append)
    assert sum(done) == 2400
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-6)
    np.testing.assert_allclose(first.oddness, second.oddness, atol=1e-4)


def test_a_file_holds_all_of_it(tmp_path):
    model = PhaseModel(classifier(), conditions(), ("a note",))
    model.save(tmp_path / "phases.safetensors")
    loaded = load_phase_model(tmp_path / "phases.safetensors")
    assert isinstance(loaded.classifier, NetworkClassifier)
    assert loaded.names == NAMES
    assert loaded.classifier.training == classifier().training
    measured, _ = drawn(shapes(), 20, 100, 8)
    first, second = (m.classify(measured) for m in (model, loaded))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    np.testing.assert_array_equal(first.oddness, second.oddness)


def test_damaged_files_are_refused():
    stored = classifier().to_stored()
    for name, message in (
        ("channel_bins", "lacks channel_bins"),
        ("oddness.means", "lacks oddness.means"),
        ("network.roots.weight", "roots.weight is missing"),
    ):
        weights = {k: w for k, w in stored.weights.items() if k != name}
        with pytest.raises(ValueError, match=message):
            NetworkClassifier.from_stored(StoredModel(stored.card, weights))
    sizes = {**stored.card.hyperparameters, "width": -3}
    card = replace(stored.card, hyperparameters=sizes)
    with pytest.raises(ValueError, match="they are no whole numbers"):
        NetworkClassifier.from_stored(StoredModel(card, stored.weights))
    with pytest.raises(ValueError, match="a PhaseNetwork for classification"):
        other = replace(stored.card, architecture="SeedNetworks")
        NetworkClassifier.from_stored(StoredModel(other, stored.weights))


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=f"takes {N_CHANNELS}"):
        classifier().classify(DenseCounts(np.ones((2, 9))))


def test_training_repeats_exactly_and_counts_its_steps():
    done = []
    plan = replace(FEW_STEPS, n_steps=5)
    known = spots(3)
    first = train_network_classifier(
        known, conditions(), plan=plan, progress=done.append
    )
    again = train_network_classifier(known, conditions(), plan=plan)
    assert done == [1, 2, 3, 4, 5]
    one, other = first.to_stored().weights, again.to_stored().weights
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_an_interrupt_leaves_a_classifier():
    def stop(n_steps):
        if n_steps == 3:
            raise KeyboardInterrupt

    plan = replace(FEW_STEPS, validate_every=1)
    found = train_network_classifier(spots(3), conditions(), plan=plan, progress=stop)
    assert found.training["interrupted"]
    assert found.training["steps"] <= 3
    measured, labels = drawn(shapes(), 50, 1000, 9)
    assert np.mean(found.classify(measured).best != labels) < 0.02


def test_one_phase_is_refused():
    known = PhaseSpots.from_expected(["alone"], shapes()[:1])
    with pytest.raises(ValueError, match="'alone' only"):
        train_network_classifier(known, conditions(), plan=FEW_STEPS)


def test_calibration_error_of_known_cases():
    sure = np.array([[1.0, 0.0]] * 4)
    assert expected_calibration_error(sure, np.array([1, 1, 1, 1])) == 0
    assert expected_calibration_error(sure, np.array([1, 1, 2, 2])) == pytest.approx(
        0.5
    )
    honest = np.array([[0.75, 0.25]] * 4)
    truth = np.array([1, 1, 1, 2])
    assert expected_calibration_error(honest, truth) == pytest.approx(0)
