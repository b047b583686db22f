# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconstruction and chances of error of all pixels, as measurements come in."""

from __future__ import annotations

import numpy as np

from .distortion_model import FEATURES, DoubtNetwork
from .label_images import boundary_density
from .neighbours import N_NEIGHBOURS, NOWHERE, nearest_measurements

__all__ = ["DoubtTracker"]

LEAST_DENSITY = 1e-3  # boundaries per pixel
LEAST_REST = 5e-3  # share of the pixels
OLD = 0.1
"""Change of a feature of the whole map from which all chances are renewed."""
N_JUDGED = 2**16
"""Pixels of which the chances are kept, about: all of a map of 256 x 256."""


class DoubtTracker:
    """Keeps what the chances of error follow from.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map.

    Attributes
    ----------
    n_known : int
        Pixels with a label.
    judged : ndarray of bool, shape `shape`
        Pixels whose chances :attr:`chance` has: all, or of a large map a lattice.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        from .distortion_map_kernels import DoubtMaps
        from .reconstruction_kernels import room_for

        self.n_known = 0
        self.judged = _lattice(shape)
        self._of_chances = np.full(3, np.inf)
        self._has_neighbours = False
        self._maps = DoubtMaps(
            near=np.full((*shape, N_NEIGHBOURS, 2), NOWHERE, np.int16),
            labels=np.zeros(shape, np.int16),
            image=np.zeros(shape, np.int16),
            chance=np.zeros(shape, np.float32),
            agreed=np.zeros(shape, bool),
            stale=np.ones(shape, bool),
            judged=self.judged,
            room=room_for(N_NEIGHBOURS),
            shares=np.zeros(1),
        )

    def add(self, places: np.ndarray, labels: np.ndarray) -> None:
        """Take in labels of which nothing was expected.

        Parameters
        ----------
        places : ndarray of int, shape (n, 2)
        labels : ndarray of int16, shape (n,)
            The latest counts; 0 takes one out.
        """
        for (row, column), label in zip(places, labels, strict=True):
            self.n_known += int(label > 0) - int(self._maps.labels[row, column] > 0)
            self._maps.labels[row, column] = label
        self._make_room(labels)
        self._has_neighbours = False

    def follow(
        self, places: np.ndarray, labels: np.ndarray, network: DoubtNetwork
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take in labels one after the other, and what was expected of them.

        Parameters
        ----------
        places : ndarray of int, shape (n, 2)
        labels : ndarray of int16, shape (n,)
            In place of older ones if there are; 0 takes one out.
        network : DoubtNetwork

        Returns
        -------
        chances : ndarray of float64, shape (n,)
            That the label was predicted wrongly; NaN where none was expected, of a
            pixel that was known or an ill spectrum.
        surprises : ndarray of bool, shape (n,)
            Whether it was.
        """
        from .distortion_map_kernels import follow

        self._find_neighbours()
        self._make_room(labels)
        chances, guesses = np.empty(len(labels)), np.zeros(len(labels), np.int16)
        self.n_known += follow(
            self._maps, places, labels, self._of_chances, network, chances, guesses
        )
        return chances, guesses != labels

    def renew(self, network: DoubtNetwork) -> None:
        """Bring the maps up to date."""
        from .distortion_map_kernels import judge_stale

        now = self.of_the_map()
        if np.abs(now - self._of_chances).max() > OLD:
            self._of_chances = now
            self._maps.stale[:] = True
        judge_stale(self._maps, self._of_chances, network)

    @property
    def image(self) -> np.ndarray:
        """int16, the reconstruction; not to be changed."""
        from .distortion_map_kernels import reconstruct_stale

        self._find_neighbours()
        reconstruct_stale(self._maps)
        return self._maps.image

    @property
    def labels(self) -> np.ndarray:
        """int16, what was measured; not to be changed."""
        return self._maps.labels

    @property
    def chance(self) -> np.ndarray:
        """float32, where `judged`, as of the last renewal; not to be changed."""
        return self._maps.chance

    @property
    def agreed(self) -> np.ndarray:
        """bool, whether the nearest have one label, as of the last renewal."""
        return self._maps.agreed

    def chance_everywhere(self, network: DoubtNetwork) -> np.ndarray:
        """float32, of all pixels; new."""
        from .distortion_map_kernels import judge_all

        self.renew(network)
        if self.judged.all():
            return self._maps.chance.copy()
        chance = np.empty_like(self._maps.chance)
        judge_all(self._maps, self._of_chances, network, chance)
        return chance

    def features(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of all pixels that were not measured.

        Returns
        -------
        features : ndarray of float32, shape (n_pixels, n_features)
        places : ndarray of int64, shape (n_pixels,)
            Row * n_columns + column.
        agreed : ndarray of bool, shape (n_pixels,)
        """
        from .distortion_map_kernels import describe_all

        now = self.of_the_map()
        places = np.flatnonzero(self._maps.labels == 0)
        features = np.empty((places.size, len(FEATURES)), np.float32)
        describe_all(self._maps, places, now, features)
        return features, places, self._maps.agreed.ravel()[places]

    def of_the_map(self) -> np.ndarray:
        """Logarithms of the share measured, the density of boundaries and a size.

        The size is that of what lies in the most frequent phase, its area over its
        outline: whether something may hide between measurements depends on it.
        """
        image = self.image
        density = max(boundary_density(image), LEAST_DENSITY)
        rest = max(1 - np.bincount(image.ravel()).max() / image.size, LEAST_REST)
        known = max(self.n_known, 1) / image.size
        return np.log([known, density, rest / density])

    def _find_neighbours(self) -> None:
        """All at once: first measurements are heard far, one by one that is slow."""
        if not self._has_neighbours:
            near = nearest_measurements(self._maps.labels > 0)
            self._maps = self._maps._replace(near=near)
            self._maps.stale[:] = True
            self._has_neighbours = True

    def _make_room(self, labels: np.ndarray) -> None:
        if labels.size and labels.max() >= self._maps.shares.size:
            self._maps = self._maps._replace(shares=np.zeros(labels.max() + 1))


def _lattice(shape: tuple[int, int]) -> np.ndarray:
    """Every n-th pixel, in rows that are shifted by about the golden ratio."""
    every = -(-shape[0] * shape[1] // N_JUDGED)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (columns + rows * max(round(0.382 * every), 1)) % every == 0
