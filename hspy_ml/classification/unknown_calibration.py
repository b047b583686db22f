# SPDX-License-Identifier: GPL-3.0-or-later
"""How odd spectra of known phases look by chance: simulated from the references.

At each dose of a grid and for each phase, spots are drawn with the scatter that the
references have (of Student's distribution where it is known from few spots) and with
the references' own errors, and counted. The two statistics of `UnknownTest` are brought
to one scale by their medians and upper ends; of the larger, the distribution is kept:
its quantiles up to the tenth that is highest, and an exponential tail beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..counts import Counts
from ..counts.building import counts_from_array
from .references import References
from .unknown import UnknownTest

__all__ = ["Calibration", "calibrate"]

DOSES = np.array([4, 12, 40, 120, 400, 1200, 4000, 12000, 40000, 2e5, 1e6])
LEVELS = np.array([0.9, 0.5, 0.3, 0.2, 0.1])  # surpassed by chance
UPPER = 0.02  # level that sets the scale of a statistic
LEAST_FREEDOM = 3.0


@dataclass(frozen=True, eq=False)
class Calibration:
    """Distributions of the statistics for spectra of each known phase.

    Parameters
    ----------
    centre, scale : ndarray, shape (n_phases, n_doses, 2)
        Median of each statistic, and what lies between it and its upper end.
    quantiles : ndarray, shape (n_phases, n_doses, n_levels)
        Of the larger one after scaling, at `LEVELS`.
    tail : ndarray, shape (n_phases, n_doses)
        Mean excess over the last quantile.
    """

    centre: np.ndarray
    scale: np.ndarray
    quantiles: np.ndarray
    tail: np.ndarray

    def oddness(
        self, statistics: np.ndarray, totals: np.ndarray, which: np.ndarray
    ) -> np.ndarray:
        """Minus the decimal logarithm of the probability to look odder by chance.

        Parameters
        ----------
        statistics : ndarray, shape (n_spectra, 2)
            Of `UnknownTest`.
        totals : ndarray, shape (n_spectra,)
            Counts of the spectra.
        which : ndarray of int, shape (n_spectra,)
            Phase of each from 0; -1 for none.

        Returns
        -------
        ndarray of float32, shape (n_spectra,)
            3 for a probability of 0.001; NaN without phase or counts.
        """
        odd = np.full(totals.shape, np.nan, np.float32)
        judged = np.flatnonzero((which >= 0) & (totals > 0))
        phase, log_dose = which[judged], np.log(totals[judged])
        centre = _at_dose(self.centre, phase, log_dose)
        scale = _at_dose(self.scale, phase, log_dose)
        larger = ((statistics[judged] - centre) / scale).max(axis=1)
        quantiles = _at_dose(self.quantiles, phase, log_dose)
        tail = _at_dose(self.tail[..., None], phase, log_dose)[:, 0]
        odd[judged] = _surprise(larger, quantiles, tail)
        return odd

    def upper_squares(self, phase: int, total: float) -> float:
        """Sum of squares that one spectrum in fifty of a phase surpasses by chance.

        Parameters
        ----------
        phase : int
            From 0.
        total : float
            Counts of the spectrum.

        Returns
        -------
        float
        """
        which, log_dose = np.array([phase]), np.log([total])
        ends = _at_dose(self.centre + self.scale, which, log_dose)
        return float(ends[0, 1])


def calibrate(
    test: UnknownTest, random_state: int | np.random.Generator, n_spots: int = 800
) -> Calibration:
    """Simulate what the statistics are for the phases that are known.

    Parameters
    ----------
    test : UnknownTest
    random_state : int or numpy.random.Generator
        Makes the simulation repeat exactly.
    n_spots : int, default 800
        For each phase, counted once at each dose.

    Returns
    -------
    Calibration
    """
    rng = np.random.default_rng(random_state)
    n_phases, n_doses = len(test.references.names), DOSES.size
    found = np.empty((n_phases, n_doses, n_spots, 2))
    for phase in range(n_phases):
        spots = _spots(test.references, phase, n_spots, rng)
        which = np.full(n_spots, phase)
        for dose in range(n_doses):
            counts = _counted(spots, DOSES[dose], rng)
            found[phase, dose] = test.statistics(counts, which)
    centre = np.median(found, axis=2)
    scale = np.maximum(np.quantile(found, 1 - UPPER, axis=2) - centre, 1e-6)
    larger = ((found - centre[:, :, None]) / scale[:, :, None]).max(axis=3)
    quantiles = np.moveaxis(np.quantile(larger, 1 - LEVELS, axis=2), 0, 2)
    excess = np.maximum(larger - quantiles[..., -1:], 0).mean(axis=2) / LEVELS[-1]
    return Calibration(centre, scale, quantiles, np.maximum(excess, 1e-6))


def _spots(
    references: References, phase: int, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Shapes of expected spectra of spots, shape (n, n_channels)."""
    scatter, shape = references.scatter, references.shapes[phase]
    freedom = max(scatter.freedom[phase], LEAST_FREEDOM)
    spread = np.sqrt(freedom / rng.chisquare(freedom, n))
    normal = rng.standard_normal((n, scatter.variances.shape[1]))
    amplitudes = normal * np.sqrt(scatter.variances[phase]) * spread[:, None]
    equal = scatter.equal[phase]
    near = rng.gamma(shape / equal, equal, (n, shape.size))
    spots = np.maximum(near + amplitudes @ scatter.modes[phase], 0)
    return spots / spots.sum(axis=1, keepdims=True)


def _counted(spots: np.ndarray, dose: float, rng: np.random.Generator) -> Counts:
    drawn = rng.poisson(spots * dose)
    drawn[drawn.sum(axis=1) == 0, 0] = 1
    return counts_from_array(drawn)


def _at_dose(table: np.ndarray, phase: np.ndarray, log_dose: np.ndarray) -> np.ndarray:
    """Values of each phase between the doses of the grid."""
    grid = np.log(DOSES)
    place = np.clip(np.interp(log_dose, grid, np.arange(grid.size)), 0, grid.size - 1)
    lower = np.minimum(place.astype(int), grid.size - 2)
    part = (place - lower)[:, None]
    return table[phase, lower] * (1 - part) + table[phase, lower + 1] * part


def _surprise(
    larger: np.ndarray, quantiles: np.ndarray, tail: np.ndarray
) -> np.ndarray:
    logs = -np.log10(LEVELS)
    surprise = np.zeros(larger.size)
    for i in range(LEVELS.size - 1):
        low, high = quantiles[:, i], quantiles[:, i + 1]
        part = (larger - low) / np.maximum(high - low, 1e-12)
        surprise = np.where(
            part > 0, logs[i] + part * (logs[i + 1] - logs[i]), surprise
        )
    above = larger - quantiles[:, -1]
    beyond = logs[-1] + above / (tail * np.log(10))
    return np.where(above > 0, beyond, np.minimum(surprise, logs[-1]))
