# SPDX-License-Identifier: GPL-3.0-or-later
"""Binning sums counts, thinning splits them: nothing is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.counts import DenseCounts, SparseCounts
from hspy_ml.counts.binning import bin_pixels, block_labels
from hspy_ml.counts.building import DENSE_FROM, better_form, counts_from_array
from hspy_ml.counts.thinning import thin


def dense(counts):
    """Plain array of counts, as large integers or floats."""
    if isinstance(counts, DenseCounts):
        return counts.values.astype(float)
    array = np.zeros((counts.n_pixels, counts.n_channels))
    pixels = np.repeat(np.arange(counts.n_pixels), np.diff(counts.offsets))
    np.add.at(array, (pixels, counts.channels), counts.values)
    return array


@st.composite
def counts_and_arrays(draw):
    shape = draw(st.integers(1, 19)), draw(st.integers(1, 23))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    data = generator.poisson(draw(st.sampled_from([0.04, 0.6, 200.0])), shape)
    data[0, 0] = 2
    return counts_from_array(data), data


@settings(max_examples=80, deadline=None)
@given(counts_and_arrays(), st.integers(1, 7), st.integers(0, 2**32))
def test_binning_sums_the_pixels_of_a_group(case, n_groups, seed):
    counts, data = case
    labels = np.random.default_rng(seed).integers(-1, n_groups, data.shape[0])
    binned = bin_pixels(counts, labels, n_groups)
    expected = np.zeros((n_groups, data.shape[1]))
    np.add.at(expected, labels[labels >= 0], data[labels >= 0])
    np.testing.assert_array_equal(dense(binned), expected)
    share = np.count_nonzero(expected) / expected.size
    assert isinstance(binned, DenseCounts) == (share >= DENSE_FROM)
    np.testing.assert_array_equal(binned.channel_totals, expected.sum(0))
    assert better_form(binned) is binned


@pytest.mark.parametrize("n_channels", [3, 300])
def test_sums_that_overflow_the_type_of_the_counts(n_channels):
    data = np.zeros((300, n_channels), np.uint8)
    data[:, 1] = 255
    binned = bin_pixels(counts_from_array(data), np.zeros(300, int), 1)
    assert binned.values.dtype == np.uint32 and binned.pixel_totals[0] == 300 * 255


def test_fractions_are_binned():
    data = np.random.default_rng(0).uniform(1, 2, (6, 5))
    binned = bin_pixels(counts_from_array(data), np.array([0, 0, 1, 1, -1, 1]), 2)
    np.testing.assert_allclose(binned.values[0], data[:2].sum(0), rtol=1e-14)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), max_size=3), st.integers(1, 11))
def test_blocks_tile_the_map(shape, factor):
    labels, coarse_shape = block_labels(tuple(shape), factor)
    assert coarse_shape == tuple(-(-n // factor) for n in shape)
    if shape:
        grid = tuple(np.indices(shape).reshape(len(shape), -1) // factor)
        np.testing.assert_array_equal(labels, np.ravel_multi_index(grid, coarse_shape))
    else:
        assert labels.tolist() == [0]
    assert set(labels) == set(range(int(np.prod(coarse_shape, dtype=int))))


def test_blocks_of_a_map():
    labels, coarse_shape = block_labels((3, 5), 2)
    assert coarse_shape == (2, 3)
    assert labels.reshape(3, 5).tolist() == [[0, 0, 1, 1, 2]] * 2 + [[3, 3, 4, 4, 5]]


def test_blocks_of_no_size():
    with pytest.raises(ValueError, match="`factor` is 0"):
        block_labels((3, 5), 0)


@pytest.mark.parametrize(
    "labels, error, message",
    [
        (np.zeros(4), TypeError, "float64"),
        (np.zeros((2, 2), int), ValueError, r"\(4,\).*ravel"),
        (np.array([0, 1, 2, 3]), ValueError, "from 0 to 3"),
        (np.array([-2, 1, 2, 0]), ValueError, "from -2 to 2"),
    ],
)
def test_labels(labels, error, message):
    with pytest.raises(error, match=message):
        bin_pixels(counts_from_array(np.ones((4, 7))), labels, 3)


@settings(max_examples=60, deadline=None)
@given(counts_and_arrays(), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_the_two_parts_sum_to_the_counts(case, probability, seed):
    counts, data = case
    kept, rest = thin(counts, probability, seed)
    np.testing.assert_array_equal(dense(kept) + dense(rest), data)
    again = thin(counts, probability, seed)[0]
    np.testing.assert_array_equal(dense(kept), dense(again))
    for part in (kept, rest):
        assert not isinstance(part, SparseCounts) or part.values.all()
        assert part.values.dtype == counts.values.dtype


@pytest.mark.parametrize("mean", [0.1, 3.0, 400.0])
def test_the_two_parts_are_poisson_and_independent(mean):
    probability, shape = 0.3, (500, 400)
    counts = counts_from_array(np.random.default_rng(1).poisson(mean, shape))
    kept, rest = (dense(part) for part in thin(counts, probability, 2))
    n = kept.size
    for part, share in ((kept, probability), (rest, 1 - probability)):
        m = mean * share
        # Five standard deviations of the mean and variance of n Poisson numbers.
        assert abs(part.mean() - m) < 5 * np.sqrt(m / n)
        assert abs(part.var() - m) < 5 * np.sqrt((m + 2 * m**2) / n)
    assert abs(np.corrcoef(kept.ravel(), rest.ravel())[0, 1]) < 5 / np.sqrt(n)


@pytest.mark.parametrize("value", [1, 7])
def test_what_is_kept_of_a_number_is_binomial(value):
    counts = counts_from_array(np.full((300, 200), value))
    kept = dense(thin(counts, 0.8, 0)[0])
    m, variance = 0.8 * value, 0.8 * 0.2 * value
    assert abs(kept.mean() - m) < 5 * np.sqrt(variance / kept.size)
    assert kept.var() == pytest.approx(variance, rel=0.05)


def test_seeds_and_generators():
    counts = counts_from_array(np.full((5, 7), 100))
    one = thin(counts, 0.5, np.random.default_rng(3))[0]
    np.testing.assert_array_equal(one.values, thin(counts, 0.5, 3)[0].values)
    assert (one.values != thin(counts, 0.5, 4)[0].values).any()


@pytest.mark.parametrize("probability", [0, 1, -0.1, float("nan")])
def test_probability(probability):
    with pytest.raises(ValueError, match="`probability`"):
        thin(counts_from_array(np.ones((2, 3))), probability)


def test_only_whole_numbers_can_be_split():
    whole = counts_from_array(np.full((2, 3), 4.0), dtype="f8")
    assert (thin(whole, 0.5, 0)[0].values <= 4).all()
    with pytest.raises(ValueError, match="whole numbers"):
        thin(counts_from_array(np.full((2, 3), 0.5)), 0.5)
