# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconstruction and chances of error of all pixels, as measurements come in."""

from __future__ import annotations

import numpy as np

from .distortion_model import FEATURES, DoubtNetwork
from .label_images import boundary_density
from .neighbours import N_NEIGHBOURS, NOWHERE

__all__ = ["DoubtTracker"]

FIRST, FIRST_SHARE = 10, 0.005
"""Number of labels, and their share, from which others are predicted."""
LEAST_DENSITY = 1e-3  # boundaries per pixel
OLD = 0.1
"""Change of a feature of the whole map from which all chances are renewed; growth of
the number of labels from which boundaries are counted anew."""


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
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        from .distortion_map_kernels import DoubtMaps
        from .reconstruction_kernels import room_for

        self.n_known = 0
        self._density, self._n_looked_at = LEAST_DENSITY, 0
        self._of_chances = np.full(2, np.inf)
        self._maps = DoubtMaps(
            near=np.full((*shape, N_NEIGHBOURS, 2), NOWHERE, np.int16),
            labels=np.zeros(shape, np.int16),
            image=np.zeros(shape, np.int16),
            chance=np.zeros(shape, np.float32),
            agreed=np.zeros(shape, bool),
            stale=np.ones(shape, bool),
            room=room_for(N_NEIGHBOURS),
            shares=np.zeros(1),
        )

    def add(self, row: int, column: int, label: int) -> None:
        """Take in a label, in place of an older one if there is one; 0 takes it out."""
        from .distortion_map_kernels import take_in, take_out

        maps, before = self._maps, self._maps.labels[row, column]
        if label >= maps.shares.size:
            self._maps = maps = maps._replace(shares=np.zeros(label + 1))
        self.n_known += int(label > 0) - int(before > 0)
        if label > 0:
            take_in(maps, row, column, label)
        elif before > 0:
            maps.labels[row, column] = 0
            take_out(maps, row, column)

    def expect(
        self, row: int, column: int, network: DoubtNetwork
    ) -> tuple[int, bool, float]:
        """What is expected of a pixel that was not measured.

        Returns
        -------
        label : int
            Reconstructed from the measurements so far.
        agreed : bool
            Whether the nearest of them have one label.
        chance : float
            That the label is wrong.
        """
        from .distortion_map_kernels import expect

        if self.n_known >= (1 + OLD) * self._n_looked_at:
            self._count_boundaries()
        return expect(self._maps, row, column, self._of_the_map(), network)

    def renew(self, network: DoubtNetwork) -> None:
        """Bring the maps up to date."""
        from .distortion_map_kernels import judge_stale

        self._count_boundaries()
        now = self._of_the_map()
        if np.abs(now - self._of_chances).max() > OLD:
            self._of_chances = now
            self._maps.stale[:] = True
        judge_stale(self._maps, self._of_chances, network)

    @property
    def can_predict(self) -> bool:
        """Whether enough is known to predict labels of more than a few regions."""
        return self.n_known >= max(FIRST, FIRST_SHARE * self._maps.labels.size)

    @property
    def image(self) -> np.ndarray:
        """int16, the reconstruction; not to be changed."""
        from .distortion_map_kernels import reconstruct_stale

        reconstruct_stale(self._maps)
        return self._maps.image

    @property
    def labels(self) -> np.ndarray:
        """int16, what was measured; not to be changed."""
        return self._maps.labels

    @property
    def chance(self) -> np.ndarray:
        """float32, as of the last renewal; not to be changed."""
        return self._maps.chance

    @property
    def agreed(self) -> np.ndarray:
        """bool, as of the last renewal; not to be changed."""
        return self._maps.agreed

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

        self._count_boundaries()
        places = np.flatnonzero(self._maps.labels == 0)
        features = np.empty((places.size, len(FEATURES)), np.float32)
        describe_all(self._maps, places, self._of_the_map(), features)
        return features, places, self._maps.agreed.ravel()[places]

    def _count_boundaries(self) -> None:
        self._density = max(boundary_density(self.image), LEAST_DENSITY)
        self._n_looked_at = self.n_known

    def _of_the_map(self) -> np.ndarray:
        """The features that all pixels share."""
        return np.log([self.n_known / self._maps.labels.size, self._density])
