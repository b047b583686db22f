# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from hspy_ml.classification.area_fractions import area_fractions
from hspy_ml.classification.classified import Classified

NAMES = ("a", "b", "c")


def classified(probabilities, odd=0.0):
    n = len(probabilities)
    return Classified(
        NAMES[: probabilities.shape[1]],
        probabilities.astype(np.float32),
        np.broadcast_to(odd, n).astype(np.float32),
        np.ones(n, np.float32),
    )


def noisy_map(shares, n, separation, rng, prior=None):
    """Labels, and probabilities from a measurement with errors of one."""
    truth = rng.choice(len(shares), n, p=shares)
    means = separation * np.eye(len(shares))
    x = means[truth] + rng.standard_normal((n, len(shares)))
    logs = -0.5 * ((x[:, None] - means) ** 2).sum(axis=2)
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    odds = odds if prior is None else odds * prior
    return truth, odds / odds.sum(axis=1, keepdims=True)


def test_certain_labels_leave_no_error():
    one_hot = np.eye(3)[[0, 0, 0, 1, 1, 2, 2, 2]]
    found = area_fractions(classified(one_hot))
    np.testing.assert_allclose(found.estimate, [3 / 8, 2 / 8, 3 / 8])
    np.testing.assert_allclose(found.standard_error, 0, atol=1e-6)
    np.testing.assert_allclose(found.interval_95[:, 0], found.estimate, atol=1e-4)


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered, n = np.zeros(2), 150
    for _ in range(n):
        truth, p = noisy_map([0.7, 0.25, 0.05], 1500, 2.2, rng)
        shares = np.bincount(truth, minlength=3) / truth.size
        found = area_fractions(classified(p))
        for level, ends in enumerate((found.interval_68, found.interval_95)):
            covered[level] += ((ends[:, 0] <= shares) & (shares <= ends[:, 1])).mean()
    # 150 maps of two independent shares: errors 0.03 and 0.013, of which three.
    assert covered / n == pytest.approx([0.68, 0.95], abs=0.08)


def test_counting_labels_is_biased_and_this_is_not():
    rng = np.random.default_rng(1)
    truth, p = noisy_map([0.95, 0.05], 20_000, 1.0, rng)
    shares = np.bincount(truth, minlength=2) / truth.size
    found = area_fractions(classified(p))
    counted = (p.argmax(axis=1) == 1).mean()
    assert abs(counted - shares[1]) > 10 * abs(found.estimate[1] - shares[1])
    assert abs(found.estimate[1] - shares[1]) < 3 * found.standard_error[1]


def test_prior_shares_of_the_classifier_do_not_pull():
    prior = np.array([0.8, 0.1, 0.1])
    _, p = noisy_map([0.3, 0.3, 0.4], 3000, 2.0, np.random.default_rng(2))
    _, pulled = noisy_map([0.3, 0.3, 0.4], 3000, 2.0, np.random.default_rng(2), prior)
    plain = area_fractions(classified(p))
    found = area_fractions(classified(pulled), prior)
    np.testing.assert_allclose(found.estimate, plain.estimate, atol=2e-4)


def test_unknown_and_empty_pixels_are_left_out():
    p = np.eye(2)[[0, 1, 1, 1, 0]]
    found = area_fractions(classified(p, [0.0, 0.0, 5.0, np.nan, 0.0]))
    np.testing.assert_allclose(found.estimate, [2 / 3, 1 / 3])
    assert found.unknown == pytest.approx(1 / 4)


def test_nothing_known():
    found = area_fractions(classified(np.eye(2), 9.0))
    assert np.isnan(found.estimate).all() and np.isnan(found.interval_68).all()
    assert found.unknown == 1


def test_one_phase_fills_the_map():
    found = area_fractions(classified(np.ones((7, 1))))
    assert found.estimate == 1 and found.standard_error == 0


def test_indistinguishable_phases_have_wide_intervals():
    found = area_fractions(classified(np.full((100, 2), 0.5)))
    assert found.interval_95[0, 0] < 0.1 and found.interval_95[0, 1] > 0.9
