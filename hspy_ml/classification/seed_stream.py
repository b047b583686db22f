# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra as the seed had them: acquisitions, with noise added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..counts import Counts
from ..counts.channel_sums import dense_blocks
from .references import references_from_spectra

__all__ = ["NOISE", "SeedStream"]

NOISE = 2.0  # counts added to each channel


@dataclass(frozen=True, eq=False)
class SeedStream:
    """Draws acquisitions of all phases alike, with Poisson noise added.

    Parameters
    ----------
    names : tuple of str
    counts : ndarray of float32, shape (n_spectra, n_channels)
    phases : ndarray of int64, shape (n_spectra,)
        From 0; none is without a spectrum.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    phases: np.ndarray

    @classmethod
    def of(cls, counts: Counts, labels: np.ndarray, names: Sequence[str]) -> SeedStream:
        """Of spectra whose phases are known.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
        labels : ndarray of int, shape (n_spectra,)
            From 1 in the order of `names`; 0 for spectra that are not used.
        names : sequence of str

        Returns
        -------
        SeedStream

        Raises
        ------
        TypeError, ValueError
            As :func:`hspy_ml.classification.references.references_from_spectra`.
        """
        names = references_from_spectra(counts, labels, names).names
        channels = np.arange(counts.n_channels)
        blocks = dense_blocks(counts, channels, channels.size)
        used = np.asarray(labels) > 0
        spectra = np.concatenate(list(blocks))[used]
        return cls(names, spectra, np.asarray(labels, np.int64)[used] - 1)

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw spectra.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        spectra : ndarray of float32, shape (n, n_channels)
        phases : ndarray of int64, shape (n,)
            From 0.
        """
        rng = np.random.default_rng(random_state)
        phases = rng.permutation(n) % len(self.names)
        own = [np.flatnonzero(self.phases == k) for k in range(len(self.names))]
        rows = np.array([rng.choice(own[k]) for k in phases])
        noise = rng.poisson(NOISE, (n, self.counts.shape[1]))
        return self.counts[rows] + noise.astype(np.float32), phases.astype(np.int64)
