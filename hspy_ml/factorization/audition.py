# SPDX-License-Identifier: GPL-3.0-or-later
"""Which start promises most: each may run for a while, and the best bound wins.

Whether grains are pure nobody knows beforehand. So there are starts for grains that
are and for grains that are not (:mod:`~hspy_ml.factorization.start`). Each is given
the shares that go with its spectra before the spectra may change; then a few passes
are enough to tell them apart.

Where spectra are far from those of the phases, as of a bulk that no single response
describes, such shares leave a phase without counts, and it cannot come back. So the
corners also run with shares that have just begun to form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hspy_ml.factorization.start import (
    WhitenedPixels,
    candidate_starts,
    corner_shares,
    grain_shares,
    phase_shares,
    whiten,
)
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalFit,
    VariationalProblem,
    fit,
    iterate,
)

_PASSES_FOR_SHARES = 90
_AUDITION = 30
_WARM_UP = 10
_LONG_AUDITION = 90


def best_start(
    problem: VariationalProblem,
    prior: np.ndarray,
    fixed_shares: np.ndarray | None,
    rng: np.random.Generator,
    options: dict,
) -> VariationalFit:
    """Find the start that promises most.

    Parameters
    ----------
    problem : VariationalProblem
        The coarsest image.
    prior : ndarray, shape (n_phases,)
        Parameters of the Dirichlet prior.
    fixed_shares : ndarray, shape (n_columns, n_fixed), or None
        Column shares of known phases.
    rng : numpy.random.Generator
        For the search of the purest pixels.
    options : dict
        ``tolerance`` and ``progress`` of the fits.

    Returns
    -------
    VariationalFit
        The one of the highest bound, after a few passes over the data.
    """
    pixels = whiten(problem.counts, problem.response)
    corners = corner_shares(pixels, prior.size, rng)
    if fixed_shares is not None:
        corners = _with_fixed(corners, fixed_shares)
    best = None
    of_corners = candidate_starts(corners, pixels.mean_shares)
    of_grains = candidate_starts(grain_shares(pixels, corners), pixels.mean_shares)
    converged = [(shares, True) for shares in (*of_corners, *of_grains)]
    for shares, converge in (*converged, *((shares, False) for shares in of_corners)):
        if fixed_shares is not None:
            shares[:, : fixed_shares.shape[1]] = fixed_shares
        audition = _with_shares if converge else _with_first_shares
        trial = audition(problem, pixels, shares, prior, options)
        if best is None or trial.bounds[-1:] > best.bounds[-1:]:
            best = trial
        if trial.interrupted:
            return replace(best, interrupted=True)
    return best


def _with_shares(
    problem: VariationalProblem,
    pixels: WhitenedPixels,
    column_shares: np.ndarray,
    prior: np.ndarray,
    options: dict,
) -> VariationalFit:
    """A few passes from the shares that go with the spectra."""
    found = find_shares(problem, pixels, column_shares, prior, **options)
    if found.interrupted:
        return found
    return fit_phases(problem, found.model, prior, _AUDITION, options)


def _with_first_shares(
    problem: VariationalProblem,
    pixels: WhitenedPixels,
    column_shares: np.ndarray,
    prior: np.ndarray,
    options: dict,
) -> VariationalFit:
    """More passes from shares that began equal everywhere."""
    posterior = prior + problem.counts.pixel_totals[:, None] / prior.size
    model = SharesModel(column_shares, posterior, prior)
    for _ in range(_WARM_UP):
        model = replace(model, posterior=iterate(problem, model)[0].posterior)
    return fit_phases(problem, model, prior, _LONG_AUDITION, options)


def fit_phases(
    problem: VariationalProblem,
    model: SharesModel,
    prior: np.ndarray,
    max_iterations: int,
    options: dict,
) -> VariationalFit:
    """Iterate, with a concentration of its own for the most abundant phase.

    Parameters
    ----------
    problem : VariationalProblem
        The data.
    model : SharesModel
        Where to start.
    prior : ndarray, shape (n_phases,)
        Parameters of the Dirichlet prior.
    max_iterations : int
        Passes over the data.
    options : dict
        ``tolerance`` and ``progress`` of the fit.

    Returns
    -------
    VariationalFit
        See :func:`~hspy_ml.factorization.variational.fit`.
    """
    matrix = int(model.posterior.sum(axis=0).argmax())
    is_matrix = np.arange(prior.size) == matrix
    concentration = np.where(is_matrix, model.concentration, prior)
    model = replace(model, concentration=concentration)
    return fit(problem, model, max_iterations=max_iterations, matrix=matrix, **options)


def find_shares(
    problem: VariationalProblem,
    pixels: WhitenedPixels,
    column_shares: np.ndarray,
    prior: np.ndarray,
    *,
    tolerance: float = 2e-4,
    progress: Callable[[int], None] | None = None,
) -> VariationalFit:
    """Find given phases in the pixels: begun at least squares, until it converges.

    Shares of similar phases converge slowly, one minus the rate being the part of
    the counts that tells them apart. Spectra that may change before move out of
    the simplex to make up for it, and do not come back.

    Parameters
    ----------
    problem : VariationalProblem
        The data; all phases are held, whatever it says.
    pixels : WhitenedPixels
        The same data.
    column_shares : ndarray, shape (n_columns, n_phases)
        V, columns that sum to one.
    prior : ndarray, shape (n_phases,)
        Parameters of the Dirichlet prior.
    tolerance, progress
        See :func:`~hspy_ml.factorization.variational.fit`.

    Returns
    -------
    VariationalFit
        With the spectra that were given.
    """
    totals = problem.counts.pixel_totals[:, None]
    posterior = prior + phase_shares(pixels, column_shares) * totals
    return fit(
        replace(problem, held=np.ones_like(problem.held)),
        SharesModel(column_shares, posterior, prior),
        max_iterations=_PASSES_FOR_SHARES,
        tolerance=tolerance,
        progress=progress,
    )


def _with_fixed(corners: np.ndarray, fixed_shares: np.ndarray) -> np.ndarray:
    corners = corners.copy()
    free = list(range(corners.shape[1]))
    order = []
    for known in fixed_shares.T:
        distance = [np.abs(corners[:, j] - known).sum() for j in free]
        order.append(free.pop(int(np.argmin(distance))))
    corners = corners[:, order + free]
    corners[:, : len(order)] = fixed_shares
    return corners
