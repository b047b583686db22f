# SPDX-License-Identifier: GPL-3.0-or-later
"""Empirical Bayes with a posterior that is known: normal prior, normal noise."""

import numpy as np
import pytest

from hspy_ml.quantification.image_prior import (
    KnownTotal,
    moments_of_image,
    moments_of_neighbours,
)

NOISE = np.array([0.05, 0.08])  # of a measurement of each of two elements
ANYTHING = np.array([0.5, 0.5, 0.3, 0.3])


def normal_posterior(measured):
    """Conjugate: precisions add, means are weighed by them."""

    def posterior(moments):
        mean, scatter = moments[:, :2], np.maximum(moments[:, 2:], 1e-9)
        precision = 1 / scatter**2 + 1 / NOISE**2
        return (mean / scatter**2 + measured / NOISE**2) / precision, precision**-0.5

    return posterior


def image_of(truth, seed=0):
    rng = np.random.default_rng(seed)
    return truth + NOISE * rng.standard_normal(truth.shape)


def scattered(n, mean, scatter, seed=1):
    rng = np.random.default_rng(seed)
    return np.asarray(mean) + np.asarray(scatter) * rng.standard_normal((n, 2))


def around(measured, shape, weight=None, there=None, start=ANYTHING, known=None):
    there = np.ones(int(np.prod(shape)), bool) if there is None else there
    weight = np.ones(there.sum()) if weight is None else weight
    posterior = normal_posterior(measured)
    return moments_of_neighbours(posterior, start, shape, there, weight, known)


def rms(values):
    return np.sqrt(np.mean(values**2))


def test_moments_of_an_image_are_those_of_the_truth():
    """Scatter 0.1 and 0.2 under noise of 0.05 and 0.08: the noise is taken off."""
    truth = scattered(4000, [0.3, 0.7], [0.1, 0.2])
    posterior = normal_posterior(image_of(truth))
    mean, scatter = np.split(moments_of_image(posterior, ANYTHING, np.ones(4000)), 2)
    np.testing.assert_allclose(mean, [0.3, 0.7], atol=0.02)
    np.testing.assert_allclose(scatter, [0.1, 0.2], rtol=0.1)


def test_an_image_of_one_composition_has_a_scatter_below_the_noise():
    posterior = normal_posterior(image_of(np.tile([0.4, 0.6], (2500, 1))))
    moments = moments_of_image(posterior, ANYTHING, np.ones(2500))
    np.testing.assert_allclose(moments[:2], [0.4, 0.6], atol=0.01)
    assert (moments[2:] < NOISE).all()


def test_the_start_hardly_matters():
    truth = scattered(3000, [0.3, 0.7], [0.1, 0.2])
    posterior = normal_posterior(image_of(truth))
    narrow = np.array([0.5, 0.5, 0.15, 0.15])
    first, second = (
        moments_of_image(posterior, start, np.ones(3000))
        for start in (ANYTHING, narrow)
    )
    np.testing.assert_allclose(first, second, atol=0.01)


def test_pixels_without_weight_tell_an_image_nothing():
    measured = image_of(scattered(900, [0.3, 0.7], [0.1, 0.1]))
    weight = np.ones(900)
    weight[::3] = 0
    wild = measured.copy()
    wild[::3] = 77.0
    first, second = (
        moments_of_image(posterior, ANYTHING, weight)
        for posterior in map(normal_posterior, (measured, wild))
    )
    np.testing.assert_allclose(first, second, rtol=1e-12)
    nothing = moments_of_image(normal_posterior(wild), ANYTHING, np.zeros(900))
    np.testing.assert_array_equal(nothing, ANYTHING)


def test_weights_are_relative():
    measured = image_of(scattered(400, [0.3, 0.7], [0.1, 0.1]))
    first, second = (
        moments_of_image(normal_posterior(measured), ANYTHING, np.full(400, w))
        for w in (1.0, 0.25)
    )
    np.testing.assert_allclose(first, second, rtol=1e-12)


