# SPDX-License-Identifier: GPL-3.0-or-later
"""Read any array in blocks of pixels: plain arrays, or compressed rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_BLOCK_BYTES = 2**24


@dataclass(frozen=True, eq=False)
class CompressedRows:
    """Pixels of a sparse array, each channel at most once in a pixel.

    Parameters
    ----------
    arrays : tuple of three ndarrays
        Where each pixel begins, shape (n_pixels + 1,); the channels and the
        values, shape (n_stored,).
    shape : tuple of int
        Pixels and channels.
    """

    arrays: tuple[np.ndarray, np.ndarray, np.ndarray]
    shape: tuple[int, int]


Block = np.ndarray | CompressedRows


def blocks_of_pixels(data: Any) -> Iterator[tuple[int, Block]]:
    """Yield the first pixel of each block, and the block.

    Parameters
    ----------
    data : numpy, dask, ``sparse`` or scipy.sparse array, (n_pixels, n_channels)
        Any real type, in any order and byte order.

    Yields
    ------
    start : int
        The first pixel.
    block : ndarray or CompressedRows
        In the machine's byte order, of a type that compiled code knows. Dask
        arrays are computed chunk by chunk, several small chunks at once.
    """
    if not isinstance(data, np.ndarray) and not hasattr(data, "dask"):
        yield 0, _compressed_rows(data)
        return
    for start, stop in _block_edges(data):
        part = data[start:stop]
        part = part if isinstance(part, np.ndarray) else part.compute()
        is_plain = isinstance(part, np.ndarray)
        yield start, _native(part) if is_plain else _compressed_rows(part)


def _block_edges(data: Any) -> Iterator[tuple[int, int]]:
    """First and last pixel of blocks of about ``_BLOCK_BYTES``.

    Chunks of a dask array are never split, since each would be computed twice.
    """
    n_pixels, n_channels = data.shape
    block = max(1, _BLOCK_BYTES // max(1, n_channels * data.dtype.itemsize))
    chunks = data.chunks[0] if hasattr(data, "dask") else None
    ends = np.cumsum(chunks) if chunks else np.arange(block, n_pixels + block, block)
    start = 0
    for end, following in zip(ends, [*ends[1:], np.inf], strict=True):
        if end > start and following - start > block:
            yield start, min(int(end), n_pixels)
            start = int(end)


def _native(block: np.ndarray) -> np.ndarray:
    """Return the block in C order and in a type of compiled code."""
    kind, size = block.dtype.kind, block.dtype.itemsize
    if kind == "b":
        return np.ascontiguousarray(block).view(np.uint8)
    if kind == "f":
        size = min(max(size, 4), 8)
    return np.ascontiguousarray(block, np.dtype(f"={kind}{size}"))


def _compressed_rows(data: Any) -> CompressedRows:
    from scipy.sparse import issparse

    read = _rows_of_scipy if issparse(data) else _rows_of_sparse
    offsets, channels, values = read(data)
    offsets = np.asarray(offsets, np.int64)
    return CompressedRows((offsets, channels, _native(values)), data.shape)


def _rows_of_scipy(data: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = data.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows.indptr, rows.indices, rows.data


def _rows_of_sparse(data: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the package ``sparse``: COO keeps its coordinates sorted and unique."""
    if data.fill_value != 0:
        raise ValueError(
            f"`data` is a sparse array that stands for {data.fill_value} where nothing "
            "is stored; counts need 0. Convert it with `data.todense()`."
        )
    if getattr(data, "compressed_axes", None) == (0,):
        return data.indptr, data.indices, data.data
    coordinates = data.asformat("coo")
    pixels, channels = coordinates.coords
    offsets = np.searchsorted(pixels, np.arange(data.shape[0] + 1))
    return offsets, channels, coordinates.data
