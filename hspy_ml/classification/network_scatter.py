# SPDX-License-Identifier: GPL-3.0-or-later
r"""How far spectra depart from phases, in units of what is usual.

The bins are joined to groups of equal expected counts. Counts of a phase scatter in
them about its mean :math:`N q` with the covariance of counting and of its variants,

.. math:: C = N \mathrm{diag}(q) + N^2 S,

which one rotation makes diagonal at all doses `N`: after division by
:math:`\sqrt{N q}` its variances are :math:`1 + N \lambda_r`. Two statistics are taken
of a spectrum in these terms: the sum of squares, which sees any departure, and the
largest score of some departures, which sees a single peak or another phase far sooner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .network_departures import departures_of
from .network_stream import SpectrumBank

__all__ = ["PhaseScatter", "scatter_of"]

N_GROUPS = 128
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class PhaseScatter:
    """Means of phases, how their spectra scatter, and departures to look for.

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
    """

    group: np.ndarray
    means: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    departures: np.ndarray
    skewness: np.ndarray

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

    def check_shapes(self) -> None:
        """Raise if the arrays do not fit together.

        Raises
        ------
        ValueError
        """
        n_phases, n_groups = self.means.shape if self.means.ndim == 2 else (0, 0)
        n_departures = self.departures.shape[-1] if self.departures.ndim else 0
        expected = {
            "group": (n_phases, self.group.shape[-1] if self.group.ndim else 0),
            "axes": (n_phases, n_groups, n_groups),
            "variances": (n_phases, n_groups),
            "departures": (n_phases, n_groups, n_departures),
            "skewness": (n_phases, n_departures),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"oddness.{name} does not fit the other arrays")
        steps = np.diff(self.group, axis=1)
        if not n_phases or self.group[:, 0].any() or not np.isin(steps, (0, 1)).all():
            raise ValueError("oddness.group does not number groups of bins")
        if not (self.group[:, -1] == n_groups - 1).all():
            raise ValueError("oddness.group and oddness.means differ in their groups")


def scatter_of(bank: SpectrumBank, alternatives: np.ndarray) -> PhaseScatter:
    """Means and covariances of the variants of phases.

    Parameters
    ----------
    bank : SpectrumBank
    alternatives : ndarray, shape (n_alternatives, n_bins)
        Spectra of what else could be there; each sums to one. May be none.

    Returns
    -------
    PhaseScatter
    """
    n_groups = min(N_GROUPS, bank.n_bins)
    shapes = bank.spectra.mean(axis=1).astype(float)
    group = np.array([_equal_groups(q, n_groups) for q in shapes], np.int32)
    parts = [
        _geometry(bank.spectra[k].astype(float), group[k], departures)
        for k, departures in enumerate(departures_of(shapes, alternatives))
    ]
    arrays = [np.array(part, np.float32) for part in zip(*parts, strict=True)]
    return PhaseScatter(group, *arrays)


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
