# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts from numpy, dask and sparse arrays, a block of pixels at a time.

The data are read twice: once to check them and to count what is not zero, once
to fill arrays of just the right size and type. What is in memory besides the
input is the result and one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hspy_ml.counts.data import Counts, DenseCounts, SparseCounts, channel_type
from hspy_ml.counts.reading import Block, CompressedRows, blocks_of_pixels

#: Share of non-zero values from which counts are kept dense. Measured for 4096 pixels
#: by 2048 channels, the fused passes take the same time at 0.22 to 0.24 in float64 and
#: at 0.15 to 0.2 in float32 (3 to 6 phases), and at 0.5 the dense one is three times
#: faster. Memory would say 0.33 (3 bytes an entry against 1 a value).
DENSE_FROM = 0.2


@dataclass(frozen=True, eq=False)
class _Survey:
    """What the first reading of the data found.

    Parameters
    ----------
    n_nonzero : ndarray of int64, shape (n_kept_pixels,)
        Non-zero values of each kept pixel.
    n_channels : int
        Kept channels.
    n_not_finite, n_negative, n_fractional : int
        Values that are not finite, are below zero, are not whole numbers.
    largest : float
        Largest value.
    """

    n_nonzero: np.ndarray
    n_channels: int
    n_not_finite: int
    n_negative: int
    n_fractional: int
    largest: float

    @property
    def is_dense(self) -> bool:
        n_values = self.n_nonzero.size * self.n_channels
        return _better_dense(int(self.n_nonzero.sum()), n_values)


@dataclass(frozen=True, eq=False)
class _Selection:
    """Which pixels and channels are kept, as the kernels want them."""

    kept_pixels: np.ndarray
    new_channel: np.ndarray

    def blocks(self, data: Any) -> Iterator[tuple[Block, np.ndarray, slice]]:
        """Yield each block, its mask of kept pixels, and their new positions."""
        end = 0
        for start, block in blocks_of_pixels(data):
            kept = self.kept_pixels[start : start + block.shape[0]]
            begin, end = end, end + int(np.count_nonzero(kept))
            yield block, kept, slice(begin, end)

    @property
    def keeps_all(self) -> bool:
        return bool(self.kept_pixels.all() and (self.new_channel >= 0).all())


def counts_from_array(
    data: Any,
    *,
    excluded_pixels: np.ndarray | None = None,
    excluded_channels: np.ndarray | None = None,
    dtype: np.dtype | type | None = None,
) -> Counts:
    """Compress an array of counts, or keep it dense where that is better.

    Parameters
    ----------
    data : numpy, dask, ``sparse`` or scipy.sparse array, (n_pixels, n_channels)
        Counts of any real type. Dask arrays are computed a block of pixels at a
        time, twice.
    excluded_pixels : ndarray of bool, shape (n_pixels,), optional
        Pixels to leave out (True); they are not in the result at all, and may
        hold anything.
    excluded_channels : ndarray of bool, shape (n_channels,), optional
        Channels to leave out, likewise.
    dtype : numpy dtype, optional
        Type of the values; by default the smallest of uint8, uint16 and uint32
        that holds whole numbers, else float32 for data of at most 32 bits and
        float64 for all others.

    Returns
    -------
    SparseCounts or DenseCounts
        Dense where at least 20 % of the values are not zero: there the dense
        kernels are faster, and the array is at most two to three times larger. A
        dense numpy array that needs no change is not copied.

    Raises
    ------
    TypeError
        If the data are not real numbers, or a mask is not boolean.
    ValueError
        If the data have not two dimensions, hold NaN, infinite or negative
        values or no counts at all, if a mask has the wrong shape or excludes
        everything, or if `dtype` cannot hold the values.
    """
    data = _checked(data)
    n_pixels, n_channels = data.shape
    kept_pixels = _kept(excluded_pixels, n_pixels, "excluded_pixels")
    kept_channels = _kept(excluded_channels, n_channels, "excluded_channels")
    new_channel = np.where(kept_channels, np.cumsum(kept_channels) - 1, -1)
    selection = _Selection(kept_pixels, new_channel.astype(np.int32))
    survey = _survey(data, selection)
    _check_values(survey)
    dtype = _checked_value_type(dtype, survey, data.dtype)
    if survey.is_dense:
        return DenseCounts(_dense_values(data, selection, survey, dtype))
    return _sparse_counts(data, selection, survey, dtype)


def _better_dense(n_nonzero: int, n_values: int) -> bool:
    return n_nonzero / max(n_values, 1) >= DENSE_FROM


def better_form(counts: Counts) -> Counts:
    """Turn sparse counts into dense ones or back, where that is better.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.

    Returns
    -------
    SparseCounts or DenseCounts
        The same counts, dense from a share of 20 % that are not zero; the object
        itself if there is nothing to change.
    """
    from hspy_ml.counts import kernels

    is_sparse = isinstance(counts, SparseCounts)
    n_nonzero = np.count_nonzero(counts.values)
    is_dense = _better_dense(n_nonzero, counts.n_pixels * counts.n_channels)
    if is_sparse != is_dense:
        return counts
    everything = _Selection(
        np.ones(counts.n_pixels, bool), np.arange(counts.n_channels, dtype=np.int32)
    )
    if is_sparse:
        values = np.zeros((counts.n_pixels, counts.n_channels), counts.values.dtype)
        arrays = (counts.offsets, counts.channels, counts.values)
        kernels.dense_from_rows(
            *arrays, everything.kept_pixels, everything.new_channel, values
        )
        return DenseCounts(values)
    survey = _survey(counts.values, everything)
    return _sparse_counts(counts.values, everything, survey, counts.values.dtype)


