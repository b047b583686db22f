# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases coarse to fine: recovery, invariances, repetition."""

import numpy as np
import pytest
import scenes

from hspy_ml.factorization.multiscale import bin_image, block_sizes, find_phases


def _found(scene, n_phases=3, **options):
    options = {"random_state": 0, **options}
    return find_phases(
        scene.image.counts,
        scene.g_matrix.matrix / scene.g_matrix.matrix.sum(axis=0),
        n_phases,
        map_shape=scene.image.map_shape,
        pixels=scene.image.pixels,
        **options,
    )


def _composition(scene, phases):
    amounts = phases.column_shares / scene.g_matrix.matrix.sum(axis=0)[:, None]
    return amounts[:-1] / amounts[:-1].sum(axis=0)


def _error(scene, phases):
    found = _composition(scene, phases)
    order = scenes.best_order(found, scene.composition)
    return 100 * np.abs(found[:, order] - scene.composition).mean()


@pytest.mark.parametrize("top", [0.5, 1.0])
@pytest.mark.parametrize("counts", [20, 100, 400])
def test_grains_in_a_matrix(counts, top):
    # 0.2 million counts in all at the lowest dose, of which a minor phase has a few
    # percent: its composition cannot be known much better than to 1 at.%.
    shape = (96, 101)
    rng = np.random.default_rng(11)
    maps = scenes.grains_in_a_matrix(shape, rng, top, n=18)
    scene = scenes.draw(maps, shape, counts, rng)
    assert _error(scene, _found(scene)) < {20: 2.0, 100: 1.0, 400: 0.7}[counts]


@pytest.mark.parametrize("seed", range(5))
def test_grains_side_by_side_from_any_seed(seed):
    rng = np.random.default_rng(12)
    scene = scenes.draw(scenes.grains_side_by_side((41, 52), rng), (41, 52), 150, rng)
    assert _error(scene, _found(scene, random_state=seed)) < 0.5


def _two_halves(shape, width):
    """Shares of a phase on the left and another on the right of a wavy boundary."""
    y, x = np.indices(shape)
    distance = x - shape[1] / 2 + 3 * np.sin(y / 5)
    left = 1 / (1 + np.exp(np.clip(distance / width, -50, 50)))
    return np.column_stack([left.ravel(), 1 - left.ravel()])


@pytest.mark.parametrize("width", [1e-3, 1.5])
@pytest.mark.parametrize("counts", [100, 1000, 20_000])
def test_similar_phases_that_are_pure_somewhere(counts, width):
    # Nothing runs out in either phase: what is found must not be made purer than the
    # pure regions. With known shares, an atomic percent of c would scatter by
    # 100 sqrt(c / n), n being the counts in the lines of a phase (a third of all).
    # Four times that, and 0.1 at.% for what is left when iterations end.
    shape = (34, 42)
    rng = np.random.default_rng(31)
    maps = _two_halves(shape, width)
    scene = scenes.draw(maps, shape, counts, rng, amounts=scenes.SIMILAR)
    phases = _found(scene, n_phases=2)
    composition = _composition(scene, phases)
    order = scenes.best_order(composition, scene.composition)
    error = 100 * np.abs(composition[:, order] - scene.composition)
    n = counts * maps.sum() / 2 / 3
    scatter = 100 * np.sqrt(scene.composition / n)
    assert (error < 0.1 + 4 * scatter).all()


def test_one_phase_is_the_mean_spectrum():
    rng = np.random.default_rng(13)
    scene = scenes.draw(np.ones((24 * 31, 1)), (24, 31), 200, rng)
    assert _error(scene, _found(scene, n_phases=1)) < 0.3


def test_a_known_phase_stays_and_comes_first():
    rng = np.random.default_rng(14)
    shape = (48, 53)
    maps = scenes.grains_in_a_matrix(shape, rng, 0.5, n=9)
    scene = scenes.draw(maps, shape, 200, rng)
    shares = scene.weights[:, [2]] * scene.g_matrix.matrix.sum(axis=0)[:, None]
    shares = shares / shares.sum(axis=0)
    phases = _found(scene, fixed_shares=shares)
    np.testing.assert_array_equal(phases.column_shares[:, :1], shares)
    assert _error(scene, phases) < 1.0


def test_the_same_seed_gives_the_same_phases():
    rng = np.random.default_rng(15)
    scene = scenes.draw(scenes.grains_side_by_side((31, 22), rng), (31, 22), 60, rng)
    first, second = (_found(scene, random_state=5).column_shares for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_mass_thickness_does_not_matter():
    rng = np.random.default_rng(16)
    shape = (41, 52)
    maps = scenes.grains_side_by_side(shape, rng)
    wedge = np.linspace(0.3, 1.7, maps.shape[0])
    even = scenes.draw(maps, shape, 150, rng)
    scene = scenes.draw(maps, shape, 150, rng, wedge)
    assert _error(even, _found(even)) < 1.0
    assert _error(scene, _found(scene)) < 1.0


def test_the_brightness_of_columns_does_not_matter():
    rng = np.random.default_rng(17)
    scene = scenes.draw(scenes.grains_side_by_side((29, 36), rng), (29, 36), 100, rng)
    shares = _found(scene).column_shares
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("shape", "counts", "finest"),
    [
        ((128, 128), 18, 5),
        ((128, 128), 74, 4),
        ((128, 128), 293, 2),
        ((128, 128), 5000, 1),
        ((128, 128), 1.0, 20),
        ((7, 9), 1.0, 1),
        ((1,), 50.0, 1),
    ],
)
def test_block_sizes(shape, counts, finest):
    sizes = block_sizes(shape, counts, 3)
    assert sizes[-1] <= finest
    assert all(a == 2 * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
    blocks = np.prod([-(-n // sizes[-1]) for n in shape])
    assert blocks >= min(24, np.prod(shape))


def test_binning_leaves_no_count_and_no_empty_block():
    rng = np.random.default_rng(18)
    data = rng.poisson(0.3, (11 * 14, 19))
    from hspy_ml.counts.building import counts_from_array

    used = np.flatnonzero(rng.random(11 * 14) < 0.4)
    counts = counts_from_array(data[used])
    image = bin_image(counts, (11, 14), used, 3)
    assert image.counts.pixel_totals.sum() == data[used].sum()
    np.testing.assert_array_equal(
        np.unique(image.block_of_pixel), np.arange(image.counts.n_pixels)
    )
