# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that is trained on the spot says what is true on average."""

import numpy as np

from hspy_ml.sampling.distortion import DistortionEstimator
from hspy_ml.sampling.distortion_training import (
    examples_of_run,
    join_examples,
    train_doubt_model,
)
from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.patterns import random_pattern


def run(seed):
    truth = draw_label_image_of_density("fields", (64, 64), 2, 0.08, seed)
    return truth, random_pattern(truth.shape, 700, seed)


def test_trained_model_is_calibrated_on_its_kind_and_repeats():
    examples = join_examples(
        examples_of_run(*run(seed), [0.08, 0.16], seed) for seed in range(10)
    )
    model = train_doubt_model(examples, n_steps=250, random_state=3)
    again = train_doubt_model(examples, n_steps=250, random_state=3)
    np.testing.assert_array_equal(model.network.weights_1, again.network.weights_1)
    expected, wrong = 0.0, 0.0
    for seed in range(100, 108):
        truth, positions = run(seed)
        estimator = DistortionEstimator(truth.shape, model)
        estimator.update(positions, truth[tuple(positions.T)])
        expected += estimator.error_probability.mean()
        wrong += (estimator.reconstruction != truth).mean()
    assert 0.75 < expected / wrong < 1.3  # about 1100 wrong pixels in clusters


def test_examples_stand_for_all_pixels_not_measured():
    truth, positions = run(1)
    examples = examples_of_run(truth, positions, [0.1], 0)
    n_open = truth.size - round(0.1 * truth.size)
    # pixels whose nearest agree are thinned to a tenth
    assert abs(examples.counts.sum() / n_open - 1) < 0.1
    assert len(examples.wrong) < 0.95 * n_open
