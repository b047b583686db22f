# SPDX-License-Identifier: GPL-3.0-or-later
r"""How much of a map each phase covers, with what misclassification leaves open.

The shares :math:`\pi` that make the probabilities of the pixels most likely are found
by expectation-maximisation, so that the shares which the classifier assumed do not
pull. Were every pixel's phase known, the shares would be known exactly: they are those
of this map, not of the material it is a part of. What is missing is the information
that the spectra do not give,

.. math:: \mathrm{Cov}(\hat\pi) = I_\mathrm{observed}^{-1} - I_\mathrm{complete}^{-1}.

References
----------
M. Saerens, P. Latinne, C. Decaestecker, Neural Computation 14 (2002) 21: the shares.
T. A. Louis, J. R. Stat. Soc. B 44 (1982) 226: their information.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .classified import Classified
from .likelihood import checked_shares

__all__ = ["AreaFractions", "area_fractions"]

ITERATIONS = 500
TOLERANCE = 1e-9
LEVELS = (0.68, 0.95)
RIDGE = 1e-6  # of the complete information: where spectra tell nothing
LEAST_PIXELS = 0.5  # of a phase, where its information is asked for


@dataclass(frozen=True, eq=False)
class AreaFractions:
    """Shares of the pixels whose phase is known.

    Parameters
    ----------
    names : tuple of str
    estimate : ndarray, shape (n_phases,)
        They sum to one; NaN if no pixel is of a known phase.
    standard_error : ndarray, shape (n_phases,)
    interval_68, interval_95 : ndarray, shape (n_phases, 2)
        Lower and upper ends.
    unknown : float
        Share of all measured pixels that are of no known phase.
    """

    names: tuple[str, ...]
    estimate: np.ndarray
    standard_error: np.ndarray
    interval_68: np.ndarray
    interval_95: np.ndarray
    unknown: float


def area_fractions(
    classified: Classified, prior_shares: Sequence[float] | None = None
) -> AreaFractions:
    """Shares of a map that each phase covers.

    Parameters
    ----------
    classified : Classified
        Pixels of the map; those without counts are left out.
    prior_shares : sequence of float, length n_phases, optional
        What the probabilities assumed; equal shares by default.

    Returns
    -------
    AreaFractions
        Errors of the pixels are taken to be independent.

    Raises
    ------
    ValueError
        If `prior_shares` are no shares of the phases.
    """
    n_phases = len(classified.names)
    prior = checked_shares(prior_shares, n_phases)
    measured = ~np.isnan(classified.oddness)
    known = classified.is_known
    unknown = 1 - known.sum() / max(measured.sum(), 1)
    if not known.any():
        nothing = np.full((n_phases, 2), np.nan)
        none = nothing[:, 0]
        return AreaFractions(classified.names, none, none, nothing, nothing, unknown)
    odds = classified.probabilities[known] / np.maximum(prior, 1e-12)
    shares = _likeliest_shares(odds.astype(float))
    error = np.sqrt(_variances(odds, shares))
    intervals = [_interval(shares, error, level) for level in LEVELS]
    return AreaFractions(classified.names, shares, error, *intervals, float(unknown))


def _likeliest_shares(odds: np.ndarray) -> np.ndarray:
    shares = np.full(odds.shape[1], 1 / odds.shape[1])
    for _ in range(ITERATIONS):
        before = shares
        shares = _memberships(odds, before).mean(axis=0)
        if np.abs(shares - before).max() < TOLERANCE:
            break
    return shares


def _memberships(odds: np.ndarray, shares: np.ndarray) -> np.ndarray:
    parts = odds * shares
    return parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)


def _variances(odds: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Of the shares, about those that the phases have in this map."""
    n, n_phases = odds.shape
    if n_phases == 1:
        return np.zeros(1)
    shares = (n * shares + LEAST_PIXELS) / (n + n_phases * LEAST_PIXELS)
    members = _memberships(odds, shares)
    slopes = members / shares
    free = slopes[:, :-1] - slopes[:, -1:]
    observed = free.T @ free
    known = members.sum(axis=0) / shares**2
    complete = np.diag(known[:-1]) + known[-1]
    missing = np.linalg.inv(observed + RIDGE * complete) - np.linalg.inv(complete)
    sums = np.vstack([np.eye(n_phases - 1), -np.ones(n_phases - 1)])
    return np.maximum(np.diag(sums @ missing @ sums.T), 0)


def _interval(shares: np.ndarray, error: np.ndarray, level: float) -> np.ndarray:
    """Quantiles of Beta distributions with these means and standard deviations."""
    from scipy.stats import beta

    largest = shares * (1 - shares)
    variance = np.minimum(error**2, 0.99 * largest)
    spread = variance > 0
    size = np.where(spread, largest / np.where(spread, variance, 1) - 1, 1.0)
    mean = np.where(spread, shares, 0.5)
    ends = [(1 - level) / 2, (1 + level) / 2]
    found = beta.ppf(ends, (mean * size)[:, None], ((1 - mean) * size)[:, None])
    return np.where(spread[:, None], found, shares[:, None])
