# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra in units of the width of their zero-loss peak.

Whatever the dispersion and the resolution, a zero-loss peak of one shape looks the same
on this grid: positions are distances from the peak in units of its full width at half
maximum, close together at the peak and farther and farther apart away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["PROFILE_GRID", "Profile", "ProfileGrid"]


@dataclass(frozen=True)
class ProfileGrid:
    """Nodes at ``linear * sinh(step * j)`` widths from the peak, j = -n_side..n_side.

    Parameters
    ----------
    n_side : int
        Nodes on each side of the peak.
    linear : float
        Distance, in widths, up to which nodes are about equally far apart.
    step : float
        Distance between nodes in that scale.
    """

    n_side: int = 52
    linear: float = 0.5
    step: float = 0.13

    @property
    def n_nodes(self) -> int:
        """Nodes in all; the one at the peak is number `n_side`."""
        return 2 * self.n_side + 1

    @cached_property
    def nodes(self) -> np.ndarray:
        """Their distances from the peak in widths, shape (n_nodes,)."""
        return self._at(np.arange(-self.n_side, self.n_side + 1.0))

    @cached_property
    def edges(self) -> np.ndarray:
        """Borders of the bins around the nodes, shape (n_nodes + 1,)."""
        return self._at(np.arange(-self.n_side - 0.5, self.n_side + 1.0))

    def number(self, distance: np.ndarray) -> np.ndarray:
        """Where on the list of nodes a distance in widths lies, not whole."""
        return np.arcsinh(distance / self.linear) / self.step + self.n_side

    def _at(self, j: np.ndarray) -> np.ndarray:
        return self.linear * np.sinh(self.step * j)

    def measure(
        self,
        electrons: np.ndarray,
        read_variance: np.ndarray,
        centres: np.ndarray,
        widths: np.ndarray,
    ) -> Profile:
        """Mean counts per channel around every node.

        Parameters
        ----------
        electrons : ndarray, shape (n_spectra, n_channels)
            Counts without offset.
        read_variance : ndarray, shape (n_spectra,)
            Variance of the read-out noise, in electrons squared per channel.
        centres, widths : ndarray, shape (n_spectra,)
            Channel of the zero loss and width of its peak in channels.

        Returns
        -------
        Profile
        """
        borders = centres[:, None] + widths[:, None] * self.edges
        last = electrons.shape[1] - 0.5
        inside = np.clip(borders, -0.5, last)
        width = np.diff(inside, axis=1)
        sums = np.diff(_cumulated(electrons, inside), axis=1)
        covered = width > 0.5 * np.diff(borders, axis=1)
        density = np.divide(sums, width, out=np.zeros_like(sums), where=width > 0)
        spread = np.maximum(width, 1.0)
        variance = np.maximum(density, 0) * spread + 1 + read_variance[:, None] * spread
        return Profile(density, np.sqrt(variance) / spread, covered)


@dataclass(frozen=True, eq=False)
class Profile:
    """Spectra on a grid of widths; every array is (n_spectra, n_nodes).

    Parameters
    ----------
    density : ndarray
        Electrons per channel, 0 where the spectrum does not reach.
    error : ndarray
        Its standard error.
    covered : ndarray of bool
        Where the spectrum reaches.
    """

    density: np.ndarray
    error: np.ndarray
    covered: np.ndarray


def _cumulated(counts: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Counts below positions in channels, smooth through the borders of channels.

    Cubic between the borders of channels, with the density at a border the mean of the
    channels beside it.
    """
    n, n_channels = counts.shape
    total = np.zeros((n, n_channels + 1))
    np.cumsum(counts, axis=1, out=total[:, 1:])
    slope = np.zeros_like(total)
    slope[:, 1:-1] = 0.5 * (counts[:, 1:] + counts[:, :-1])
    slope[:, 0], slope[:, -1] = counts[:, 0], counts[:, -1]
    position = at + 0.5
    left = np.clip(position.astype(int), 0, n_channels - 1)
    t = position - left
    rows = np.arange(n)[:, None]
    c, m0, m1 = counts[rows, left], slope[rows, left], slope[rows, left + 1]
    return total[rows, left] + t * (
        m0 + t * (3 * c - 2 * m0 - m1 + t * (m0 + m1 - 2 * c))
    )


PROFILE_GRID = ProfileGrid()
"""The grid that responses are estimated on."""
