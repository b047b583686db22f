# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
from toy_phases import (
    N_CHANNELS,
    NAMES,
    PEAKS,
    classifier,
    counted,
    shapes,
    spectrum,
    spots,
)

from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.counts import DenseCounts
from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, load_model, save_model


def test_phases_are_told_apart():
    rng = np.random.default_rng(2)
    expected, truth = spots(200, rng)
    found = classifier().classify(counted(expected, 300, rng))
    assert found.names == NAMES
    assert (found.best == truth).all()
    assert np.mean(found.labels == truth) > 0.99
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["foreign", "mixture", "shift", "flat", "replaced"])
def test_unknown_spectra_are_found(kind):
    odd = {
        "foreign": spectrum({180: 1.0, 20: 0.3}),
        "mixture": (shapes()[0] + shapes()[1]) / 2,
        "shift": spectrum(PEAKS["alpha"], 5.0),
        "flat": np.full(N_CHANNELS, 1 / N_CHANNELS),
        "replaced": spectrum({60: 0.8, 160: 0.9}),
    }[kind]
    counts = counted([odd] * 300, 5000, np.random.default_rng(3))
    assert np.mean(classifier().classify(counts).labels == 0) > 0.95


def test_alternatives_are_found_at_fewer_counts():
    foreign = spectrum({180: 1.0}) - spectrum({})  # a line alone
    foreign = np.maximum(foreign, 0)
    plain = LikelihoodClassifier.from_expected(NAMES, shapes())
    told = LikelihoodClassifier.from_expected(NAMES, shapes(), alternatives=[foreign])
    odd = 0.96 * shapes()[0] + 0.04 * foreign / foreign.sum()
    counts = counted([odd] * 1000, 400, np.random.default_rng(4))
    found = [np.mean(c.classify(counts).labels == 0) for c in (plain, told)]
    assert found[1] > found[0] + 0.1


def test_number_of_workers_does_not_matter():
    rng = np.random.default_rng(5)
    counts = counted(spots(900, rng)[0], 50, rng)
    done = []
    one = classifier().classify(counts, num_workers=1, progress=done.append)
    two = classifier().classify(counts, num_workers=2)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    np.testing.assert_array_equal(one.oddness, two.oddness)
    assert sum(done) == 2700
    alone = classifier().probabilities(counts, num_workers=1)
    np.testing.assert_array_equal(alone, one.probabilities)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_type_of_the_counts_does_not_matter(dtype):
    rng = np.random.default_rng(6)
    values = rng.poisson(400 * spots(5, rng)[0])
    expected = classifier().classify(DenseCounts(values))
    found = classifier().classify(DenseCounts(values.astype(dtype)))
    np.testing.assert_allclose(found.probabilities, expected.probabilities)
    np.testing.assert_allclose(found.oddness, expected.oddness, rtol=1e-5)


def test_empty_pixel_is_of_no_phase():
    values = np.zeros((2, N_CHANNELS), int)
    values[1] = np.round(2000 * shapes()[2])
    found = classifier().classify(DenseCounts(values))
    assert np.isnan(found.oddness[0])
    assert found.labels.tolist() == [0, 3]
    np.testing.assert_allclose(found.probabilities[0], 1 / 3)


def test_no_spectrum_at_all():
    found = classifier().classify(DenseCounts(np.zeros((0, N_CHANNELS), int)))
    assert found.labels.shape == (0,) and found.probabilities.shape == (0, 3)


def test_one_phase_alone_is_known_or_not():
    alone = LikelihoodClassifier.from_expected(["alpha"], shapes()[:1])
    spectra = np.repeat([shapes()[0], shapes()[1]], 50, axis=0)
    found = alone.classify(counted(spectra, 2000, np.random.default_rng(7)))
    assert (found.probabilities == 1).all()
    assert (found.labels[:50] == 1).mean() > 0.95
    assert (found.labels[50:] == 0).all()


def test_prior_shares_decide_where_counts_do_not():
    rare = LikelihoodClassifier.from_expected(
        NAMES, shapes(), prior_shares=[0.98, 0.01, 0.01]
    )
    one_count = np.zeros((1, N_CHANNELS), int)
    one_count[0, 105] = 1
    found = rare.classify(DenseCounts(one_count))
    assert found.best[0] == 1 and found.confidence[0] > 0.9


def test_near_identical_phases_get_honest_probabilities():
    wave = 1 + 2e-4 * np.cos(np.arange(N_CHANNELS) / 40)
    near = np.array([shapes()[0], shapes()[0] * wave])
    both = LikelihoodClassifier.from_expected(["a", "b"], near)
    rng = np.random.default_rng(8)
    counts = DenseCounts(
        rng.poisson(1e6 * np.repeat(near, 20, axis=0) / near.sum(1)[0])
    )
    assert both.classify(counts).confidence.max() < 0.8


def test_model_file_gives_the_same_classifier(tmp_path):
    made = replace(classifier(), false_alarms=0.01, conditions={"channel_width": 10.0})
    save_model(tmp_path / "phases.safetensors", made.to_stored())
    read = load_model(tmp_path / "phases.safetensors", "classification")
    assert read.card.architecture == "TemplateLikelihood"
    back = LikelihoodClassifier.from_stored(read)
    rng = np.random.default_rng(9)
    counts = counted(spots(40, rng)[0], 200, rng)
    one, two = made.classify(counts), back.classify(counts)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    np.testing.assert_array_equal(one.oddness, two.oddness)
    np.testing.assert_array_equal(one.threshold, two.threshold)
    assert back.names == NAMES and back.conditions == {"channel_width": 10.0}


def test_file_of_something_else_is_refused():
    stored = classifier().to_stored()
    other = ModelCard("classification", "PhaseNetwork", {}, {})
    with pytest.raises(ValueError, match="PhaseNetwork"):
        LikelihoodClassifier.from_stored(StoredModel(other, stored.weights))
    lacking = {k: v for k, v in stored.weights.items() if k != "scatter.modes"}
    with pytest.raises(ValueError, match="scatter.modes"):
        LikelihoodClassifier.from_stored(StoredModel(stored.card, lacking))
    cut = {**stored.weights, "prior_shares": np.ones(2) / 2}
    with pytest.raises(ValueError, match="prior_shares"):
        LikelihoodClassifier.from_stored(StoredModel(stored.card, cut))


def test_spectra_of_another_length_are_refused():
    with pytest.raises(ValueError, match=f"99 channels.*{N_CHANNELS}"):
        classifier().classify(DenseCounts(np.ones((2, 99))))


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, np.nan])
def test_rates_of_false_alarms_that_are_none(rate):
    with pytest.raises(ValueError, match="`false_alarms`"):
        replace(classifier(), false_alarms=rate)


@pytest.mark.parametrize("bad", [np.ones((2, 9)), np.full((1, N_CHANNELS), np.nan)])
def test_alternatives_that_are_none(bad):
    with pytest.raises(ValueError, match="`alternatives`"):
        LikelihoodClassifier.from_expected(NAMES, shapes(), alternatives=bad)
