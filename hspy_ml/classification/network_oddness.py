# SPDX-License-Identifier: GPL-3.0-or-later
r"""How odd a spectrum looks beside all that a phase may look like.

The bins are joined to groups of equal expected counts. Counts of a phase scatter in
them about its mean :math:`N q` with the covariance of counting and of its variants,

.. math:: C = N \mathrm{diag}(q) + N^2 S,

which one rotation makes diagonal at all doses `N`: after division by
:math:`\sqrt{N q}` its variances are :math:`1 + N \lambda_r`. Two statistics are taken
of a spectrum in these terms: the sum of squares, which sees any departure, and the
largest score of some departures, which sees a single peak or another phase far sooner.
How large they are by chance is simulated at each dose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from .network_departures import departures_of
from .network_stream import SpectrumBank

__all__ = ["FALSE_ALARMS", "OddnessTest", "fit_oddness_test"]

FALSE_ALARMS = 2e-3
N_GROUPS = 128
DOSES = np.array([5.0, 15, 50, 150, 500, 1500, 5e3, 2e4, 1e5, 1e6])
DRAWS = 1500  # spectra of each phase and dose
LEVELS = np.array([0.9, 0.5, 0.2, 0.05])  # surpassed by chance
UPPER = 0.02  # level that sets the scale of a statistic
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class OddnessTest:
    """Statistics of departures, and their distributions by chance.

    Parameters
    ----------
    group : ndarray of int32, shape (n_phases, n_bins)
        Group of each bin, increasing from 0.
    means : ndarray of float32, shape (n_phases, n_groups)
        Share of the counts that a phase has in each group.
    axes : ndarray of float32, shape (n_phases, n_groups, n_groups)
        The rotation: columns are the directions.
    variances : ndarray of float32, shape (n_phases, n_groups)
        Of the variants along each of them.
    departures : ndarray of float32, shape (n_phases, n_groups, n_departures)
        Directions of the departures, rotated; of length one.
    skewness : ndarray of float32, shape (n_phases, n_departures)
        Of the score of each departure at one count.
    centre, scale : ndarray of float32, shape (n_phases, n_doses, 2)
        Median of each statistic, and how far its upper end is from it.
    quantiles : ndarray of float32, shape (n_phases, n_doses, n_levels)
        Of the larger one after scaling.
    tail : ndarray of float32, shape (n_phases, n_doses)
        Mean excess over the last quantile.
    """

    group: np.ndarray
    means: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    departures: np.ndarray
    skewness: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    quantiles: np.ndarray
    tail: np.ndarray

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
        for phase in range(len(self.means)):
            own = np.flatnonzero((phases == phase) & (counts > 0))
            if own.size:
                found = self.statistics(spectra[own], phase)
                odd[own] = self._surprise(found, phase, counts[own])
        return odd

    def statistics(self, spectra: np.ndarray, phase: int) -> np.ndarray:
        """Sum of squares, and largest score, of spectra beside one phase.

        Parameters
        ----------
        spectra : ndarray of float32, shape (n, n_bins)
            With counts.
        phase : int

        Returns
        -------
        ndarray, shape (n, 2)
        """
        starts = np.flatnonzero(np.diff(self.group[phase], prepend=-1))
        counts = spectra.sum(axis=1, keepdims=True)
        mean = self.means[phase]
        grouped = np.add.reduceat(spectra, starts, axis=1)
        departed = (grouped - counts * mean) / np.sqrt(counts * mean)
        along = departed @ self.axes[phase]
        precision = 1 / (1 + counts * self.variances[phase])
        squares = (along**2 * precision).sum(axis=1) / np.sqrt(mean.size)
        weights = self.departures[phase]
        scores = (along * precision) @ weights
        scores /= np.sqrt(np.maximum(precision @ weights**2, TINY))
        largest = _as_normal(scores, self.skewness[phase] ** 2 / counts).max(axis=1)
        return np.stack([squares, largest], axis=1)

    def _surprise(
        self, found: np.ndarray, phase: int, counts: np.ndarray
    ) -> np.ndarray:
        at = np.log(counts)
        centre = _at_dose(self.centre[phase], at)
        scale = _at_dose(self.scale[phase], at)
        larger = ((found - centre) / scale).max(axis=1)
        quantiles = _at_dose(self.quantiles[phase], at)
        tail = _at_dose(self.tail[phase][:, None], at)[:, 0]
        return _log_rarity(larger, quantiles, tail)

    def to_weights(self) -> dict[str, np.ndarray]:
        """Arrays by name, as they are in a file."""
        return {f"oddness.{f.name}": getattr(self, f.name) for f in fields(self)}

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
        names = [f.name for f in fields(cls)]
        missing = [n for n in names if f"oddness.{n}" not in weights]
        if missing:
            raise ValueError(f"the file lacks oddness.{missing[0]}")
        test = cls(*(weights[f"oddness.{n}"] for n in names))
        test._check_shapes()
        return test

    def _check_shapes(self) -> None:
        n_phases, n_groups = self.means.shape if self.means.ndim == 2 else (0, 0)
        n_departures = self.departures.shape[-1] if self.departures.ndim else 0
        expected = {
            "group": (n_phases, self.group.shape[-1] if self.group.ndim else 0),
            "axes": (n_phases, n_groups, n_groups),
            "variances": (n_phases, n_groups),
            "departures": (n_phases, n_groups, n_departures),
            "skewness": (n_phases, n_departures),
            "centre": (n_phases, DOSES.size, 2),
            "scale": (n_phases, DOSES.size, 2),
            "quantiles": (n_phases, DOSES.size, LEVELS.size),
            "tail": (n_phases, DOSES.size),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"oddness.{name} does not fit the other arrays")
        steps = np.diff(self.group, axis=1)
        if not n_phases or self.group[:, 0].any() or not np.isin(steps, (0, 1)).all():
            raise ValueError("oddness.group does not number groups of bins")
        if not (self.group[:, -1] == n_groups - 1).all():
            raise ValueError("oddness.group and oddness.means differ in their groups")


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
    n_groups = min(N_GROUPS, bank.n_bins)
    shapes = bank.spectra.mean(axis=1).astype(float)
    group = np.array([_equal_groups(q, n_groups) for q in shapes], np.int32)
    parts = [
        _geometry(bank.spectra[k].astype(float), group[k], departures)
        for k, departures in enumerate(departures_of(shapes, alternatives))
    ]
    geometry = [np.array(p, np.float32) for p in zip(*parts, strict=True)]
    draft = OddnessTest(group, *geometry, *_no_distribution(bank.n_phases))
    distributions = _distributions(draft, others, rng)
    return OddnessTest(group, *geometry, *distributions)


def _geometry(
    variants: np.ndarray, group: np.ndarray, departures: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Mean, axes, variances, departures and their skewness of one phase."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    grouped = np.add.reduceat(variants, starts, axis=1)
    mean = grouped.mean(axis=0)
    relative = (grouped - mean) / np.sqrt(mean)
    variances, axes = np.linalg.eigh(np.cov(relative, rowvar=False))
    weights = _log_ratios(mean, np.add.reduceat(departures, starts, axis=1))
    deviations = np.sqrt(weights**2 @ mean)[:, None]
    weights /= np.maximum(deviations, TINY)
    turned = axes.T @ (weights * np.sqrt(mean)).T
    return mean, axes, np.maximum(variances, 0), turned, weights**3 @ mean


def _log_ratios(mean: np.ndarray, departed: np.ndarray) -> np.ndarray:
    """Weights of the counts that tell spectra from their mean; without bias."""
    weights = np.log(np.maximum(departed, TINY) / mean)
    return weights - (weights @ mean)[:, None]


def _as_normal(scores: np.ndarray, skewness_squared: np.ndarray) -> np.ndarray:
    """Scores as signed deviances of a Poisson variable of the same skewness."""
    mean = 1 / np.maximum(skewness_squared, TINY)
    counted = np.maximum(mean + np.maximum(scores, 0) * np.sqrt(mean), mean)
    deviance = counted * np.log(counted / mean) - (counted - mean)
    return np.sqrt(2 * np.maximum(deviance, 0))


def _equal_groups(shape: np.ndarray, n_groups: int) -> np.ndarray:
    """Number of the group of each bin: about equal counts, none left out."""
    middle = np.cumsum(shape) - shape / 2
    wanted = np.minimum((middle * n_groups / shape.sum()).astype(int), n_groups - 1)
    place = np.arange(shape.size)
    latest = np.minimum(place, n_groups - 1)
    earliest = np.maximum(n_groups - shape.size + place, 0)
    steps = np.zeros(shape.size, int)
    for i in range(1, shape.size):
        step = wanted[i] > steps[i - 1] or earliest[i] > steps[i - 1]
        steps[i] = min(steps[i - 1] + step, latest[i])
    return steps


def _distributions(
    test: OddnessTest, bank: SpectrumBank, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Centre, scale, quantiles and tail of the statistics."""
    empty = _no_distribution(bank.n_phases)
    for phase in range(bank.n_phases):
        for dose, counts in enumerate(DOSES):
            variants = rng.integers(bank.spectra.shape[1], size=DRAWS)
            drawn = rng.poisson(bank.spectra[phase, variants] * counts)
            drawn[drawn.sum(axis=1) == 0, 0] = 1
            found = test.statistics(drawn.astype(np.float32), phase)
            for table, value in zip(empty, _distribution(found), strict=True):
                table[phase, dose] = value
    return empty


def _distribution(found: np.ndarray) -> tuple[np.ndarray, ...]:
    centre = np.median(found, axis=0)
    scale = np.maximum(np.quantile(found, 1 - UPPER, axis=0) - centre, TINY)
    larger = ((found - centre) / scale).max(axis=1)
    quantiles = np.quantile(larger, 1 - LEVELS)
    tail = np.maximum(larger - quantiles[-1], 0).mean() / LEVELS[-1]
    return centre, scale, quantiles, max(tail, TINY)


def _no_distribution(n_phases: int) -> tuple[np.ndarray, ...]:
    shapes = ((2,), (2,), (LEVELS.size,), ())
    return tuple(np.ones((n_phases, DOSES.size, *s), np.float32) for s in shapes)


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
