# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's networks: as good and as blind as they were published."""

from functools import cache

import numpy as np
import pytest
from toy_spots import N_CHANNELS, NAMES, drawn, shape, shapes

from hspy_ml.classification.conditions import SpectrumConditions
from hspy_ml.classification.phase_model import PhaseModel, load_phase_model
from hspy_ml.classification.seed_models import SeedClassifier, train_seed_classifier
from hspy_ml.classification.seed_stream import SeedStream
from hspy_ml.counts import DenseCounts
from hspy_ml.networks.plan import TrainingPlan

PLAN = TrainingPlan(
    n_steps=150,
    batch_size=36,
    learning_rate=2e-3,
    validate_every=25,
    n_validation=36,
    random_state=2,
)
COUNTS = 4000


@cache
def trained():
    measured, labels = drawn(shapes(), 12, COUNTS, 1)
    return train_seed_classifier(measured, labels, NAMES, plan=PLAN)


def measured_again(spectra, n_each, seed):
    """At the dwell time of the training, with the noise it had."""
    found, labels = drawn(spectra, n_each, COUNTS, seed)
    noise = np.random.default_rng(seed).poisson(2.0, found.values.shape)
    return DenseCounts(found.values + noise), labels


def test_it_tells_phases_apart_at_the_dose_it_was_trained_at():
    measured, labels = measured_again(shapes(), 30, 5)
    found = trained().classify(measured)
    assert np.mean(found.labels != labels) < 0.05


def test_the_detector_finds_noise():
    noise = np.random.default_rng(0).poisson(200.0, (40, N_CHANNELS))
    assert not trained().classify(DenseCounts(noise)).is_known.any()


def test_nothing_counted_is_no_phase():
    found = trained().classify(DenseCounts(np.zeros((3, N_CHANNELS))))
    assert (found.labels == 0).all()
    assert np.isnan(found.oddness).all()


def test_a_file_holds_both_networks(tmp_path):
    used = np.ones(N_CHANNELS, bool)
    about = SpectrumConditions("EDS_SEM", 0.2, 0.02, used)
    PhaseModel(trained(), about).save(tmp_path / "seed.safetensors")
    loaded = load_phase_model(tmp_path / "seed.safetensors")
    assert isinstance(loaded.classifier, SeedClassifier)
    measured, _ = measured_again(np.vstack([shapes(), shape("foreign")]), 5, 6)
    first, second = trained().classify(measured), loaded.classify(measured)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    np.testing.assert_array_equal(first.oddness, second.oddness)


def test_training_tells_its_steps_and_survives_an_interrupt():
    measured, labels = drawn(shapes(), 3, COUNTS, 1)
    done = []

    def stop(n_steps):
        done.append(n_steps)
        if n_steps == 153:
            raise KeyboardInterrupt

    found = train_seed_classifier(measured, labels, NAMES, plan=PLAN, progress=stop)
    assert done == list(range(1, 154))
    assert found.training["interrupted"]
    assert found.classify(measured).probabilities.shape == (9, 3)


def test_the_stream_adds_two_counts_to_each_channel():
    measured, labels = drawn(shapes(), 4, COUNTS, 1)
    stream = SeedStream.of(measured, labels, NAMES)
    spectra, phases = stream.draw(300, 4)
    np.testing.assert_array_equal(np.bincount(phases), [100, 100, 100])
    own = measured.values[labels == 2].mean(axis=0)
    added = spectra[phases == 1].mean(axis=0) - own
    # 230 channels of 100 spectra: 23,000 draws of a Poisson variable of mean two; the
    # choice of four acquisitions moves single channels, not their sum
    assert added.mean() == pytest.approx(2, abs=0.1)


def test_a_phase_without_spectra_is_refused():
    measured, labels = drawn(shapes()[:2], 4, COUNTS, 1)
    with pytest.raises(ValueError, match="'c'"):
        train_seed_classifier(measured, labels, NAMES, plan=PLAN)
