# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on example images: targets by their formula, and what it is good for."""

import numpy as np
import pytest

from hspy_ml.sampling.choice import Chooser
from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.regressor import Regressor
from hspy_ml.sampling.train_default import TRAINING_KINDS, training_images
from hspy_ml.sampling.training import (
    area_under_distortion,
    begin,
    distortions,
    features_of,
    train_linear,
)
from hspy_ml.sampling.training_kernels import approximate_reduction
from hspy_ml.sampling.training_network import train_network

SIDE = 48


def images(kind, seeds):
    return [
        draw_label_image_of_density(kind, (SIDE, SIDE), 2, 0.1, seed) for seed in seeds
    ]


def test_the_reduction_is_the_sum_over_the_window():
    (truth,) = images("fields", [1])
    labels = np.zeros_like(truth)
    labels[::9, ::9] = truth[::9, ::9]
    chooser = Chooser(labels, labels == 0, Regressor.from_rule())
    is_wrong = chooser.maps.image != truth
    places = np.flatnonzero(labels == 0)[::37]
    found = np.zeros(places.size)
    approximate_reduction(chooser.maps, truth, places, 4.0, 7, found)
    rows, columns = np.indices(truth.shape)
    for place, reduction in zip(places, found, strict=True):
        y, x = divmod(place, SIDE)
        square = (rows - y) ** 2 + (columns - x) ** 2
        window = np.maximum(abs(rows - y), abs(columns - x)) <= 7
        d = np.sqrt(square[labels > 0].min())
        kernel = np.exp(-square / (2 * (d / 4) ** 2))
        assert reduction == pytest.approx((kernel * window * is_wrong).sum())


@pytest.fixture(scope="module")
def regressors():
    train = images("fields", [1, 2, 3]) + images("grains", [4, 5])
    return {
        "linear": train_linear(train, 8.0, random_state=0),
        "network": train_network(train, 0.2, n_rounds=1, n_steps=1000, random_state=0),
        "rule": Regressor.from_rule(),
    }


def test_training_beats_the_rule_on_another_kind_of_image(regressors):
    """Lamellae, after fields and grains: what is left wrong at 16 %."""
    tests = images("lamellae", range(100, 106))
    wrong = {
        name: np.median([distortions(image, regressor, [0.16])[0] for image in tests])
        for name, regressor in regressors.items()
    }
    assert wrong["linear"] < wrong["rule"]
    assert wrong["network"] < wrong["rule"]


def test_the_score_counts_the_distance_more_where_labels_agree():
    """Powers 0 and 0, or 0.5 and 2: the scores differ by them times log d_1."""
    train = images("fields", [1])
    low, high = (
        train_network(train, distance_powers=p, n_rounds=1, n_steps=20, random_state=0)
        for p in ((0, 0), (0.5, 2))
    )
    pattern = np.argwhere(np.random.default_rng(0).random((SIDE, SIDE)) < 0.05)
    maps, raised = (begin(train[0], pattern, r).maps for r in (low, high))
    is_open = maps.is_open
    near = maps.near[is_open].astype(int)
    labels = train[0][tuple((np.argwhere(is_open)[:, None] + near).T)].T
    agree = (labels == labels[:, :1]).all(axis=1)
    distance = np.hypot(*near[:, 0].T)
    assert 0.1 < agree.mean() < 0.9
    np.testing.assert_allclose(
        raised.score[is_open] - maps.score[is_open],
        np.where(agree, 2, 0.5) * np.log(distance),
        atol=1e-4,
    )


def test_training_repeats(regressors):
    train = images("fields", [1, 2, 3]) + images("grains", [4, 5])
    again = train_linear(train, 8.0, random_state=0)
    np.testing.assert_array_equal(
        again.coefficients.theta, regressors["linear"].coefficients.theta
    )


def test_c_is_the_one_with_the_least_distortion_on_the_examples():
    train = images("fields", [1])
    best = train_linear(train, random_state=0)
    assert best.training["c"] in (2, 4, 8, 16, 32)
    area = area_under_distortion(train[0], best)
    fixed = train_linear(train, 32.0, random_state=0)
    assert area <= area_under_distortion(train[0], fixed) + 1e-3


def test_distortion_falls_to_zero():
    (image,) = images("grains", [7])
    wrong = distortions(image, Regressor.from_rule(), [0.05, 0.2, 0.5, 1.0], 0)
    assert (np.diff(wrong) <= 0).all()
    assert wrong[0] > 0 == wrong[-1]


def test_features_are_of_the_places_that_were_asked_for():
    (image,) = images("grains", [7])
    pattern = np.argwhere(np.random.default_rng(0).random(image.shape) < 0.05)
    chooser = begin(image, pattern, Regressor.from_rule())
    places = np.flatnonzero(chooser.maps.is_open)[::50]
    distance = features_of(chooser, places)[:, 2]
    offsets = np.column_stack(np.divmod(places, SIDE))[:, None] - pattern
    np.testing.assert_allclose(
        distance, np.linalg.norm(offsets, axis=2).min(axis=1), rtol=1e-6
    )


@pytest.mark.parametrize(
    "bad", [[], [np.zeros((5, 5), int)], [np.ones((5, 5))], [np.ones(5, int)]]
)
def test_what_are_no_label_images_are_refused(bad):
    for train in (train_linear, train_network):
        with pytest.raises(ValueError, match="`images`"):
            train(bad)


def test_the_default_is_trained_on_no_kind_of_the_benchmarks_scenes():
    train, shares = training_images()
    assert len(train) == len(shares)
    assert {image.max() for image in train} == {2, 3, 4}
    assert not {"lamellae", "powder"} & set(TRAINING_KINDS)


@pytest.mark.slow
def test_the_default_can_be_made_again():
    from hspy_ml.sampling.regressor import default_regressor
    from hspy_ml.sampling.train_default import train_default

    made, kept = train_default().coefficients, default_regressor().coefficients
    for one, other in zip(made, kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
