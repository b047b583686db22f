# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of few counts, corrected by their neighbours."""

import numpy as np
import pytest

from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.patterns import random_pattern
from hspy_ml.sampling.reconstruction_labels import refined_labels

SHAPE = (80, 64)


@pytest.fixture(scope="module")
def truth():
    return draw_label_image_of_density("fields", SHAPE, 2, 0.08, 3)


def noisy_labels(true, separation, seed=0):
    """Labels by a signal with Gaussian noise, and their right probabilities."""
    rng = np.random.default_rng(seed)
    ratio = separation * rng.normal((true - 1.5) * separation, 1.0)
    second = 1 / (1 + np.exp(-ratio))
    probabilities = np.column_stack([1 - second, second])
    return 1 + probabilities.argmax(axis=1), probabilities


def test_errors_become_fewer(truth):
    positions = random_pattern(SHAPE, 1500, 1)
    true = truth[tuple(positions.T)]
    labels, probabilities = noisy_labels(true, 4.0)
    before = (labels != true).mean()
    after = (refined_labels(SHAPE, positions, labels, probabilities) != true).mean()
    assert before > 0.015  # 2.3 % are expected
    assert after < 0.5 * before


def test_sure_labels_stay_whatever_is_around(truth):
    positions = random_pattern(SHAPE, 600, 2)
    labels = np.random.default_rng(0).integers(1, 3, size=600)
    sure = np.where(labels[:, None] == [1, 2], 0.99, 0.01)
    found = refined_labels(SHAPE, positions, labels, sure)
    np.testing.assert_array_equal(found, labels)


def test_without_a_spectrum_the_neighbours_decide(truth):
    positions = random_pattern(SHAPE, 1500, 4)
    true = truth[tuple(positions.T)]
    found = refined_labels(SHAPE, positions, true, np.full((1500, 2), 0.5))
    assert 0.85 < (found == true).mean() < 1


def test_ill_spectra_stay_ill(truth):
    positions = random_pattern(SHAPE, 50, 5)
    labels = truth[tuple(positions.T)].copy()
    labels[7] = 0
    found = refined_labels(SHAPE, positions, labels, np.full((50, 2), 0.5))
    assert found[7] == 0
    assert (np.delete(found, 7) > 0).all()


@pytest.mark.parametrize("wrong", [np.ones((4, 2)), np.full((3, 2), 0.4), [[1, 0]] * 2])
def test_bad_probabilities_are_named(wrong):
    positions = np.array([[0, 0], [3, 3], [5, 5]])
    with pytest.raises(ValueError, match="`probabilities`"):
        refined_labels((8, 8), positions, np.array([1, 2, 1]), wrong)
