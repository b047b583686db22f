# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts from any kind of array: the same counts, little memory, clear errors."""

import tracemalloc

import dask.array as da
import numpy as np
import pytest
import scipy.sparse
import sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.counts import DenseCounts, SparseCounts, channel_type
from hspy_ml.counts.building import (
    DENSE_FROM,
    better_form,
    counts_from_array,
    smallest_type,
)

DTYPES = ["u1", ">u2", "i8", "f2", ">f4", "f8"]


def dense(counts):
    """Plain array of counts."""
    if isinstance(counts, DenseCounts):
        return counts.values
    array = np.zeros((counts.n_pixels, counts.n_channels), counts.values.dtype)
    pixels = np.repeat(np.arange(counts.n_pixels), np.diff(counts.offsets))
    np.add.at(array, (pixels, counts.channels), counts.values)
    return array


def dask_of_sparse(data):
    lazy = da.from_array(native(data), chunks=(5, 4))
    return lazy.map_blocks(sparse.COO)


FORMS = {
    "numpy": lambda d: d,
    "Fortran order": np.asfortranarray,
    "negative strides": lambda d: d[::-1].copy()[::-1],
    "dask": lambda d: da.from_array(d, chunks=(5, 4)),
    "dask, chunks of any size": lambda d: da.from_array(d).rechunk(
        ((1, d.shape[0] - 1) if d.shape[0] > 1 else (1,), -1)
    ),
    "dask of sparse": dask_of_sparse,
    "COO": lambda d: sparse.COO(native(d)),
    "GCXS by pixel": lambda d: sparse.GCXS(native(d), compressed_axes=(0,)),
    "GCXS by channel": lambda d: sparse.GCXS(native(d), compressed_axes=(1,)),
    "scipy CSR": lambda d: scipy.sparse.csr_array(native(d)),
    "scipy COO": lambda d: scipy.sparse.coo_matrix(native(d)),
}


def native(data):
    size = max(data.dtype.itemsize, 4) if data.dtype.kind == "f" else None
    kind = f"f{size}" if size else data.dtype.newbyteorder("=")
    return data.astype(kind)


@st.composite
def maps_of_counts(draw):
    n_pixels, n_channels = draw(st.integers(1, 17)), draw(st.integers(1, 13))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    data = generator.poisson(
        draw(st.sampled_from([0.05, 0.5, 40.0])), (n_pixels, n_channels)
    )
    pixels = generator.random(n_pixels) < draw(st.sampled_from([0.0, 0.4]))
    channels = generator.random(n_channels) < draw(st.sampled_from([0.0, 0.4]))
    pixels[0] = channels[0] = False
    data[0, 0] = 1
    return data.astype(draw(st.sampled_from(DTYPES))), pixels, channels


@settings(max_examples=60, deadline=None)
@given(maps_of_counts(), st.sampled_from(list(FORMS)))
def test_every_form_of_the_data_gives_the_same_counts(case, form):
    data, pixels, channels = case
    counts = counts_from_array(
        FORMS[form](data), excluded_pixels=pixels, excluded_channels=channels
    )
    expected = data[~pixels][:, ~channels]
    np.testing.assert_array_equal(dense(counts), expected)
    share = np.count_nonzero(expected) / expected.size
    assert isinstance(counts, DenseCounts) == (share >= DENSE_FROM)
    assert counts.values.dtype == smallest_type(float(expected.max()))
    np.testing.assert_array_equal(counts.pixel_totals, expected.sum(1, dtype=float))
    np.testing.assert_array_equal(counts.channel_totals, expected.sum(0, dtype=float))


@settings(max_examples=30, deadline=None)
@given(maps_of_counts())
def test_sparse_rows_are_sorted_and_hold_no_zeros(case):
    data, pixels, channels = case
    data[1:] = 0
    counts = counts_from_array(data.repeat(8, axis=1))
    if isinstance(counts, SparseCounts):
        assert counts.values.all()
        for start, stop in zip(counts.offsets[:-1], counts.offsets[1:], strict=True):
            assert (np.diff(counts.channels[start:stop].astype(int)) > 0).all()