def test_halves_of_an_image_keep_their_own_moments():
    """Far from the boundary each half has its mean, and a scatter below the noise."""
    truth = np.zeros((30, 50, 2))
    truth[:, :25], truth[:, 25:] = [0.2, 0.8], [0.7, 0.3]
    measured = image_of(truth.reshape(-1, 2))
    moments = around(measured, (30, 50)).reshape(30, 50, 4)
    for half in (slice(0, 15), slice(35, 50)):
        wanted = truth[:, half]
        assert rms(moments[:, half, :2] - wanted) < 0.5 * NOISE.mean()
        assert np.median(moments[:, half, 2:]) < NOISE.mean()
    alone = around(measured.reshape(30, 50, 2)[:, :25].reshape(-1, 2), (30, 25))
    far = alone.reshape(30, 25, 4)[:, :5]
    np.testing.assert_allclose(moments[:, :5], far, atol=5e-3)


def test_a_boundary_has_a_larger_scatter():
    """So that pixels there are judged by themselves."""
    truth = np.zeros((20, 40, 2))
    truth[:, :20], truth[:, 20:] = [0.1, 0.9], [0.8, 0.2]
    measured = image_of(truth.reshape(-1, 2))
    scatter = around(measured, (20, 40)).reshape(20, 40, 4)[..., 2:]
    assert scatter[:, 19:21].mean() > 3 * scatter[:, [2, 3, 36, 37]].mean()
    moments = around(measured, (20, 40))
    mean, _ = normal_posterior(measured)(moments)
    errors = (mean - truth.reshape(-1, 2)).reshape(20, 40, 2)
    assert rms(errors[:, 19:21]) < 1.3 * NOISE.max()


def test_neighbours_of_one_composition_average_the_noise_away():
    truth = np.tile([0.4, 0.6], (36 * 44, 1))
    measured = image_of(truth)
    mean, deviation = normal_posterior(measured)(around(measured, (36, 44)))
    assert rms(mean - truth) < 0.6 * rms(measured - truth)
    assert (deviation < NOISE).all()


def test_scattered_pixels_are_not_smoothed():
    """Where neighbours differ by far more than the noise, each is left as it is."""
    truth = scattered(900, [0.5, 0.5], [0.4, 0.5])
    measured = image_of(truth)
    mean, _ = normal_posterior(measured)(around(measured, (30, 30)))
    assert rms(mean - measured) < 0.3 * NOISE.mean()


def test_scatter_around_a_pixel_is_that_of_the_truth():
    """0.1 under noise of 0.05 and 0.08: neither added nor taken off twice."""
    truth = scattered(40 * 45, [0.5, 0.5], [0.1, 0.1])
    moments = around(image_of(truth), (40, 45))
    np.testing.assert_allclose(rms(moments[:, 2:]), 0.1, rtol=0.25)
    np.testing.assert_allclose(rms(moments[:, 3]), rms(moments[:, 2]), rtol=0.25)


def test_moments_move_with_the_image():
    """Away from the edges."""
    truth = scattered(26 * 31, [0.4, 0.6], [0.1, 0.1])
    image = image_of(truth).reshape(26, 31, 2)
    moved = np.roll(image, (2, 3), axis=(0, 1))
    first, second = (
        around(m.reshape(-1, 2), (26, 31)).reshape(26, 31, 4) for m in (image, moved)
    )
    back = np.roll(second, (-2, -3), axis=(0, 1))
    inside = (slice(11, 13), slice(13, 16))
    np.testing.assert_allclose(back[inside], first[inside], atol=3e-3)


