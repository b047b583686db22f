# SPDX-License-Identifier: GPL-3.0-or-later
"""Poisson counts, pixels by channels: sparse where most channels are empty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class SparseCounts:
    """Counts of which only those that are there are kept (compressed rows).

    Parameters
    ----------
    offsets : ndarray of int64, shape (n_pixels + 1,)
        Where each pixel's entries begin in the two arrays that follow.
    channels : ndarray of uint16 or int32, shape (n_nonzero,)
        Channel of each entry.
    values : ndarray, shape (n_nonzero,)
        Counts of each entry, the smallest type that holds them.
    n_channels : int
        Number of channels.
    """

    offsets: np.ndarray
    channels: np.ndarray
    values: np.ndarray
    n_channels: int

    @property
    def n_pixels(self) -> int:
        """Number of pixels."""
        return self.offsets.size - 1

    @cached_property
    def pixel_totals(self) -> np.ndarray:
        """Counts of each pixel, float64, shape (n_pixels,)."""
        from hspy_ml.counts.kernels import sum_rows

        return sum_rows(self.offsets, self.values)

    @cached_property
    def channel_totals(self) -> np.ndarray:
        """Counts of each channel, float64, shape (n_channels,)."""
        from hspy_ml.counts.kernels import sum_channels

        return sum_channels(self.channels, self.values, self.n_channels)


@dataclass(frozen=True, eq=False)
class DenseCounts:
    """Counts as a plain array, for data that are not sparse.

    Parameters
    ----------
    values : ndarray, shape (n_pixels, n_channels)
        The counts.
    """

    values: np.ndarray

    @property
    def n_pixels(self) -> int:
        """Number of pixels."""
        return self.values.shape[0]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.values.shape[1]

    @cached_property
    def pixel_totals(self) -> np.ndarray:
        """Counts of each pixel, float64, shape (n_pixels,)."""
        return self.values.sum(axis=1, dtype=np.float64)

    @cached_property
    def channel_totals(self) -> np.ndarray:
        """Counts of each channel, float64, shape (n_channels,)."""
        return self.values.sum(axis=0, dtype=np.float64)


Counts = SparseCounts | DenseCounts


def channel_type(n_channels: int) -> np.dtype:
    """Return the smaller of uint16 and int32 that holds the number of a channel.

    Parameters
    ----------
    n_channels : int
        Number of channels.

    Returns
    -------
    numpy.dtype
        uint16 for up to 65536 channels.
    """
    return np.dtype(np.uint16 if n_channels <= 2**16 else np.int32)