def test_many_blocks_are_joined(monkeypatch):
    monkeypatch.setattr("hspy_ml.counts.reading._BLOCK_BYTES", 7 * 31)
    data = np.random.default_rng(0).poisson(0.1, (53, 31)).astype(np.uint8)
    excluded = np.arange(53) % 5 == 2
    for form in FORMS.values():
        counts = counts_from_array(form(data), excluded_pixels=excluded)
        np.testing.assert_array_equal(dense(counts), data[~excluded])


def test_chunks_are_computed_once_for_each_reading():
    computed = []

    def chunk(block_info=None):
        computed.append(block_info[None]["chunk-location"])
        return np.eye(6, 11, dtype=np.uint16)

    lazy = da.map_blocks(chunk, chunks=((6,) * 4, (11,)), dtype=np.uint16)
    computed.clear()
    assert counts_from_array(lazy).pixel_totals.sum() == 24
    assert sorted(computed) == sorted([(i, 0) for i in range(4)] * 2)


@pytest.mark.parametrize(
    "largest, dtype", [(255, "u1"), (256, "u2"), (65536, "u4"), (2**32, "f8")]
)
def test_type_of_the_values_is_the_smallest(largest, dtype):
    for given_type in (np.uint64, np.float64):
        data = np.zeros((3, 50), given_type)
        data[1, 4] = largest
        counts = counts_from_array(data)
        assert counts.values.dtype == dtype and counts.values[0] == largest


def test_fractions_keep_their_precision():
    data = np.full((3, 4), 0.5)
    assert counts_from_array(data).values.dtype == np.float64
    assert counts_from_array(data.astype("f4")).values.dtype == np.float32
    assert counts_from_array(data, dtype="f4").values.dtype == np.float32


def test_booleans_are_counts():
    data = np.array([[True, False, True]])
    np.testing.assert_array_equal(dense(counts_from_array(data)), [[1, 0, 1]])


def test_channel_numbers_are_small_where_they_can_be():
    assert channel_type(2**16) == np.uint16
    assert channel_type(2**16 + 1) == np.int32
    data = np.zeros((1, 70001), np.uint8)
    data[0, 70000] = 3
    counts = counts_from_array(data)
    assert counts.channels.tolist() == [70000]
    assert counts_from_array(data[:, 9000:]).channels.tolist() == [61000]


def test_duplicates_of_scipy_are_summed():
    data = scipy.sparse.coo_array(([3, 4, 0], ([1, 1, 2], [5, 5, 6])), shape=(3, 11))
    repeated = scipy.sparse.csr_array(
        (np.array([200, 100]), np.array([5, 5]), np.array([0, 2, 2, 2])), shape=(3, 11)
    )
    assert dense(counts_from_array(data))[1, 5] == 7
    assert dense(counts_from_array(repeated))[0, 5] == 300
    assert repeated.nnz == 2


