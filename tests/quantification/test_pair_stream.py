# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of images whose compositions are known, thinned to any dose."""

import numpy as np
import pytest
from scipy import sparse, stats

from hspy_ml.counts import DenseCounts, SparseCounts
from hspy_ml.quantification.pair_stream import KnownImage, PairStream, split

N_BINS, N_COLUMNS, N_CHANNELS = 6, 4, 19
BIN_OF_CHANNEL = np.r_[-1, np.repeat(np.arange(N_BINS), 3)]


def as_sparse(array):
    rows = sparse.csr_array(array)
    return SparseCounts(
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.uint16),
        rows.data.astype(np.uint16),
        array.shape[1],
    )


def image_of(n=31, mean=20.0, seed=0, make=DenseCounts):
    rng = np.random.default_rng(seed)
    array = rng.poisson(mean, (n, N_CHANNELS)).astype(np.uint16)
    return KnownImage(make(array), BIN_OF_CHANNEL, rng.dirichlet([1, 2, 3], n))


def stream_of(*images, pixels=None):
    pixels = pixels or [np.arange(i.atomic_fractions.shape[0]) for i in images]
    return PairStream(images, pixels, N_BINS, N_COLUMNS)


@pytest.mark.parametrize("make", [DenseCounts, as_sparse])
def test_sizes_and_truth(make):
    image = image_of(make=make)
    spectra, moments, atoms, shares = stream_of(image).draw(70, 1)
    shapes = [a.shape for a in (spectra, moments, atoms, shares)]
    assert shapes == [(70, N_BINS), (70, 6), (70, 3), (70, N_COLUMNS)]
    assert not shares.any()
    np.testing.assert_array_equal(spectra, np.rint(spectra))
    distance = np.abs(atoms[:, None] - image.atomic_fractions).max(axis=2)
    assert distance.min(axis=1).max() < 1e-6
    np.testing.assert_allclose(moments[:, :3].sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("make", [DenseCounts, as_sparse])
def test_thinned_counts_are_poisson_of_a_smaller_mean(make):
    """One bright spectrum: evenly over the logarithm from 3 % to all of its counts."""
    array = np.full((1, N_CHANNELS), 400, np.uint16)
    image = KnownImage(make(array), BIN_OF_CHANNEL, np.array([[0.2, 0.3, 0.5]]))
    spectra = stream_of(image).draw(4000, 2)[0].astype(float)
    assert spectra.max() <= 1200
    kept = spectra.sum(axis=1) / (400 * 18)
    uniform = stats.uniform(np.log(0.03), -np.log(0.03))
    assert stats.kstest(np.log(kept), uniform.cdf).statistic < 0.04
    mean = spectra.mean(axis=1, keepdims=True)
    variance = 1200 * kept * (1 - kept)
    pulls = (spectra - mean) / np.sqrt(variance[:, None] * (1 - 1 / N_BINS))
    assert pulls[kept < 0.9].var() == pytest.approx(1, abs=0.05)


def test_sparse_and_dense_images_are_drawn_alike():
    """The same distribution, by other random numbers."""
    dense, thin = (
        stream_of(image_of(make=make)).draw(3000, 3)[0].astype(float)
        for make in (DenseCounts, as_sparse)
    )
    error = np.hypot(dense.std(axis=0), thin.std(axis=0)) / np.sqrt(3000)
    assert (np.abs(dense.mean(axis=0) - thin.mean(axis=0)) < 4.5 * error).all()


def test_channels_without_a_bin_do_not_count():
    array = np.zeros((2, N_CHANNELS), np.uint16)
    array[:, 0] = 500
    array[:, 18] = 3
    for make in (DenseCounts, as_sparse):
        image = KnownImage(make(array), BIN_OF_CHANNEL, np.full((2, 3), 1 / 3))
        spectra = stream_of(image).draw(40, 0)[0]
        assert not spectra[:, :-1].any()
        assert 0 < spectra[:, -1].max() <= 3


def test_each_pixel_is_as_likely_whichever_image_it_is_in():
    images = image_of(10, seed=1), image_of(30, seed=2)
    stream = stream_of(*images)
    _, _, atoms, _ = stream.draw(4000, 4)
    first = np.abs(atoms[:, None] - images[0].atomic_fractions).max(axis=2).min(axis=1)
    assert (first < 1e-6).mean() == pytest.approx(0.25, abs=0.03)


def test_only_pixels_that_may_be_drawn_are():
    image = image_of()
    _, _, atoms, _ = stream_of(image, pixels=[np.array([4, 17])]).draw(60, 5)
    allowed = image.atomic_fractions[[4, 17]]
    distance = np.abs(atoms[:, None] - allowed).max(axis=2)
    assert distance.min(axis=1).max() < 1e-6
    assert set(distance.argmin(axis=1)) == {0, 1}


def test_moments_are_of_the_image_of_all_images_or_of_neighbours():
    """Of those of neighbours, the truth is off by about the scatter that they tell."""
    images = image_of(10, seed=1), image_of(30, seed=2)
    stream = stream_of(*images)
    _, moments, atoms, _ = stream.draw(3000, 6)
    kinds = np.array([images[0].moments, images[1].moments, stream.moments_of_anything])
    distance = np.abs(moments[:, None] - kinds).max(axis=2)
    known = distance.min(axis=1) < 1e-6
    counts = np.bincount(distance[known].argmin(axis=1), minlength=3)
    assert (counts > 50).all()
    together = np.concatenate([i.atomic_fractions for i in images])
    np.testing.assert_allclose(stream.moments_of_anything[:3], together.mean(axis=0))
    assert known.mean() == pytest.approx(0.5, abs=0.03)
    mean, scatter = np.split(moments[~known], 2, axis=1)
    inside = (atoms[~known] > 0.2).all(axis=1) & (scatter[:, 0] < 0.05)
    pulls = ((mean - atoms[~known]) / scatter)[inside]
    # the mean is made to sum to one, which takes a third of three variances
    assert pulls.std() == pytest.approx(np.sqrt(2 / 3), rel=0.15)


def test_the_range_of_counts_holds_nearly_all_spectra():
    stream = stream_of(image_of(200, mean=30.0))
    low, high = stream.counts
    total = stream.draw(2000, 7)[0].sum(axis=1)
    assert 1 <= low < high
    assert ((total > 0.7 * low) & (total < 1.3 * high)).mean() > 0.97


def test_the_same_seed_gives_the_same_batch():
    for make in (DenseCounts, as_sparse):
        stream = stream_of(image_of(make=make))
        for one, other in zip(stream.draw(20, 8), stream.draw(20, 8), strict=True):
            np.testing.assert_array_equal(one, other)
        assert not np.array_equal(stream.draw(20, 8)[0], stream.draw(20, 9)[0])


def test_images_are_left_as_they_are():
    image = image_of()
    before = image.counts.values.copy()
    stream_of(image).draw(30, 0)
    np.testing.assert_array_equal(image.counts.values, before)


@pytest.mark.parametrize(("n", "held_out", "n_test"), [(50, 0.2, 10), (7, 0.01, 1)])
def test_pixels_to_judge_by_are_not_trained_on(n, held_out, n_test):
    train, test = split(n, held_out, np.random.default_rng(0))
    assert test.size == n_test
    np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(n))
