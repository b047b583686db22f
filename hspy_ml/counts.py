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
        cumulated = np.concatenate([[0.0], np.cumsum(self.values, dtype=np.float64)])
        return np.diff(cumulated[self.offsets])

    @cached_property
    def channel_totals(self) -> np.ndarray:
        """Counts of each channel, float64, shape (n_channels,)."""
        return np.bincount(
            self.channels, weights=self.values, minlength=self.n_channels
        )


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
