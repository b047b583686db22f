# SPDX-License-Identifier: GPL-3.0-or-later
"""Two photons that are counted as one."""

import numpy as np
import pytest
from scipy import stats

from hspy_ml.simulation.image_kernels import add_pile_up
from hspy_ml.simulation.images import Scene, draw_counts, draw_dense_counts


def two_lines(n_channels=60, counts=2000.0, shape=(20, 25)):
    """Three quarters of the photons in channel 12, a quarter in channel 20."""
    spectra = np.zeros((1, n_channels))
    spectra[0, [12, 20]] = [0.75 * counts, 0.25 * counts]
    return Scene(np.ones((*shape, 1)), spectra, np.ones(shape))


def test_pile_up_is_at_sums_of_energies_with_their_probabilities():
    """A million events, 2 % of them sums; energy 0 lies in channel 2."""
    scene = two_lines()
    counts = draw_counts(scene, 0, pile_up=0.02, zero_channel=2.0).sum(axis=(0, 1))
    events = 2000.0 * 500
    expected = {
        12: 0.98 * 0.75,
        20: 0.98 * 0.25,
        22: 0.02 * 0.75**2,
        30: 0.02 * 2 * 0.75 * 0.25,
        38: 0.02 * 0.25**2,
    }
    assert set(np.flatnonzero(counts)) == set(expected)
    for channel, share in expected.items():
        mean = share * events
        assert abs(counts[channel] - mean) < 4.5 * np.sqrt(mean)


def test_sums_beyond_the_axis_are_lost():
    scene = two_lines(n_channels=25, counts=1000.0)
    counts = draw_counts(scene, 0, pile_up=0.5)
    assert counts.sum() == pytest.approx(250_000 + 250_000 * 0.75**2, rel=0.01)
    assert counts[..., 24].sum() > 0


def test_a_zero_between_channels_shifts_no_sum_on_the_average():
    scene = two_lines(shape=(40, 50))
    counts = draw_counts(scene, 1, pile_up=0.3, zero_channel=1.7).sum(axis=(0, 1))
    assert set(np.flatnonzero(counts)) == {12, 20, 22, 23, 30, 31, 38, 39}
    place = (22 * counts[22] + 23 * counts[23]) / (counts[22] + counts[23])
    assert place == pytest.approx(2 * 12 - 1.7, abs=0.01)


def test_piled_up_counts_are_poisson():
    """Chi-square of the pixels' sums: 2000 events in each, no sum is lost."""
    totals = draw_counts(two_lines(), 2, pile_up=0.3).sum(axis=2).ravel()
    statistic = ((totals - 2000.0) ** 2 / 2000.0).sum()
    assert 1e-4 < stats.chi2.sf(statistic, totals.size) < 1 - 1e-4


def test_both_photons_are_from_the_same_pixel():
    spectra = np.zeros((2, 50))
    spectra[0, 10], spectra[1, 20] = 500, 500
    maps = np.zeros((1, 2, 2))
    maps[0, 0, 0] = maps[0, 1, 1] = 1
    counts = draw_counts(Scene(maps, spectra, np.ones((1, 2))), 0, pile_up=0.5)[0]
    assert set(np.flatnonzero(counts[0])) == {10, 20}
    assert set(np.flatnonzero(counts[1])) == {20, 40}


def test_none_is_the_same_as_before():
    scene = two_lines(counts=50.0)
    np.testing.assert_array_equal(
        draw_counts(scene, 3), draw_counts(scene, 3, pile_up=0.0, zero_channel=5.0)
    )


@pytest.mark.parametrize("pile_up", [-0.1, 1.0, np.nan])
def test_impossible_fractions_are_refused(pile_up):
    with pytest.raises(ValueError, match="`pile_up`"):
        draw_counts(two_lines(), 0, pile_up=pile_up)


def test_the_kernel_is_the_same_compiled_or_not():
    rng = np.random.default_rng(0)
    cumulative = np.cumsum(rng.gamma(0.3, size=(2, 7)), axis=1)
    expected = rng.gamma(1.0, size=(3, 2))
    images = []
    for kernel in (add_pile_up, add_pile_up.py_func):
        image = np.zeros((3, 7), np.uint8)
        kernel(
            np.random.default_rng(9),
            np.array([5, 0, 40]),
            expected,
            cumulative,
            0.4,
            image,
        )
        images.append(image)
    np.testing.assert_array_equal(*images)
    assert images[0][1].sum() == 0 < images[0][2].sum()


def test_dense_counts_are_poisson_with_the_mean_of_the_model():
    rng = np.random.default_rng(4)
    scene = Scene(
        rng.dirichlet([1, 1], size=(20, 30)),
        rng.uniform(5, 50, size=(2, 40)),
        rng.uniform(0.2, 2, size=(20, 30)),
    )
    model = scene.scale[..., None] * (scene.abundances @ scene.spectra)
    counts = draw_dense_counts(scene, 5).astype(float)
    statistic = ((counts - model) ** 2 / model).sum()
    spread = np.sqrt((2 + 1 / model).sum())
    assert abs(statistic - model.size) < 4 * spread
