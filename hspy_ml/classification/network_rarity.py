# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a statistic is as large by chance: simulated at each dose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from .network_stream import SpectrumBank

__all__ = ["Rarity", "simulated_rarity"]

DOSES = np.array([5.0, 15, 50, 150, 500, 1500, 5e3, 2e4, 1e5, 1e6])
DRAWS = 1500  # spectra of each phase and dose
LEVELS = np.array([0.9, 0.5, 0.2, 0.05])  # surpassed by chance
UPPER = 0.02  # level that sets the scale of a statistic
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Rarity:
    """Distributions of two statistics of spectra of each phase.

    Parameters
    ----------
    centre, scale : ndarray of float32, shape (n_phases, n_doses, 2)
        Median of each statistic, and how far its upper end is from it.
    quantiles : ndarray of float32, shape (n_phases, n_doses, n_levels)
        Of the larger one after scaling.
    tail : ndarray of float32, shape (n_phases, n_doses)
        Mean excess over the last quantile; the tail is exponential.
    """

    centre: np.ndarray
    scale: np.ndarray
    quantiles: np.ndarray
    tail: np.ndarray

    def of(self, found: np.ndarray, phase: int, counts: np.ndarray) -> np.ndarray:
        """Minus the decimal logarithm of the probability of more by chance.

        Parameters
        ----------
        found : ndarray, shape (n, 2)
            Statistics.
        phase : int
        counts : ndarray, shape (n,)
            Above zero.

        Returns
        -------
        ndarray, shape (n,)
            3 for a probability of 0.001.
        """
        at = np.log(counts)
        centre = _at_dose(self.centre[phase], at)
        scale = _at_dose(self.scale[phase], at)
        larger = ((found - centre) / scale).max(axis=1)
        quantiles = _at_dose(self.quantiles[phase], at)
        tail = _at_dose(self.tail[phase][:, None], at)[:, 0]
        return _log_rarity(larger, quantiles, tail)

    def check_shapes(self, n_phases: int) -> None:
        """Raise if the arrays are not for so many phases.

        Parameters
        ----------
        n_phases : int

        Raises
        ------
        ValueError
        """
        for field, shape in zip(fields(self), _SHAPES, strict=True):
            if getattr(self, field.name).shape != (n_phases, DOSES.size, *shape):
                raise ValueError(f"oddness.{field.name} does not fit the other arrays")


_SHAPES = ((2,), (2,), (LEVELS.size,), ())


def simulated_rarity(
    statistics: Callable[[np.ndarray, int], np.ndarray],
    bank: SpectrumBank,
    rng: np.random.Generator,
) -> Rarity:
    """Simulate spectra of each phase at each dose.

    Parameters
    ----------
    statistics : callable
        Takes counts, shape (n, n_bins), and a phase; gives two numbers for each.
    bank : SpectrumBank
        Variants of the phases.
    rng : numpy.random.Generator

    Returns
    -------
    Rarity
    """
    places = bank.n_phases, DOSES.size
    tables = [np.ones((*places, *shape), np.float32) for shape in _SHAPES]
    for phase, dose in np.ndindex(places):
        variants = rng.integers(bank.spectra.shape[1], size=DRAWS)
        drawn = rng.poisson(bank.spectra[phase, variants] * DOSES[dose])
        drawn[drawn.sum(axis=1) == 0, 0] = 1
        found = statistics(drawn.astype(np.float32), phase)
        for table, value in zip(tables, _distribution(found), strict=True):
            table[phase, dose] = value
    return Rarity(*tables)


def _distribution(found: np.ndarray) -> tuple[np.ndarray, ...]:
    centre = np.median(found, axis=0)
    scale = np.maximum(np.quantile(found, 1 - UPPER, axis=0) - centre, TINY)
    larger = ((found - centre) / scale).max(axis=1)
    quantiles = np.quantile(larger, 1 - LEVELS)
    tail = np.maximum(larger - quantiles[-1], 0).mean() / LEVELS[-1]
    return centre, scale, quantiles, max(tail, TINY)


def _log_rarity(
    larger: np.ndarray, quantiles: np.ndarray, tail: np.ndarray
) -> np.ndarray:
    logs = -np.log10(LEVELS)
    rarity = np.zeros(larger.size)
    for i in range(LEVELS.size - 1):
        low, high = quantiles[:, i], quantiles[:, i + 1]
        part = np.clip((larger - low) / np.maximum(high - low, TINY), 0, 1)
        rarity = np.where(part > 0, logs[i] + part * (logs[i + 1] - logs[i]), rarity)
    beyond = np.maximum(larger - quantiles[:, -1], 0) / (tail * np.log(10))
    return rarity + beyond


def _at_dose(table: np.ndarray, log_counts: np.ndarray) -> np.ndarray:
    """Rows of a table between the doses that it was made for."""
    place = np.interp(log_counts, np.log(DOSES), np.arange(DOSES.size))
    lower = np.minimum(place.astype(int), DOSES.size - 2)
    part = (place - lower)[:, None]
    return (1 - part) * table[lower] + part * table[lower + 1]
