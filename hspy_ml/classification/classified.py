# SPDX-License-Identifier: GPL-3.0-or-later
"""What every classifier says of spectra, and what every classifier offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..counts import Counts
    from ..networks.model_file import StoredModel

__all__ = ["NO_PHASE", "TASK", "Classified", "PhaseClassifier"]

TASK = "classification"
"""Of the models, on their cards."""

NO_PHASE = 0
"""Label of an ill spectrum, of an unknown phase, and of a pixel without counts."""


@dataclass(frozen=True, eq=False)
class Classified:
    """Phases of spectra: two stages, "is it one we know?" and "which?".

    Parameters
    ----------
    names : tuple of str
        The phases that are known; the first has the label 1.
    probabilities : ndarray of float32, shape (n_spectra, n_phases)
        Of each phase, given that the spectrum is of one of them; rows sum to one.
    oddness : ndarray of float32, shape (n_spectra,)
        How little a spectrum looks like those that are known: the larger, the odder.
        NaN where there is nothing to judge.
    threshold : ndarray of float32, shape (n_spectra,)
        Oddness above which a spectrum is of no phase that is known; it may depend on
        the number of counts.
    """

    names: tuple[str, ...]
    probabilities: np.ndarray
    oddness: np.ndarray
    threshold: np.ndarray

    @property
    def is_known(self) -> np.ndarray:
        """Whether a spectrum is of a known phase; False where nothing was counted."""
        return self.oddness <= self.threshold

    @property
    def best(self) -> np.ndarray:
        """The label (from 1) of the likeliest phase, whether or not it is known."""
        return self.probabilities.argmax(axis=1).astype(np.int16) + 1

    @property
    def labels(self) -> np.ndarray:
        """The label of each spectrum: 1 for the first phase, 0 for none."""
        return np.where(self.is_known, self.best, NO_PHASE).astype(np.int16)

    @property
    def confidence(self) -> np.ndarray:
        """Probability of the likeliest phase."""
        return self.probabilities.max(axis=1)


class PhaseClassifier(Protocol):
    """Tells phases apart; saved in the package's one model format."""

    @property
    def names(self) -> tuple[str, ...]:
        """The phases that are known."""
        ...

    @property
    def n_channels(self) -> int:
        """Channels of the spectra that it takes."""
        ...

    def classify(
        self,
        counts: Counts,
        *,
        num_workers: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Classified:
        """Classify spectra.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels.
        num_workers : int, optional
            Threads; all cores by default.
        progress : callable, optional
            Called with the number of spectra just done.

        Returns
        -------
        Classified
        """
        ...

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        ...
