# SPDX-License-Identifier: GPL-3.0-or-later
"""Some of the channels or pixels of counts, and all of them as a plain array."""

from __future__ import annotations

import numpy as np

from hspy_ml.counts.data import Counts, DenseCounts, SparseCounts, channel_type

__all__ = ["plain_array", "select_channels", "select_pixels"]


def select_channels(counts: Counts, kept: np.ndarray) -> Counts:
    """Leave channels out.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
    kept : ndarray of bool, shape (n_channels,)
        Channels to keep.

    Returns
    -------
    SparseCounts or DenseCounts
        Of the same kind; `counts` themselves if all are kept.

    Raises
    ------
    ValueError
        If `kept` has another shape.
    """
    if kept.shape != (counts.n_channels,):
        raise ValueError(
            f"`kept` has the shape {kept.shape}; one for each channel is "
            f"({counts.n_channels},)."
        )
    if kept.all():
        return counts
    if isinstance(counts, DenseCounts):
        return DenseCounts(counts.values[:, kept])
    entries = kept[counts.channels]
    before = np.concatenate([[0], np.cumsum(entries)])
    n_kept = int(kept.sum())
    new_channel = (np.cumsum(kept) - 1).astype(channel_type(n_kept))
    return SparseCounts(
        before[counts.offsets],
        new_channel[counts.channels[entries]],
        counts.values[entries],
        n_kept,
    )


def select_pixels(counts: Counts, pixels: np.ndarray) -> Counts:
    """Take pixels, in any order.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
    pixels : ndarray of int, shape (n_selected,)
        Their numbers; one may occur several times.

    Returns
    -------
    SparseCounts or DenseCounts
        Of the same kind.
    """
    if isinstance(counts, DenseCounts):
        return DenseCounts(counts.values[pixels])
    lengths = np.diff(counts.offsets)[pixels]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    firsts = counts.offsets[:-1][pixels]
    entries = np.repeat(firsts - offsets[:-1], lengths) + np.arange(offsets[-1])
    return SparseCounts(
        offsets, counts.channels[entries], counts.values[entries], counts.n_channels
    )


def plain_array(counts: Counts) -> np.ndarray:
    """The counts as an array, for few pixels.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts

    Returns
    -------
    ndarray of float64, shape (n_pixels, n_channels)
    """
    if isinstance(counts, DenseCounts):
        return counts.values.astype(np.float64)
    array = np.zeros((counts.n_pixels, counts.n_channels))
    pixels = np.repeat(np.arange(counts.n_pixels), np.diff(counts.offsets))
    array[pixels, counts.channels] = counts.values
    return array
