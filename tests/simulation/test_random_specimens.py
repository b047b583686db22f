# SPDX-License-Identifier: GPL-3.0-or-later
"""Random compositions, and random images of them."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from hspy_ml.simulation.random_populations import draw_populations
from hspy_ml.simulation.random_specimens import draw_atomic_fractions

SMALL_RATIOS = {Fraction(a, b) for a in range(1, 5) for b in range(1, 5)}


def triangles(pixels, rng, n=200):
    """Squared areas of triangles of random pixels of one image."""
    a, b, c = (pixels[rng.integers(pixels.shape[0], size=n)] for _ in range(3))
    u, v = b - a, c - a
    square = (u**2).sum(axis=1) * (v**2).sum(axis=1)
    return square - (u * v).sum(axis=1) ** 2


def median_distance(atoms):
    """Of the pixels of each image from the middle one."""
    middle = np.median(atoms, axis=1, keepdims=True)
    return np.median(np.abs(atoms - middle).max(axis=2), axis=1)


@pytest.mark.parametrize("n_elements", [1, 2, 5, 11])
def test_fractions_are_on_the_simplex(n_elements):
    atoms = draw_atomic_fractions(700, n_elements, 0)
    assert atoms.shape == (700, n_elements)
    assert atoms.min() >= 0
    np.testing.assert_allclose(atoms.sum(axis=1), 1)


def test_no_element_is_preferred():
    """Means over 20,000 specimens, within 4.5 standard errors."""
    atoms = draw_atomic_fractions(20_000, 6, 1)
    error = atoms.std(axis=0) / np.sqrt(atoms.shape[0])
    assert (np.abs(atoms.mean(axis=0) - 1 / 6) < 4.5 * error).all()
    there = (atoms > 0).mean(axis=0)
    np.testing.assert_allclose(there, there.mean(), atol=0.02)


def test_elements_may_be_absent_or_alone():
    atoms = draw_atomic_fractions(5000, 4, 2)
    n_there = (atoms > 0).sum(axis=1)
    assert ((np.bincount(n_there, minlength=5) / 5000)[1:] > 0.05).all()


def test_every_pair_of_small_whole_numbers_occurs_as_a_compound():
    """AB, AB2 ... A4B3: exact ratios have no probability in a continuous draw."""
    atoms = draw_atomic_fractions(20_000, 3, 3)
    pairs = np.sort(atoms[(atoms > 0).sum(axis=1) == 2], axis=1)[:, 1:]
    ratios = pairs[:, 0] / pairs[:, 1]
    for wanted in (ratio for ratio in SMALL_RATIOS if ratio <= 1):
        assert (np.abs(ratios - float(wanted)) < 1e-9).sum() > 5, wanted
    exact = {Fraction(r).limit_denominator(4) for r in ratios}
    near = np.min([np.abs(ratios - float(r)) for r in exact | {0}], axis=0)
    assert (near > 1e-3).any()  # and mixtures that are no compound


def test_the_same_seed_gives_the_same_specimens():
    first = draw_atomic_fractions(60, 4, 7)
    np.testing.assert_array_equal(first, draw_atomic_fractions(60, 4, 7))
    assert not np.array_equal(first, draw_atomic_fractions(60, 4, 8))
    rng = np.random.default_rng(7)
    np.testing.assert_array_equal(first, draw_atomic_fractions(60, 4, rng))
    assert not np.array_equal(first, draw_atomic_fractions(60, 4, rng))


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (-1, 2)])
def test_nothing_to_draw_is_refused(sizes):
    with pytest.raises(ValueError, match="`n_specimens`"):
        draw_atomic_fractions(*sizes)


@pytest.mark.parametrize("n_elements", [1, 2, 5])
def test_pixels_of_images_are_on_the_simplex(n_elements):
    atoms, anything = draw_populations(90, 7, n_elements, 0)
    assert atoms.shape == (90, 7, n_elements)
    assert anything.shape == (90,)
    assert atoms.min() >= 0
    np.testing.assert_allclose(atoms.sum(axis=2), 1)


def test_images_hold_anything_or_something_in_common():
    """Some images are one composition nearly all over, some a line between two."""
    atoms, anything = draw_populations(300, 64, 4, 1)
    rng = np.random.default_rng(0)
    uniform = median_distance(atoms) < 1e-12
    on_a_line = [(triangles(pixels, rng) < 1e-20).mean() > 0.5 for pixels in atoms]
    on_a_line = np.array(on_a_line) & ~uniform
    assert uniform.any() and on_a_line.any()
    assert anything.any() and not anything.all()
    assert not (uniform | on_a_line)[anything].any()
    scatter = atoms.std(axis=1).mean(axis=1)
    other = ~(uniform | on_a_line | anything)
    assert scatter[other].mean() < 0.8 * scatter[anything].mean()


def test_an_image_of_anything_holds_what_any_specimen_could_be():
    """Kolmogorov-Smirnov of the largest fraction of each pixel."""
    atoms, anything = draw_populations(200, 30, 3, 4)
    found = atoms[anything].max(axis=2).ravel()
    wanted = draw_atomic_fractions(found.size, 3, 5).max(axis=1)
    assert stats.ks_2samp(found, wanted).pvalue > 1e-4


def test_a_few_pixels_of_an_image_are_something_else():
    atoms, _ = draw_populations(400, 64, 3, 2)
    alike = atoms[median_distance(atoms) < 1e-12]
    away = np.abs(alike - np.median(alike, axis=1, keepdims=True)).max(axis=2)
    assert 0 < (away > 1e-6).mean() < 0.2


def test_the_same_seed_gives_the_same_images():
    first = draw_populations(20, 9, 3, 5)
    for one, again in zip(first, draw_populations(20, 9, 3, 5), strict=True):
        np.testing.assert_array_equal(one, again)
    assert not np.array_equal(first[0], draw_populations(20, 9, 3, 6)[0])
