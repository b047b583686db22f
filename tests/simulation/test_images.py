# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts drawn photon by photon are Poisson counts of the model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hspy_ml.simulation.image_kernels import add_photons
from hspy_ml.simulation.images import (
    Scene,
    counts_dtype,
    draw_counts,
    scene_of_mean_counts,
)


def make_scene(shape=(30, 40), n_phases=3, n_channels=17, counts=20.0, seed=0):
    rng = np.random.default_rng(seed)
    abundances = rng.dirichlet(np.ones(n_phases), size=shape)
    spectra = rng.gamma(0.5, size=(n_phases, n_channels))
    scale = rng.uniform(0.2, 2, size=shape)
    return scene_of_mean_counts(Scene(abundances, spectra, scale), counts)


def model_of(scene):
    return scene.scale[..., None] * (scene.abundances @ scene.spectra)


def test_mean_counts_are_those_asked_for():
    scene = make_scene(counts=73.0)
    assert scene.photons.sum(axis=2).mean() == pytest.approx(73)
    assert model_of(scene).sum(axis=2).mean() == pytest.approx(73)


def test_every_pixel_and_channel_is_poisson_with_the_mean_of_the_model():
    """Pearson's chi-square of 20400 counts; their variance is checked by it too."""
    scene = make_scene()
    model, counts = model_of(scene), draw_counts(scene, 1).astype(float)
    # Each term (y - m)^2 / m has the mean 1 and the variance 2 + 1 / m.
    statistic = ((counts - model) ** 2 / model).sum()
    spread = np.sqrt((2 + 1 / model).sum())
    assert abs(statistic - model.size) < 4 * spread  # 1 in 16000 by chance


def test_sums_over_pixels_follow_the_model():
    """Chi-square of the 17 channels, and of the 1200 pixels, to 1 in 10000."""
    scene = make_scene(counts=50.0)
    model, counts = model_of(scene), draw_counts(scene, 2)
    for axes, n in (((0, 1), 17), (2, 1200)):
        expected = model.sum(axis=axes)
        statistic = ((counts.sum(axis=axes) - expected) ** 2 / expected).sum()
        assert 1e-4 < stats.chi2.sf(statistic, n) < 1 - 1e-4


def test_channels_are_independent():
    """Counts of one pixel in two channels do not know of each other.

    Of 1000 scenes of a pixel; a correlation scatters by 1 / sqrt(1000) = 0.032.
    """
    spectra = np.array([[20.0, 30.0]])
    scene = Scene(np.ones((50, 20, 1)), spectra, np.ones((50, 20)))
    counts = draw_counts(scene, 3).reshape(-1, 2).astype(float)
    assert abs(np.corrcoef(counts.T)[0, 1]) < 0.13


def test_counts_repeat_with_the_random_state_only():
    scene = make_scene()
    first, again, other = (draw_counts(scene, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_holes_and_channels_without_intensity_stay_empty():
    scene = make_scene()
    spectra = scene.spectra.copy()
    spectra[:, [0, 5, 16]] = 0
    scale = scene.scale.copy()
    scale[3:7, 4:9] = 0
    counts = draw_counts(Scene(scene.abundances, 50 * spectra, scale), 0)
    assert counts[..., [0, 5, 16]].sum() == 0
    assert counts[3:7, 4:9].sum() == 0
    assert counts[..., 1].sum() > 0


def test_many_pixels_are_drawn_in_blocks(monkeypatch):
    scene = make_scene()
    monkeypatch.setattr("hspy_ml.simulation.images.PIXELS_AT_ONCE", 101)
    model, counts = model_of(scene), draw_counts(scene, 4)
    rows = model.sum(axis=(1, 2))
    # Each of the 30 rows holds about 800 counts.
    assert np.abs((counts.sum(axis=(1, 2)) - rows) / np.sqrt(rows)).max() < 5


@pytest.mark.parametrize(
    ("counts", "dtype"), [(5.0, "uint8"), (3000.0, "uint16"), (1e6, "uint32")]
)
def test_the_smallest_type_holds_the_counts(counts, dtype):
    scene = make_scene(shape=(3, 4), counts=counts)
    image = draw_counts(scene, 0)
    assert image.dtype == counts_dtype(scene) == dtype
    assert image.sum(dtype=float) == pytest.approx(
        model_of(scene).sum(), abs=6 * np.sqrt(12 * counts)
    )


@pytest.mark.parametrize("mean", [1e-6, 0.3, 4, 100, 1e4, 1e6])
def test_no_count_is_too_large_for_its_type(mean):
    scene = Scene(np.ones((1, 1, 1)), np.array([[mean, 0.0]]), np.ones((1, 1)))
    largest = np.iinfo(counts_dtype(scene)).max
    assert stats.poisson.sf(largest, mean) < 1e-20


@pytest.mark.parametrize("counts", [0, -3, np.nan, np.inf])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="`counts_per_pixel`"):
        make_scene(counts=counts)


@given(
    photons=st.lists(
        st.lists(st.integers(0, 30), min_size=2, max_size=2), min_size=1, max_size=6
    ),
    n_channels=st.integers(1, 9),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("kernel", [add_photons, add_photons.py_func])
def test_the_kernel_counts_every_photon_once(kernel, photons, n_channels, seed):
    photons = np.array(photons, dtype=np.int64)
    rng = np.random.default_rng(seed)
    spectra = rng.gamma(0.3, size=(2, n_channels))
    image = np.zeros((len(photons), n_channels), np.uint8)
    kernel(rng, photons, np.cumsum(spectra, axis=1), image)
    np.testing.assert_array_equal(image.sum(axis=1), photons.sum(axis=1))


def test_the_kernel_is_the_same_compiled_or_not():
    cumulative = np.cumsum(np.random.default_rng(0).gamma(0.3, size=(2, 7)), axis=1)
    photons = np.array([[5, 3], [0, 40], [11, 0]])
    images = []
    for kernel in (add_photons, add_photons.py_func):
        image = np.zeros((3, 7), np.uint8)
        kernel(np.random.default_rng(9), photons, cumulative, image)
        images.append(image)
    np.testing.assert_array_equal(*images)