def test_axes_can_be_exchanged():
    measured = image_of(scattered(12 * 17, [0.4, 0.6], [0.1, 0.1]))
    upright = measured.reshape(12, 17, 2).transpose(1, 0, 2).reshape(-1, 2)
    first = around(measured, (12, 17)).reshape(12, 17, 4)
    second = around(upright, (17, 12)).reshape(17, 12, 4)
    np.testing.assert_allclose(second.transpose(1, 0, 2), first, rtol=1e-9, atol=1e-9)


def test_neighbours_without_weight_tell_nothing():
    measured = image_of(scattered(14 * 19, [0.4, 0.6], [0.1, 0.1]))
    weight = np.ones(14 * 19)
    weight[40:60] = 0
    wild = measured.copy()
    wild[40:60] = -55.0
    first, second = (around(m, (14, 19), weight) for m in (measured, wild))
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12)


def test_pixels_that_are_not_there_tell_nothing_either():
    """An image with a hole: as if those pixels had no weight."""
    measured = image_of(scattered(14 * 19, [0.4, 0.6], [0.1, 0.1]))
    there = np.ones(14 * 19, bool)
    there[70:100] = False
    holed = around(measured[there], (14, 19), there=there)
    weighted = around(measured, (14, 19), weight=there.astype(float))
    np.testing.assert_allclose(holed, weighted[there], rtol=1e-9, atol=1e-12)


def test_a_pixel_far_from_all_others_has_the_moments_of_the_image():
    there = np.zeros(40 * 50, bool)
    there[:30] = True
    there[-1] = True
    weight = np.ones(31)
    weight[-1] = 0
    measured = np.full((31, 2), 0.9)
    start = np.array([0.2, 0.8, 0.1, 0.1])
    moments = around(measured, (40, 50), weight, there, start)
    np.testing.assert_array_equal(moments[-1], start)
    assert not np.allclose(moments[0], start)


@pytest.mark.parametrize("shape", [(60,), (1, 60), (60, 1), (4, 3, 5)])
def test_images_of_any_number_of_axes(shape):
    measured = image_of(np.tile([0.4, 0.6], (60, 1)))
    moments = around(measured, shape)
    assert moments.shape == (60, 4)
    assert np.isfinite(moments).all()
    assert (moments[:, 2:] >= 0).all()
    assert rms(moments[:, :2] - [0.4, 0.6]) < rms(measured - [0.4, 0.6])


def test_a_known_total_takes_an_error_that_all_pixels_share():
    """All measured 0.1 too high and too low, as an unknown background does it."""
    truth = scattered(30 * 37, [0.4, 0.6], [0.05, 0.05])
    measured = image_of(truth) + [0.1, -0.1]
    known = KnownTotal(truth.mean(axis=0), np.ones(1110))
    posterior = normal_posterior(measured)
    image = moments_of_image(posterior, ANYTHING, np.ones(1110), known)
    np.testing.assert_allclose(image[:2], truth.mean(axis=0), atol=5e-3)
    blind = moments_of_image(posterior, ANYTHING, np.ones(1110))
    np.testing.assert_allclose(blind[:2], truth.mean(axis=0) + [0.1, -0.1], atol=0.01)
    moments = around(measured, (30, 37), known=known)
    np.testing.assert_allclose(moments[:, :2].mean(axis=0), [0.4, 0.6], atol=0.01)


def test_levelled_compositions_have_the_known_total():
    """Weighed by amounts; as long as no fraction would leave 0 to 1."""
    rng = np.random.default_rng(0)
    mean, amounts = rng.uniform(0.4, 0.6, (23, 2)), rng.uniform(0, 5, 23)
    levelled = KnownTotal(np.array([0.45, 0.55]), amounts).levelled(mean)
    np.testing.assert_allclose(amounts @ levelled / amounts.sum(), [0.45, 0.55])
    shift = levelled - mean
    np.testing.assert_allclose(shift, shift[:1].repeat(23, axis=0))
    far = KnownTotal(np.array([0.0, 1.0]), amounts).levelled(mean)
    assert far.min() >= 0
    assert far.max() <= 1
