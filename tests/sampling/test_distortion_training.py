# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that is trained on the spot says what is true on average."""

import numpy as np

from hspy_ml.sampling.distortion import DistortionEstimator
from hspy_ml.sampling.distortion_course import COURSE_FEATURES
from hspy_ml.sampling.distortion_law import CourseExamples, course_of_run, train_law
from hspy_ml.sampling.distortion_model import DoubtModel, default_doubt_model
from hspy_ml.sampling.distortion_training import (
    examples_of_run,
    join_examples,
    train_network,
)
from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.patterns import random_pattern
from hspy_ml.sampling.reconstruction import reconstruct


def run(seed):
    truth = draw_label_image_of_density("fields", (64, 64), 2, 0.08, seed)
    return truth, random_pattern(truth.shape, 700, seed)


def test_trained_model_is_calibrated_on_its_kind_and_repeats():
    examples = join_examples(
        examples_of_run(*run(seed), [0.08, 0.16], seed) for seed in range(6)
    )
    network = train_network(examples, n_steps=150, random_state=3)
    again = train_network(examples, n_steps=150, random_state=3)
    np.testing.assert_array_equal(network.weights_1, again.weights_1)
    model = DoubtModel(network)
    expected, wrong = 0.0, 0.0
    for seed in range(100, 106):
        truth, positions = run(seed)
        estimator = DistortionEstimator(truth.shape, model)
        estimator.update(positions, truth[tuple(positions.T)])
        expected += estimator.error_probability.mean()
        wrong += (estimator.reconstruction != truth).mean()
    assert 0.75 < expected / wrong < 1.3  # about 800 wrong pixels in clusters


def test_examples_stand_for_all_pixels_not_measured():
    truth, positions = run(1)
    examples = examples_of_run(truth, positions, [0.1], 0)
    n_open = truth.size - round(0.1 * truth.size)
    # pixels whose nearest agree are thinned to a tenth
    assert abs(examples.counts.sum() / n_open - 1) < 0.1
    assert len(examples.wrong) < 0.95 * n_open


def test_law_finds_what_is_linear_in_the_features_and_ignores_outliers():
    rng = np.random.default_rng(5)
    features = rng.normal(size=(600, len(COURSE_FEATURES)))
    features[:200, -1] = np.nan  # not known in young samplings
    expected = rng.uniform(100, 300, size=600)
    wrong = expected * np.exp(0.3 * features[:, 0] - 0.2)
    wrong[:30] *= 6
    law = train_law(CourseExamples(features, np.full(600, 2e4), expected, wrong))
    told = law.correction(features[30:])
    np.testing.assert_allclose(
        told, np.exp(0.3 * np.clip(features[30:, 0], -3, 3) - 0.2), rtol=0.1
    )


def test_course_of_a_run_counts_wrong_pixels_and_repeats():
    truth, positions = run(4)
    model = DoubtModel(default_doubt_model().network)
    found = course_of_run(truth, positions, model, [0.05, 0.1, 0.17])
    again = course_of_run(truth, positions, model, [0.05, 0.1, 0.17])
    np.testing.assert_array_equal(found.features, again.features)
    image = reconstruct(truth.shape, positions[:205], truth[tuple(positions[:205].T)])
    assert found.wrong[0] == (image != truth).sum()
    assert (np.diff(found.wrong) < 0).all()
    assert (found.n_pixels == truth.size).all()
