# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts summed over groups of channels: sparse, dense and numpy agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from hspy_ml.counts import DenseCounts, SparseCounts, channel_sums
from hspy_ml.counts.channel_sums import dense_blocks


def as_sparse(array):
    rows = sparse.csr_array(array)
    return SparseCounts(
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.uint16),
        rows.data.astype(np.uint8),
        array.shape[1],
    )


def by_numpy(array, group, n_groups):
    sums = np.zeros((array.shape[0], n_groups))
    for channel, g in enumerate(group):
        if g >= 0:
            sums[:, g] += array[:, channel]
    return sums


def cases(seed, n_pixels, n_channels, n_groups):
    rng = np.random.default_rng(seed)
    array = rng.poisson(0.4, (n_pixels, n_channels))
    return array, np.sort(rng.integers(-1, n_groups, n_channels))


@given(
    seed=st.integers(0, 10_000),
    n_pixels=st.integers(1, 9),
    n_channels=st.integers(1, 30),
    n_groups=st.integers(1, 12),
)
@settings(deadline=None, max_examples=80)
def test_sparse_dense_and_numpy_agree(seed, n_pixels, n_channels, n_groups):
    array, group = cases(seed, n_pixels, n_channels, n_groups)
    wanted = by_numpy(array, group, n_groups)
    for counts in (as_sparse(array), DenseCounts(array)):
        blocks = list(dense_blocks(counts, group, n_groups))
        assert all(block.dtype == np.float32 for block in blocks)
        np.testing.assert_array_equal(np.concatenate(blocks), wanted)


@pytest.mark.parametrize("make", [as_sparse, DenseCounts])
@pytest.mark.parametrize("size", [1, 7, 50, 51])
def test_blocks_follow_each_other(make, size, monkeypatch):
    array, group = cases(3, 50, 23, 6)
    monkeypatch.setattr(channel_sums, "PIXELS_PER_BLOCK", size)
    blocks = list(dense_blocks(make(array), group, 6))
    assert max(block.shape[0] for block in blocks) == min(size, 50)
    np.testing.assert_array_equal(np.concatenate(blocks), by_numpy(array, group, 6))


@pytest.mark.parametrize("kernel", ["_add_dense", "_add_sparse"])
def test_kernels_are_the_same_uncompiled(kernel, monkeypatch):
    array, group = cases(4, 11, 17, 5)
    counts = DenseCounts(array) if kernel == "_add_dense" else as_sparse(array)
    compiled = next(dense_blocks(counts, group, 5))
    plain = getattr(channel_sums, kernel).py_func
    monkeypatch.setattr(channel_sums, kernel, plain)
    np.testing.assert_array_equal(next(dense_blocks(counts, group, 5)), compiled)


def test_counts_are_left_as_they_are():
    array, group = cases(5, 8, 13, 3)
    before = array.copy()
    list(dense_blocks(DenseCounts(array), group, 3))
    np.testing.assert_array_equal(array, before)


def test_many_counts_in_a_channel_do_not_overflow():
    array = np.full((3, 4), 250, np.uint8)
    found = next(dense_blocks(DenseCounts(array), np.zeros(4, int), 1))
    np.testing.assert_array_equal(found, np.full((3, 1), 1000))
