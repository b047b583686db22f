# SPDX-License-Identifier: GPL-3.0-or-later
"""What references tell of the spectra of phases: their means, and how spots scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..counts import Counts
from ..counts.channel_sums import dense_blocks
from .count_sums import some_pixels
from .references import references_from_expected, references_from_spectra

__all__ = ["PhaseSpots"]

MOST_SPOTS = 200  # of a phase whose scatter is looked at
COUNTS_A_CHANNEL = 1.0  # for which half of what a spot shows is believed


@dataclass(frozen=True, eq=False)
class PhaseSpots:
    """Expected spectra of phases and of some spots of each.

    Parameters
    ----------
    names : tuple of str
        The first has the label 1.
    shapes : ndarray, shape (n_phases, n_channels)
        Above zero; each sums to one.
    scatter : tuple of ndarray, shape (n_spots, n_channels)
        For each phase, by what spots differ from its shape; none where nobody knows.
    """

    names: tuple[str, ...]
    shapes: np.ndarray
    scatter: tuple[np.ndarray, ...]

    @property
    def n_channels(self) -> int:
        """Channels of the spectra."""
        return self.shapes.shape[1]

    @classmethod
    def from_spectra(
        cls, counts: Counts, labels: np.ndarray, names: Sequence[str]
    ) -> PhaseSpots:
        """Of spectra whose phases are known.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels; a few of each phase are enough.
        labels : ndarray of int, shape (n_spectra,)
            From 1 in the order of `names`; 0 for spectra that are not used.
        names : sequence of str

        Returns
        -------
        PhaseSpots

        Raises
        ------
        TypeError, ValueError
            As :func:`hspy_ml.classification.references.references_from_spectra`.
        """
        found = references_from_spectra(counts, labels, names)
        labels = np.asarray(labels)
        scatter = [
            _scatter(counts, np.flatnonzero(labels == k + 1), shape)
            for k, shape in enumerate(found.shapes)
        ]
        return cls(found.names, found.shapes, tuple(scatter))

    @classmethod
    def from_expected(cls, names: Sequence[str], spectra: np.ndarray) -> PhaseSpots:
        """Of spectra that are known without noise.

        Parameters
        ----------
        names : sequence of str
        spectra : array_like, shape (n_phases, n_channels)
            In any unit.

        Returns
        -------
        PhaseSpots

        Raises
        ------
        TypeError, ValueError
            As :func:`hspy_ml.classification.references.references_from_expected`.
        """
        found = references_from_expected(names, spectra)
        nothing = np.zeros((0, found.n_channels))
        return cls(found.names, found.shapes, (nothing,) * len(found.names))

    def some(self, phase: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Expected spectra of spots as different as those that were measured.

        Parameters
        ----------
        phase : int
        n : int
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n, n_channels)
            Above zero.
        """
        shape, scatter = self.shapes[phase], self.scatter[phase]
        if not len(scatter):
            return np.tile(shape, (n, 1))
        weights = rng.dirichlet(np.ones(len(scatter)), size=n)
        return np.maximum(shape + weights @ scatter, 0.1 * shape)


def _scatter(counts: Counts, spots: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Differences from the mean, the less the fewer counts there are."""
    step = -(-spots.size // MOST_SPOTS)
    spectra = np.concatenate([_spectrum(counts, spot) for spot in spots[::step]])
    totals = spectra.sum(axis=1, keepdims=True)
    spectra, totals = spectra[totals[:, 0] > 0], totals[totals[:, 0] > 0]
    if len(spectra) < 2:
        return np.zeros((0, shape.size))
    differences = spectra / totals - spectra.sum(axis=0) / totals.sum()
    return differences * totals / (totals + COUNTS_A_CHANNEL * shape.size)


def _spectrum(counts: Counts, spot: int) -> np.ndarray:
    one = some_pixels(counts, spot, spot + 1)
    channels = np.arange(counts.n_channels)
    return next(dense_blocks(one, channels, channels.size)).astype(float)
