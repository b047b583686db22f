# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts summed over groups of channels, as dense blocks of pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np

from .data import Counts, DenseCounts

__all__ = ["dense_blocks"]

PIXELS_PER_BLOCK = 1024


def dense_blocks(
    counts: Counts, group: np.ndarray, n_groups: int
) -> Iterator[np.ndarray]:
    """Yield the counts of blocks of pixels in groups of channels.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Pixels by channels.
    group : ndarray of int, shape (n_channels,)
        Group of each channel, increasing; -1 for channels that are left out.
    n_groups : int

    Yields
    ------
    ndarray of float32, shape (n_pixels_of_block, n_groups)
    """
    for first in range(0, counts.n_pixels, PIXELS_PER_BLOCK):
        last = min(first + PIXELS_PER_BLOCK, counts.n_pixels)
        block = np.zeros((last - first, n_groups), np.float32)
        if isinstance(counts, DenseCounts):
            _add_dense(counts.values[first:last], group, block)
        else:
            offsets = counts.offsets[first : last + 1]
            _add_sparse(offsets, counts.channels, counts.values, group, block)
        yield block


@numba.njit(cache=True, nogil=True)
def _add_sparse(offsets, channels, values, group, block):
    for p in range(block.shape[0]):
        for i in range(offsets[p], offsets[p + 1]):
            g = group[channels[i]]
            if g >= 0:
                block[p, g] += values[i]


@numba.njit(cache=True, nogil=True)
def _add_dense(values, group, block):
    for p in range(block.shape[0]):
        for c in range(group.size):
            if group[c] >= 0:
                block[p, group[c]] += values[p, c]
