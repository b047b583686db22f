# SPDX-License-Identifier: GPL-3.0-or-later
"""The bias that falls with the counts, found by leaving counts out.

The shares of a block of pixels are known the better the more counts it has, and
what is done about not knowing them (a prior, a mean-field posterior) moves the
spectra by an amount that falls as one over the counts, ``E[V] = V_true + c / N``.
A fit to all counts but one fold of m has ``c m / ((m - 1) N)``; so

    V + (m - 1) (V - mean over folds of V without the fold)

is free of that term (Quenouille 1956, Biometrika 43, 353). Folds are drawn by
count splitting, so that each is again Poisson and every block keeps its shares.
What noise the fits without a fold have cancels to first order in their mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from hspy_ml.counts import Counts, DenseCounts, SparseCounts
from hspy_ml.factorization.multiscale import PhaseSpectra
from hspy_ml.factorization.variational import (
    SMALLEST_SHARE,
    SharesModel,
    VariationalFit,
    VariationalProblem,
    fit,
)

N_FOLDS = 5
"""Fewer would extrapolate further than one over the counts holds."""

_TOLERANCE = 1e-6
_MAX_ITERATIONS = 300


def without_folds(
    counts: Counts,
    n_folds: int,
    random_state: int | np.random.Generator | None = None,
) -> Iterator[Counts]:
    """Split the counts at random into folds, and yield all but one of them.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, whole numbers.
    n_folds : int
        Number of folds.
    random_state : int or numpy.random.Generator, optional
        Seed.

    Yields
    ------
    SparseCounts or DenseCounts
        The counts without one fold; in their mean each count is there
        ``1 - 1 / n_folds`` times, exactly.
    """
    rng = np.random.default_rng(random_state)
    left = counts.values.astype(np.int64)
    for fold in range(n_folds):
        taken = rng.binomial(left, 1.0 / (n_folds - fold))
        left -= taken
        yield _with_values(counts, (counts.values - taken).astype(counts.values.dtype))


def _with_values(counts: Counts, values: np.ndarray) -> Counts:
    if isinstance(counts, DenseCounts):
        return DenseCounts(values)
    there = values > 0
    offsets = np.concatenate([[0], np.cumsum(there)])[counts.offsets]
    return SparseCounts(
        offsets, counts.channels[there], values[there], counts.n_channels
    )


def without_bias(
    phases: PhaseSpectra,
    response: np.ndarray,
    *,
    n_fixed: int = 0,
    n_folds: int = N_FOLDS,
    random_state: int | np.random.Generator | None = None,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> PhaseSpectra:
    """Correct the spectra of the phases for the bias of few counts.

    Parameters
    ----------
    phases : PhaseSpectra
        What was found.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    n_fixed : int, default 0
        How many of the first phases are known and stay as they are.
    n_folds : int, default 5
        Folds that are left out in turn.
    random_state : int or numpy.random.Generator, optional
        Makes the folds repeat exactly.
    progress : callable, optional
        Called with the number of passes just done.
    num_workers : int, optional
        Threads.

    Returns
    -------
    PhaseSpectra
        With other ``column_shares``, which sum to one and are not negative; its
        fit is that of all counts. What was given, marked as interrupted, if Ctrl-C
        ended a fit.
    """
    held = np.arange(phases.column_shares.shape[1]) < n_fixed
    problem = VariationalProblem(phases.image.counts, response, held, num_workers)
    whole = _refit(problem, phases.fit.model, 1.0, progress)
    parts = []
    for part in without_folds(problem.counts, n_folds, random_state):
        kept = 1.0 - 1.0 / n_folds
        fold = replace(problem, counts=part)
        parts.append(_refit(fold, whole.model, kept, progress))
        if parts[-1].interrupted:
            break
    if any(one.interrupted for one in (phases.fit, whole, *parts)):
        return replace(phases, fit=replace(phases.fit, interrupted=True))
    mean = np.mean([part.model.column_shares for part in parts], axis=0)
    shares = whole.model.column_shares
    return replace(
        phases,
        column_shares=_on_simplex(shares + (n_folds - 1) * (shares - mean)),
        fit=replace(phases.fit, model=whole.model),
    )


def _refit(
    problem: VariationalProblem,
    model: SharesModel,
    kept: float,
    progress: Callable[[int], None] | None,
) -> VariationalFit:
    """Fit a part of the counts from where the fit of all of them ended."""
    counted = model.posterior - model.concentration
    start = replace(model, posterior=model.concentration + kept * counted)
    options = {"max_iterations": _MAX_ITERATIONS, "tolerance": _TOLERANCE}
    return fit(problem, start, progress=progress, **options)


def _on_simplex(columns: np.ndarray) -> np.ndarray:
    columns = np.maximum(columns, SMALLEST_SHARE)
    return columns / columns.sum(axis=0)