def smallest_type(largest: float) -> np.dtype:
    """Return the smallest type of whole numbers up to ``largest``.

    Parameters
    ----------
    largest : float
        The largest count.

    Returns
    -------
    numpy.dtype
        uint8, uint16 or uint32; float64 above.
    """
    for dtype in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.float64)


def _survey(data: Any, selection: _Selection) -> _Survey:
    from hspy_ml.counts import kernels

    n_nonzero = np.zeros(np.count_nonzero(selection.kept_pixels), np.int64)
    found = np.zeros(4)
    for block, kept, rows in selection.blocks(data):
        arguments = (kept, selection.new_channel, n_nonzero[rows], found)
        if isinstance(block, CompressedRows):
            kernels.survey_rows(*block.arrays, *arguments)
        else:
            kernels.survey_dense(block, *arguments)
    n_channels = int(np.count_nonzero(selection.new_channel >= 0))
    largest = float(found[kernels.LARGEST])
    return _Survey(n_nonzero, n_channels, *map(int, found[:3]), largest)


def _sparse_counts(
    data: Any, selection: _Selection, survey: _Survey, dtype: np.dtype
) -> SparseCounts:
    from hspy_ml.counts import kernels

    offsets = np.zeros(survey.n_nonzero.size + 1, np.int64)
    np.cumsum(survey.n_nonzero, out=offsets[1:])
    channels = np.empty(offsets[-1], channel_type(survey.n_channels))
    values = np.empty(offsets[-1], dtype)
    for block, kept, rows in selection.blocks(data):
        position = offsets[rows.start]
        arguments = (kept, selection.new_channel, position, channels, values)
        if isinstance(block, CompressedRows):
            kernels.sparse_from_rows(*block.arrays, *arguments)
        else:
            kernels.sparse_from_dense(block, *arguments)
    return SparseCounts(offsets, channels, values, survey.n_channels)


def _dense_values(
    data: Any, selection: _Selection, survey: _Survey, dtype: np.dtype
) -> np.ndarray:
    from hspy_ml.counts import kernels

    if isinstance(data, np.ndarray) and data.dtype == dtype and selection.keeps_all:
        return np.ascontiguousarray(data, dtype)
    values = np.zeros((survey.n_nonzero.size, survey.n_channels), dtype)
    kept_channels = selection.new_channel >= 0
    for block, kept, rows in selection.blocks(data):
        if isinstance(block, CompressedRows):
            arguments = (kept, selection.new_channel, values[rows])
            kernels.dense_from_rows(*block.arrays, *arguments)
        else:
            values[rows] = block[np.ix_(kept, kept_channels)]
    return values


def _checked(data: Any) -> Any:
    if not hasattr(data, "dtype"):
        data = np.asarray(data)
    if data.dtype.kind not in "buif":
        raise TypeError(
            f"`data` has the type {data.dtype}; counts are real numbers. Convert it "
            "with `data.astype(float)`, or take `data.real` if it is complex."
        )
    if data.ndim != 2:
        raise ValueError(
            f"`data` has {data.ndim} dimensions; pixels by channels are two. "
            "Reshape it with `data.reshape(-1, n_channels)`."
        )
    return data


def _kept(excluded: np.ndarray | None, size: int, name: str) -> np.ndarray:
    if excluded is None:
        return np.ones(size, bool)
    excluded = np.asarray(excluded)
    if excluded.dtype != bool:
        raise TypeError(
            f"`{name}` has the type {excluded.dtype}; it is a mask, True where "
            "excluded. Convert it with `.astype(bool)`."
        )
    if excluded.shape != (size,):
        raise ValueError(f"`{name}` has the shape {excluded.shape}, not ({size},).")
    if excluded.all():
        raise ValueError(f"`{name}` excludes everything; leave some entries False.")
    return ~excluded


def _check_values(survey: _Survey) -> None:
    if survey.n_not_finite:
        raise ValueError(
            f"`data` holds {survey.n_not_finite} values that are NaN or infinite. "
            "Exclude their pixels or channels with masks (`navigation_mask` and "
            "`signal_mask` of a signal's methods), or replace them with "
            "`numpy.nan_to_num`."
        )
    if survey.n_negative:
        raise ValueError(
            f"`data` holds {survey.n_negative} negative values; counts are zero or "
            "more. Use the data as they were before a background was subtracted, "
            "exclude the pixels or channels with masks, or set the values to zero "
            "with `data.clip(0)`."
        )
    if survey.largest == 0:
        raise ValueError(
            "`data` holds no counts: all values that are not excluded are zero. "
            "Check the masks, and the file the data come from."
        )


def _checked_value_type(
    dtype: np.dtype | type | None, survey: _Survey, given: np.dtype
) -> np.dtype:
    if dtype is None:
        if not survey.n_fractional:
            return smallest_type(survey.largest)
        return np.dtype(np.float32 if given.itemsize <= 4 else np.float64)
    dtype = np.dtype(dtype)
    whole = dtype.kind in "ui"
    if dtype.kind not in "uif" or dtype.itemsize < (1 if whole else 4):
        raise ValueError(f"`dtype` is {dtype}; use an integer, float32 or float64.")
    if whole and (survey.n_fractional or survey.largest > np.iinfo(dtype).max):
        raise ValueError(
            f"`dtype` is {dtype}, which cannot hold the values of `data`: the largest "
            f"is {survey.largest:g} and {survey.n_fractional} are not whole numbers. "
            "Leave `dtype` out to have it chosen."
        )
    return dtype