def test_dense_data_that_need_no_change_are_not_copied():
    data = np.random.default_rng(0).uniform(1, 2, (5, 7))
    assert np.shares_memory(counts_from_array(data).values, data)
    before = data.copy()
    counts_from_array(data, excluded_pixels=np.arange(5) == 2)
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize("form", ["numpy", "dask", "COO"])
def test_memory_is_that_of_the_result(form, monkeypatch):
    monkeypatch.setattr("hspy_ml.counts.reading._BLOCK_BYTES", 2**17)
    data = np.random.default_rng(0).poisson(0.05, (2048, 512)).astype(np.uint16)
    data = np.tile(data, (8, 1))
    given_data = data
    if form == "dask":
        given_data = da.from_array(data, chunks=(256, 512))
    elif form == "COO":
        given_data = sparse.COO(data)
    counts_from_array(given_data[:200])
    tracemalloc.start()
    counts = counts_from_array(given_data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = sum(a.nbytes for a in (counts.offsets, counts.channels, counts.values))
    # On top come a block of 128 KiB, and dask's two chunks of twice that and graph.
    extra = 2**20 if form == "dask" else 2**17
    assert peak < 1.5 * size + extra < data.nbytes / 4


def test_the_better_form_changes_no_count():
    data = np.random.default_rng(0).poisson(0.05, (23, 19)).astype(np.uint8)
    thin_counts = better_form(DenseCounts(data))
    assert isinstance(thin_counts, SparseCounts)
    np.testing.assert_array_equal(dense(thin_counts), data)
    assert better_form(thin_counts) is thin_counts
    offsets = np.arange(0, 23 * 19 + 1, 19)
    full = SparseCounts(
        offsets, np.tile(np.arange(19, dtype=np.uint16), 23), data.ravel() + 1, 19
    )
    assert isinstance(better_form(full), DenseCounts)
    np.testing.assert_array_equal(better_form(full).values, data + 1)


BAD = {
    "NaN": (np.nan, r"2 values that are NaN or infinite.*masks"),
    "infinite": (-np.inf, r"2 values that are NaN or infinite.*masks"),
    "negative": (-1.5, r"2 negative values.*clip"),
}


@pytest.mark.parametrize("value, message", BAD.values(), ids=BAD)
@pytest.mark.parametrize("form", ["numpy", "dask", "COO", "scipy CSR"])
def test_values_that_are_no_counts(value, message, form):
    data = np.random.default_rng(0).poisson(2.0, (5, 7)).astype(float)
    data[1, 3] = data[4, 6] = value
    with pytest.raises(ValueError, match=message):
        counts_from_array(FORMS[form](data))
    rows = np.isin(np.arange(5), [1, 4])
    columns = np.isin(np.arange(7), [3, 6])
    assert counts_from_array(FORMS[form](data), excluded_pixels=rows).n_pixels == 3
    assert (
        counts_from_array(FORMS[form](data), excluded_channels=columns).n_channels == 5
    )


def test_no_counts():
    data = np.zeros((3, 4), int)
    with pytest.raises(ValueError, match="no counts"):
        counts_from_array(data)
    data[1] = 1
    with pytest.raises(ValueError, match="no counts"):
        counts_from_array(data, excluded_pixels=np.arange(3) == 1)


@pytest.mark.parametrize("data", [np.ones((2, 3), complex), np.full((2, 3), "a")])
def test_data_that_are_not_real(data):
    with pytest.raises(TypeError, match="`data` has the type .* real"):
        counts_from_array(data)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)])
def test_dimensions(shape):
    with pytest.raises(ValueError, match=f"{len(shape)} dimensions.*reshape"):
        counts_from_array(np.ones(shape))


@pytest.mark.parametrize(
    "mask, error, message",
    [
        (np.zeros(3, int), TypeError, r"type int.*mask"),
        (np.zeros(4, bool), ValueError, r"shape \(4,\), not \(3,\)"),
        (np.ones(3, bool), ValueError, "excludes everything"),
    ],
)
@pytest.mark.parametrize("name", ["excluded_pixels", "excluded_channels"])
def test_masks(mask, error, message, name):
    with pytest.raises(error, match=f"`{name}`.*{message}"):
        counts_from_array(np.ones((3, 3)), **{name: mask})


@pytest.mark.parametrize(
    "dtype, value", [("u1", 300), ("u2", 1.5), ("f2", 2), ("c8", 2)]
)
def test_type_that_cannot_hold_the_values(dtype, value):
    with pytest.raises(ValueError, match="`dtype`"):
        counts_from_array(np.full((2, 3), value), dtype=dtype)


def test_sparse_array_filled_with_ones():
    with pytest.raises(ValueError, match="todense"):
        counts_from_array(sparse.COO(np.eye(3), fill_value=1))
