# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole factorisation: maps, brightness, diagnostics."""

import numpy as np
import pytest
import scenes

from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.diagnostics import deviances
from hspy_ml.factorization.factorize import factorize
from hspy_ml.factorization.maps import Neighbourhood
from hspy_ml.factorization.thickness import (
    brightness_from_physics,
    brightness_from_totals,
    is_constant,
)

SHAPE = (56, 61)


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(21)
    maps = scenes.grains_in_a_matrix(SHAPE, rng, 0.5, n=10)
    return scenes.draw(maps, SHAPE, 120, rng)


@pytest.fixture(scope="module")
def found(scene):
    return factorize(scene.image, scene.g_matrix, 3, random_state=0)[0]


def _order(scene, found):
    composition = found.weights[:-1] / found.weights[:-1].sum(axis=0)
    return scenes.best_order(composition, scene.composition)


def _nmse(scene, abundances):
    return ((abundances - scene.abundances) ** 2).sum() / (scene.abundances**2).sum()


def test_maps_beat_a_fit_of_each_pixel_that_knows_the_spectra(scene, found):
    from hspy_ml.factorization.likelihood import fit_abundances

    spectra = scene.g_matrix.matrix @ scene.weights
    oracle = fit_abundances(scene.image.counts, spectra).abundances
    ours = found.abundances[:, _order(scene, found)]
    assert _nmse(scene, ours) < 0.5 * _nmse(scene, oracle)


def test_abundances_sum_to_one_and_the_most_abundant_is_first(found):
    np.testing.assert_allclose(found.abundances.sum(axis=1), 1.0)
    assert (found.abundances >= 0).all()
    assert np.all(np.diff(found.abundances.mean(axis=0)) <= 0)


def test_equal_brightness_is_found_from_the_totals(scene, found):
    assert found.settings["mass_thickness"] == "constant"
    np.testing.assert_array_equal(found.pixel_scale, 1.0)
    brightness = (scene.g_matrix.matrix @ found.weights).sum(axis=0)
    # The totals of a minor phase's pixels tell its brightness to a few percent.
    np.testing.assert_allclose(brightness, 120.0, rtol=0.08)


def test_a_wedge_is_noticed_and_given_back():
    rng = np.random.default_rng(22)
    maps = scenes.grains_side_by_side(SHAPE, rng)
    thickness = np.linspace(0.4, 1.6, maps.shape[0])
    wedge = scenes.draw(maps, SHAPE, 150, rng, thickness)
    found = factorize(wedge.image, wedge.g_matrix, 3, random_state=0)[0]
    assert found.settings["mass_thickness"] == "free"
    # Counts of a pixel scatter by 8 %; what is proportional to mass is brightness
    # per amount, which differs between phases by less than 20 % here.
    correlation = np.corrcoef(found.pixel_scale, thickness)[0, 1]
    assert correlation > 0.9
    ours = found.abundances[:, _order(wedge, found)]
    assert _nmse(wedge, ours) < 0.03


def test_an_empty_pixel_of_a_film_with_holes_is_nan():
    rng = np.random.default_rng(23)
    maps = scenes.grains_side_by_side(SHAPE, rng)
    thickness = np.ones(maps.shape[0])
    thickness[100:180] = 0.0
    holes = scenes.draw(maps, SHAPE, 60, rng, thickness)
    found = factorize(holes.image, holes.g_matrix, 3, random_state=0)[0]
    assert np.isnan(found.abundances[100:180]).all()
    assert np.isfinite(found.abundances[:100]).all()
    np.testing.assert_array_equal(found.pixel_scale[100:180], 0.0)


def test_excluded_pixels_are_nan_and_do_not_matter():
    rng = np.random.default_rng(24)
    maps = scenes.grains_side_by_side(SHAPE, rng)
    whole = scenes.draw(maps, SHAPE, 100, rng)
    mask = np.zeros(maps.shape[0], dtype=bool)
    mask[:300] = True
    from hspy_ml.factorization.factorize import CountedImage

    spectra = whole.g_matrix.matrix @ whole.weights
    counts = counts_from_array(rng.poisson(maps[~mask] @ spectra.T))
    image = CountedImage(counts, SHAPE, np.flatnonzero(~mask))
    found = factorize(image, whole.g_matrix, 3, random_state=0)[0]
    assert np.isnan(found.abundances[mask]).all()
    assert np.isfinite(found.abundances[~mask]).all()


def test_the_loss_never_rises(found):
    assert np.all(np.diff(found.loss) <= 1e-12 * np.abs(found.loss[0]))


def test_the_mean_of_neighbours_leaves_the_pixel_out():
    neighbourhood = Neighbourhood((5, 6), np.arange(30))
    impulse = np.zeros((30, 1))
    impulse[14] = 1.0
    mean = neighbourhood.mean(impulse)
    assert mean[14, 0] == pytest.approx(0.0, abs=1e-12)
    assert mean[13, 0] > mean[12, 0] > 0
    np.testing.assert_allclose(neighbourhood.mean(np.full((30, 2), 0.3)), 0.3)


def test_masked_pixels_are_no_neighbours():
    pixels = np.delete(np.arange(30), [13, 15])
    neighbourhood = Neighbourhood((5, 6), pixels)
    np.testing.assert_allclose(neighbourhood.mean(np.full((28, 1), 0.7)), 0.7)


def test_brightness_from_totals_of_known_shares():
    rng = np.random.default_rng(25)
    abundances = rng.dirichlet([2.0, 0.5, 0.5], 3000)
    brightness = np.array([80.0, 160.0, 40.0])
    shares = abundances * brightness
    mean = shares.sum(axis=1)
    totals = rng.poisson(mean)
    found = brightness_from_totals(shares / mean[:, None], totals)
    # 3000 totals of 80 counts: half a percent of the whole, a few of a minor phase.
    np.testing.assert_allclose(found, brightness, rtol=0.04)
    assert is_constant(shares / mean[:, None], totals, found)
    scattered = rng.poisson(mean * rng.uniform(0.7, 1.3, 3000))
    assert not is_constant(shares / mean[:, None], scattered, found)


@pytest.mark.parametrize("level", [0.05, 3.0])
def test_deviances_are_those_of_the_textbook(level):
    rng = np.random.default_rng(26)
    spectra = rng.gamma(2.0, size=(17, 3))
    loadings = rng.gamma(2.0, size=(13, 3)) * level
    mean = loadings @ spectra.T
    data = rng.poisson(mean)
    log_ratio = np.where(data > 0, data * np.log(np.maximum(data, 1) / mean), 0.0)
    expected = 2 * (log_ratio - (data - mean))
    of_pixels, of_channels = deviances(counts_from_array(data), spectra, loadings)
    np.testing.assert_allclose(of_pixels, expected.sum(axis=1))
    np.testing.assert_allclose(of_channels, expected.sum(axis=0))


def test_brightness_is_counts_per_amount_and_finite_without_elements():
    g = scenes.g_matrix()
    totals = g.matrix.sum(axis=0)
    amounts = np.array([0.3, 0.2, 0.2, 0.2, 0.1, 0.0])
    continuum = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    shares = np.column_stack([amounts * totals, continuum * totals])
    shares /= shares.sum(axis=0)
    found = brightness_from_physics(shares, g)
    assert found[0] == pytest.approx(amounts @ totals / amounts.sum())
    assert np.isfinite(found[1])
