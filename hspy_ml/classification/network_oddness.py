# SPDX-License-Identifier: GPL-3.0-or-later
"""How odd a spectrum looks beside all that a phase may look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .network_rarity import Rarity, simulated_rarity
from .network_scatter import PhaseScatter, scatter_of
from .network_stream import SpectrumBank

__all__ = ["FALSE_ALARMS", "OddnessTest", "fit_oddness_test"]

FALSE_ALARMS = 2e-3
_PREFIX = "oddness."


@dataclass(frozen=True, eq=False)
class OddnessTest:
    """Whether spectra are of the phase that they are thought to be of.

    Parameters
    ----------
    scatter : PhaseScatter
        How spectra of the phases scatter.
    rarity : Rarity
        How often they depart as much by chance.
    """

    scatter: PhaseScatter
    rarity: Rarity

    @property
    def n_phases(self) -> int:
        """Phases that it knows."""
        return self.scatter.group.shape[0]

    @property
    def n_bins(self) -> int:
        """Bins of a spectrum."""
        return self.scatter.group.shape[1]

    def oddness(self, spectra: np.ndarray, phases: np.ndarray) -> np.ndarray:
        """Minus the decimal logarithm of the probability to look odder by chance.

        Parameters
        ----------
        spectra : ndarray of float32, shape (n, n_bins)
            Counts.
        phases : ndarray of int, shape (n,)
            What each is thought to be, from 0.

        Returns
        -------
        ndarray of float32, shape (n,)
            3 for a probability of 0.001; NaN where there are no counts.
        """
        odd = np.full(len(spectra), np.nan, np.float32)
        counts = spectra.sum(axis=1)
        for phase in range(self.n_phases):
            own = np.flatnonzero((phases == phase) & (counts > 0))
            if own.size:
                found = self.scatter.statistics(spectra[own], phase)
                odd[own] = self.rarity.of(found, phase, counts[own])
        return odd

    def to_weights(self) -> dict[str, np.ndarray]:
        """Arrays by name, as they are in a file."""
        return {
            _PREFIX + field.name: getattr(part, field.name)
            for part in (self.scatter, self.rarity)
            for field in fields(part)
        }

    @classmethod
    def from_weights(cls, weights: Mapping[str, np.ndarray]) -> OddnessTest:
        """What `to_weights` gave.

        Parameters
        ----------
        weights : mapping of str to ndarray

        Returns
        -------
        OddnessTest

        Raises
        ------
        ValueError
            If an array is missing, or their shapes do not fit together.
        """
        test = cls(_part(PhaseScatter, weights), _part(Rarity, weights))
        test.scatter.check_shapes()
        test.rarity.check_shapes(test.n_phases)
        return test


def fit_oddness_test(
    bank: SpectrumBank,
    others: SpectrumBank,
    alternatives: np.ndarray,
    rng: np.random.Generator,
) -> OddnessTest:
    """Learn what is usual from the variants of the phases.

    Parameters
    ----------
    bank : SpectrumBank
        Variants from which means and covariances are taken.
    others : SpectrumBank
        Other variants, on which the distributions are simulated.
    alternatives : ndarray, shape (n_alternatives, n_bins)
        Spectra of what else could be there; each sums to one. May be none.
    rng : numpy.random.Generator

    Returns
    -------
    OddnessTest
    """
    scatter = scatter_of(bank, alternatives)
    return OddnessTest(scatter, simulated_rarity(scatter.statistics, others, rng))


def _part(make: Any, weights: Mapping[str, np.ndarray]) -> Any:
    names = [_PREFIX + field.name for field in fields(make)]
    missing = [name for name in names if name not in weights]
    if missing:
        raise ValueError(f"the file lacks {missing[0]}")
    return make(*(weights[name] for name in names))
