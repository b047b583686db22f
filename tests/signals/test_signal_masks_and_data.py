# SPDX-License-Identifier: GPL-3.0-or-later
"""Data and masks line up, pixel for pixel, for every shape and chunking."""

import hyperspy.api as hs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hspy_ml.signals.data import map_shape, signal_array
from hspy_ml.signals.masks import flat_navigation_mask, flat_signal_mask

MAP_SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)
REAL_TYPES = st.sampled_from(["u1", "i2", "u4", "i8", "f4", "f8"])


def _signal(map_shape, n_channels, dtype="u2"):
    data = np.arange(1, 1 + int(np.prod(map_shape)) * n_channels).astype(dtype)
    return hs.signals.Signal1D(data.reshape(*map_shape, n_channels))


@settings(max_examples=60, deadline=None)
@given(MAP_SHAPES, st.integers(2, 7), REAL_TYPES)
def test_every_pixel_is_a_row_and_nothing_is_copied(shape, n_channels, dtype):
    s = _signal(shape, n_channels, dtype)
    array = signal_array(s)
    assert array.dtype == np.dtype(dtype)
    assert np.shares_memory(array, s.data)
    np.testing.assert_array_equal(array, s.data.reshape(-1, n_channels))
    assert array.shape[0] == np.prod(map_shape(s))


@settings(max_examples=40, deadline=None)
@given(MAP_SHAPES, st.integers(2, 7), st.integers(1, 3))
def test_a_lazy_signal_stays_lazy_in_every_chunking(shape, n_channels, chunk):
    s = _signal(shape, n_channels)
    lazy = s.as_lazy()
    lazy.data = lazy.data.rechunk(chunk)
    array = signal_array(lazy)
    assert hasattr(array, "dask")
    np.testing.assert_array_equal(array.compute(), signal_array(s))


def test_an_energy_axis_that_comes_first_in_the_array_is_moved_last():
    data = np.arange(30.0).reshape(6, 5)
    axes = [{"size": 6, "navigate": False}, {"size": 5, "navigate": True}]
    s = hs.signals.BaseSignal(data, axes=axes)
    np.testing.assert_array_equal(signal_array(s), data.T)


def test_sparse_arrays_stay_sparse():
    sparse = pytest.importorskip("sparse")
    dense = np.random.default_rng(2).poisson(0.1, (3, 4, 50))
    s = hs.signals.Signal1D(dense).as_lazy()
    s.data = s.data.map_blocks(sparse.COO)
    block = signal_array(s).compute()
    assert isinstance(block, sparse.COO)
    np.testing.assert_array_equal(block.todense(), dense.reshape(12, 50))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (np.ones((3, 4), complex), TypeError, "complex128"),
        (np.ones((3, 4), bool), TypeError, "bool"),
        (np.zeros((3, 4)), ValueError, "no counts"),
    ],
)
def test_data_that_are_no_counts_are_refused(data, error, message):
    with pytest.raises(error, match=message):
        signal_array(hs.signals.Signal1D(data))


def test_a_signal_without_channels_is_refused():
    s = _signal((3,), 4)
    s.data = s.data[:, :0]
    with pytest.raises(ValueError, match="empty"):
        signal_array(s)


@settings(max_examples=60, deadline=None)
@given(MAP_SHAPES, st.data())
def test_each_way_to_give_a_mask_excludes_the_same_pixels(shape, data):
    s = _signal(shape, 3)
    n_pixels = int(np.prod(shape))
    flat = data.draw(hnp.arrays(bool, n_pixels).filter(lambda mask: not mask.all()))
    as_signal = s._get_navigation_signal(flat.reshape(map_shape(s)))
    as_array = flat.reshape(shape).T  # HyperSpy's navigation shape
    for mask in (as_signal, as_signal.T, as_array):
        np.testing.assert_array_equal(flat_navigation_mask(s, mask), flat)
    chosen = signal_array(s)[~flat_navigation_mask(s, as_array)]
    np.testing.assert_array_equal(chosen, signal_array(s)[~flat])


def test_a_square_mask_is_read_as_HyperSpy_reads_it():
    s = _signal((3, 3), 4, "f8")
    mask = np.zeros((3, 3), bool)
    mask[0, 2] = True  # x = 0, y = 2
    s.decomposition(navigation_mask=mask, print_info=False, output_dimension=2)
    theirs = np.isnan(s.learning_results.loadings[:, 0])
    np.testing.assert_array_equal(flat_navigation_mask(s, mask), theirs)
    assert s.inav[0, 2].data[0] == signal_array(s)[theirs][0, 0]


def test_a_mask_in_the_shape_of_the_array_is_taken_where_that_is_clear():
    s = _signal((3, 5), 4)
    mask = np.zeros((3, 5), bool)
    mask[1, 4] = True
    assert np.flatnonzero(flat_navigation_mask(s, mask)).tolist() == [9]


def test_no_mask_excludes_nothing():
    s = _signal((3, 5), 4)
    assert not flat_navigation_mask(s).any() and flat_navigation_mask(s).size == 15
    assert not flat_signal_mask(s).any() and flat_signal_mask(s).size == 4


@pytest.mark.parametrize("lazy", [False, True])
def test_a_number_is_the_threshold_of_vacuum(eds, lazy):
    s = eds((6, 7), 20)
    s.data[:, :3] = 1
    expected = (s.data.max(axis=-1) <= 1).ravel()
    s = s.as_lazy() if lazy else s
    np.testing.assert_array_equal(flat_navigation_mask(s, 1.0), expected)


def test_a_threshold_needs_a_signal_with_vacuum(eds):
    with pytest.raises(ValueError, match="EDSSEMSpectrum does not have"):
        flat_navigation_mask(eds(signal_type="EDS_SEM"), 1.0)
    with pytest.raises(ValueError, match="single spectrum"):
        flat_navigation_mask(eds(()), 1.0)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.zeros((2, 5), bool), ValueError, r"\(2, 5\).*\(5, 3\).*\(3, 5\)"),
        (np.zeros(15, bool), ValueError, r"\(15,\)"),
        (np.zeros((5, 3)), TypeError, r"float64.*astype\(bool\)"),
        (np.zeros((5, 3), int), TypeError, "int"),
        (np.ones((5, 3), bool), ValueError, "every pixel"),
        (True, ValueError, r"\(\)"),
    ],
)
def test_bad_navigation_masks_are_refused(mask, error, message):
    with pytest.raises(error, match=message):
        flat_navigation_mask(_signal((3, 5), 4), mask)


def test_signal_masks_are_taken_as_arrays_and_as_signals():
    s = _signal((3, 5), 4)
    mask = np.array([True, False, False, True])
    np.testing.assert_array_equal(flat_signal_mask(s, mask), mask)
    as_signal = hs.signals.Signal1D(mask)
    np.testing.assert_array_equal(flat_signal_mask(s, as_signal), mask)
    np.testing.assert_array_equal(flat_signal_mask(s, as_signal.as_lazy()), mask)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.zeros(5, bool), ValueError, r"\(5,\).*\(4,\)"),
        (np.zeros(4), TypeError, "float64"),
        (np.ones(4, bool), ValueError, "every channel"),
    ],
)
def test_bad_signal_masks_are_refused(mask, error, message):
    with pytest.raises(error, match=message):
        flat_signal_mask(_signal((3, 5), 4), mask)
