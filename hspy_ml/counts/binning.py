# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of groups of pixels: what a coarser map would have counted."""

from __future__ import annotations

import numpy as np

from hspy_ml.counts.building import better_form, smallest_type
from hspy_ml.counts.data import Counts, DenseCounts, SparseCounts


def block_labels(
    shape: tuple[int, ...], factor: int
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Number the pixels of a map by the square block that they lie in.

    Parameters
    ----------
    shape : tuple of int
        Shape of the map, of any number of dimensions; () is a single spectrum.
    factor : int
        Side of a block in pixels. Blocks at the far edges may be smaller.

    Returns
    -------
    labels : ndarray of int64, shape (n_pixels,)
        Block of each pixel; pixels and blocks are counted in C order.
    coarse_shape : tuple of int
        Shape of the map of blocks.

    Raises
    ------
    ValueError
        If `factor` is below one.
    """
    if factor < 1:
        raise ValueError(f"`factor` is {factor}; a block has a side of 1 or more.")
    coarse_shape = tuple(-(-size // factor) for size in shape)
    if not shape:
        return np.zeros(1, np.int64), ()
    blocks = np.ix_(*(np.arange(size) // factor for size in shape))
    labels = np.ravel_multi_index(np.broadcast_arrays(*blocks), coarse_shape)
    return labels.ravel().astype(np.int64), coarse_shape


def bin_pixels(counts: Counts, labels: np.ndarray, n_groups: int) -> Counts:
    """Sum the counts of the pixels of each group.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    labels : ndarray of int, shape (n_pixels,)
        Group of each pixel, from 0 to ``n_groups - 1``; -1 drops the pixel.
    n_groups : int
        Number of groups; those without pixels are empty.

    Returns
    -------
    SparseCounts or DenseCounts
        n_groups by n_channels, dense where that is better.

    Raises
    ------
    TypeError
        If `labels` are not integers.
    ValueError
        If `labels` have the wrong shape or are out of range.
    """
    labels = _checked_labels(labels, counts.n_pixels, n_groups)
    if isinstance(counts, SparseCounts):
        return better_form(_bin_sparse(counts, labels, n_groups))
    return better_form(_bin_dense(counts, labels, n_groups))


def _bin_sparse(
    counts: SparseCounts, labels: np.ndarray, n_groups: int
) -> SparseCounts:
    from hspy_ml.counts import kernels

    pixels = np.argsort(labels, kind="stable")
    group_offsets = np.searchsorted(labels[pixels], np.arange(n_groups + 1))
    spectrum = np.zeros(counts.n_channels)
    channels = np.empty_like(counts.channels)
    values = np.empty(channels.size, _type_of_sums(counts.values))
    offsets = kernels.bin_rows(
        pixels,
        group_offsets,
        counts.offsets,
        counts.channels,
        counts.values,
        spectrum,
        channels,
        values,
    )
    n_entries = offsets[-1]
    values = values[:n_entries]
    if values.dtype.kind == "u":
        values = values.astype(smallest_type(values.max(initial=0)))
    return SparseCounts(
        offsets, channels[:n_entries].copy(), values.copy(), counts.n_channels
    )


def _bin_dense(counts: DenseCounts, labels: np.ndarray, n_groups: int) -> DenseCounts:
    from hspy_ml.counts import kernels

    dtype = _type_of_sums(counts.values)
    binned = np.zeros((n_groups, counts.n_channels), dtype)
    kernels.bin_dense(labels, counts.values, binned)
    if dtype.kind == "u":
        dtype = smallest_type(binned.max(initial=0))
    return DenseCounts(binned.astype(dtype, copy=False))


def _type_of_sums(values: np.ndarray) -> np.dtype:
    """A type that holds the sum of all the values."""
    if values.dtype.kind == "f":
        return values.dtype
    return np.dtype(np.uint32 if values.sum() < 2**32 else np.float64)


def _checked_labels(labels: np.ndarray, n_pixels: int, n_groups: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "ui":
        raise TypeError(f"`labels` have the type {labels.dtype}; use integers.")
    if labels.shape != (n_pixels,):
        raise ValueError(
            f"`labels` have the shape {labels.shape}; one for each pixel is "
            f"({n_pixels},). Flatten a map of labels with `.ravel()`."
        )
    if labels.size and (labels.min() < -1 or labels.max() >= n_groups):
        raise ValueError(
            f"`labels` run from {labels.min()} to {labels.max()}; allowed are 0 to "
            f"`n_groups` - 1 = {n_groups - 1}, and -1 to drop a pixel."
        )
    return labels.astype(np.int64)
