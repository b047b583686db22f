# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels that a network sees: a window of the axis, a few summed into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["ChannelBins"]


@dataclass(frozen=True, eq=False)
class ChannelBins:
    """Bins of equal width over a part of the energy axis.

    Parameters
    ----------
    used_channels : ndarray of bool, shape (n_channels,)
        Counts in the others are left out.
    channels_per_bin : int, default 1

    Raises
    ------
    ValueError
        If no channel is used.
    """

    used_channels: np.ndarray
    channels_per_bin: int = 1

    def __post_init__(self) -> None:
        used = np.asarray(self.used_channels, dtype=bool)
        if not used.any():
            raise ValueError("`used_channels` leaves no channel; use one or more.")
        object.__setattr__(self, "used_channels", used)

    @classmethod
    def narrower_than(
        cls, used_channels: np.ndarray, channel_width: float, widest: float
    ) -> ChannelBins:
        """Bins of as many channels as are not wider than a limit, at least one.

        Parameters
        ----------
        used_channels : ndarray of bool, shape (n_channels,)
        channel_width, widest : float
            In the same unit.

        Returns
        -------
        ChannelBins
        """
        return cls(used_channels, max(1, int(widest / channel_width + 1e-6)))

    @property
    def first(self) -> int:
        """The first channel of the window."""
        return int(self.used_channels.argmax())

    @property
    def n_bins(self) -> int:
        """Bins from the first to the last channel that is used."""
        used = np.flatnonzero(self.used_channels)
        return -(-(int(used[-1]) + 1 - self.first) // self.channels_per_bin)

    def summed(self, spectra: np.ndarray) -> np.ndarray:
        """Sum the used channels of each bin.

        Parameters
        ----------
        spectra : ndarray, shape (..., n_channels)

        Returns
        -------
        ndarray, shape (..., n_bins)
        """
        starts = self.first + self.channels_per_bin * np.arange(self.n_bins)
        kept = np.where(self.used_channels, spectra, np.zeros((), spectra.dtype))
        return np.add.reduceat(kept, starts, axis=-1)

    @property
    def bin_of_channel(self) -> np.ndarray:
        """The bin of each channel, -1 where it is not used; shape (n_channels,)."""
        place = (
            np.arange(self.used_channels.size) - self.first
        ) // self.channels_per_bin
        return np.where(self.used_channels, place, -1)

    def spread(self, spectra: np.ndarray) -> np.ndarray:
        """Share the counts of each bin evenly among its used channels.

        Parameters
        ----------
        spectra : ndarray, shape (..., n_bins)

        Returns
        -------
        ndarray, shape (..., n_channels)
            Zero in channels that are not used.
        """
        place = self.bin_of_channel
        members = np.bincount(place[place >= 0], minlength=self.n_bins)
        shared = spectra / np.maximum(members, 1)
        return np.where(place >= 0, shared[..., np.maximum(place, 0)], 0.0)

    def place_of(self, energy: np.ndarray, value: float) -> int:
        """The bin that an energy falls into, also beyond the window.

        Parameters
        ----------
        energy : ndarray, shape (n_channels,)
            Centres of the channels.
        value : float

        Returns
        -------
        int
        """
        width = (energy[-1] - energy[0]) / (energy.size - 1)
        channel = (value - energy[0]) / width - self.first
        return int(np.floor((channel + 0.5) / self.channels_per_bin))
