# SPDX-License-Identifier: GPL-3.0-or-later
"""Abundance maps at full resolution, for phases whose spectra are known.

A pixel with 18 counts says little about its shares; its neighbours say more. The
prior of a pixel is a Dirichlet distribution whose mean is the mean shares of its
neighbours, and whose concentration says how much a pixel resembles them: how
many counts of its own outweigh what its neighbours say. That number is not set
but found: the one that predicts counts best that were held out (binomial
thinning leaves two independent Poisson data sets).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from hspy_ml.counts import Counts
from hspy_ml.counts.thinning import thin
from hspy_ml.factorization.passes import log_likelihood_of_counts
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalProblem,
    iterate,
)

RESEMBLANCES = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Concentrations of the prior that are tried, in counts."""

_NEIGHBOURHOOD = 1.0
_KEPT = 0.8
_ALONE = 10
_TOGETHER = 40


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Takes the mean over a pixel's neighbours, itself left out.

    Parameters
    ----------
    map_shape : tuple of int
        Shape of the map.
    pixels : ndarray of int, shape (n_pixels,)
        Where in the flattened map the pixels are; others are no neighbours.
    """

    map_shape: tuple[int, ...]
    pixels: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Gaussian mean, of standard deviation one pixel, over neighbours.

        Parameters
        ----------
        values : ndarray, shape (n_pixels, n_phases)
            What to average.

        Returns
        -------
        ndarray, shape (n_pixels, n_phases)
            The means; a pixel without neighbours keeps the mean of the map.
        """
        own = self._own_weight()
        weight = self._blur(np.ones((len(values), 1))) - own
        total = self._blur(values) - own * values
        lonely = weight < 1e-9
        mean = total / np.where(lonely, 1.0, weight)
        return np.where(lonely, values.mean(axis=0), np.maximum(mean, 0.0))

    def _own_weight(self) -> float:
        centre = (4,) * len(self.map_shape)
        impulse = np.zeros((9,) * len(self.map_shape))
        impulse[centre] = 1.0
        return gaussian_filter(impulse, _NEIGHBOURHOOD, mode="constant")[centre]

    def _blur(self, values: np.ndarray) -> np.ndarray:
        maps = np.zeros((np.prod(self.map_shape, dtype=int), values.shape[1]))
        maps[self.pixels] = values
        maps = maps.reshape(*self.map_shape, -1)
        axes = tuple(range(len(self.map_shape)))
        blurred = gaussian_filter(maps, _NEIGHBOURHOOD, mode="constant", axes=axes)
        return blurred.reshape(-1, values.shape[1])[self.pixels]


@dataclass(frozen=True, eq=False)
class Maps:
    """Shares of the counts in every pixel.

    Parameters
    ----------
    posterior : ndarray, shape (n_pixels, n_phases)
        Parameters of the Dirichlet distributions of the shares.
    resemblance : float
        Concentration of the prior, in counts.
    interrupted : bool, default False
        Whether Ctrl-C ended it: the shares are then those of the start.
    """

    posterior: np.ndarray
    resemblance: float
    interrupted: bool = False


def fit_maps(
    counts: Counts,
    response: np.ndarray,
    column_shares: np.ndarray,
    start: np.ndarray,
    neighbourhood: Neighbourhood,
    *,
    concentration: float,
    resemblance: float | None = None,
    random_state: int | np.random.Generator | None = None,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> Maps:
    """Find the shares of every pixel.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    column_shares : ndarray, shape (n_columns, n_phases)
        V, held.
    start : ndarray, shape (n_pixels, n_phases)
        Shares to start from.
    neighbourhood : Neighbourhood
        Which pixels are neighbours.
    concentration : float
        Dirichlet concentration of a share without neighbours.
    resemblance : float, optional
        Concentration of the prior around the neighbours' mean; by default the
        one of :data:`RESEMBLANCES` that predicts held-out counts best.
    random_state, progress, num_workers
        As in :func:`~hspy_ml.factorization.multiscale.find_phases`.

    Returns
    -------
    Maps
        The posteriors; those of the start if Ctrl-C ended the iterations.
    """
    spectra = response @ column_shares

    def posterior(data: Counts, strength: float) -> np.ndarray:
        return _posterior(
            data,
            response,
            column_shares,
            start,
            neighbourhood,
            concentration,
            strength,
            progress,
            num_workers,
        )

    def predicted(strength: float) -> float:
        shares = _shares(posterior(kept, strength))
        return log_likelihood_of_counts(rest, spectra, shares, num_workers)

    try:
        if resemblance is None:
            kept, rest = thin(counts, _KEPT, random_state)
            resemblance = _best_resemblance(predicted)
        return Maps(posterior(counts, resemblance), float(resemblance))
    except KeyboardInterrupt:
        informed = concentration + start * counts.pixel_totals[:, None]
        return Maps(informed, 0.0, interrupted=True)


def _best_resemblance(predicted: Callable[[float], float]) -> float:
    """Try one after the other until the prediction becomes worse."""
    scores = []
    for strength in RESEMBLANCES:
        scores.append(predicted(strength))
        if len(scores) > 1 and scores[-1] < scores[-2]:
            break
    return RESEMBLANCES[int(np.argmax(scores))]


def _shares(posterior: np.ndarray) -> np.ndarray:
    return posterior / posterior.sum(axis=1, keepdims=True)


def _posterior(
    counts: Counts,
    response: np.ndarray,
    column_shares: np.ndarray,
    start: np.ndarray,
    neighbourhood: Neighbourhood,
    concentration: float,
    strength: float,
    progress: Callable[[int], None] | None,
    num_workers: int | None,
) -> np.ndarray:
    n_phases = column_shares.shape[1]
    held = np.ones(n_phases, dtype=bool)
    prior = np.full(n_phases, concentration)
    # The prior that the neighbours inform keeps a trace of the uninformed one, so
    # that a single odd pixel can still be what none of its neighbours is.
    trace = concentration if strength == 0 else concentration / 5
    totals = counts.pixel_totals[:, None]
    problem = VariationalProblem(counts, response, held, num_workers)
    model = SharesModel(column_shares, prior + start * totals, prior)
    for iteration in range(_ALONE + _TOGETHER):
        if strength > 0 and iteration >= _ALONE:
            prior = trace + strength * neighbourhood.mean(model.shares)
        model = iterate(problem, replace(model, concentration=prior))[0]
        if progress:
            progress(1)
    return model.posterior
