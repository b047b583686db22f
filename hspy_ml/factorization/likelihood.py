# SPDX-License-Identifier: GPL-3.0-or-later
"""Maximum likelihood, with penalties: ``Y_p ~ Poisson(G W h_p)``.

The likelihood has many local maxima where both W and H are free: it is only as
good as its start (:mod:`hspy_ml.factorization.multiscale`). With the spectra known
it is convex, and :func:`fit_abundances` finds the maximum.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.counts import Counts
from hspy_ml.factorization.constraints import (
    ConstantThickness,
    Constraint,
    FreeThickness,
    HeldAbundances,
)
from hspy_ml.factorization.factorization import Factorization
from hspy_ml.factorization.likelihood_checks import (
    check_possible,
    check_start,
    checked_penalties,
    checked_phases,
)
from hspy_ml.factorization.multiplicative import (
    LikelihoodProblem,
    Model,
    extrapolate,
    iterate,
)
from hspy_ml.factorization.penalties import PixelGraph

MASS_THICKNESS = {"constant": ConstantThickness(), "free": FreeThickness()}
"""What can be said about the mass thickness of the pixels."""

SMALLEST_START = 1e-3
"""Smallest weight and abundance of a start, in units of the mean.

Multiplicative updates cannot leave zero, and leave what is nearly zero slowly."""

_PASSES = 3
_WINDOW = 4
_NOT_CONVERGED = (
    "The likelihood did not converge in {} passes to within {:g} nats per count in "
    "12 passes. Increase `max_iterations`, or `tolerance` if this is close enough."
)


def maximise_likelihood(
    counts: Counts,
    g: np.ndarray,
    weights: np.ndarray,
    abundances: np.ndarray,
    *,
    mass_thickness: str = "constant",
    graph: PixelGraph | None = None,
    smoothness: float = 0.0,
    sparsity: float = 0.0,
    fixed_phases: np.ndarray | None = None,
    fixed_abundances: bool = False,
    max_iterations: int = 2000,
    tolerance: float = 1e-7,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> Factorization:
    """Find the weights and abundances that make the counts most likely.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, n_pixels by n_channels, without excluded pixels and channels.
    g : ndarray, shape (n_channels, n_columns)
        G, non-negative, of the same channels.
    weights : ndarray, shape (n_columns, n_phases)
        W to start from, non-negative. Weights that give less than 1e-3 of the
        mean number of counts are raised to that.
    abundances : ndarray, shape (n_pixels, n_phases)
        H to start from, non-negative; raised to at least 1e-3 of the mean. The
        passes over the data have its precision, float32 or float64.
    mass_thickness : {"constant", "free"}
        Whether the abundances of a pixel sum to one, or to its relative mass
        thickness. The likelihood cannot tell a bright phase from an abundant
        one: with "free" each phase keeps its brightness, the counts of a unit of
        abundance, of the start.
    graph : PixelGraph, optional
        Which pixels are neighbours; needed for ``smoothness``.
    smoothness : float, default 0
        Strength of :class:`~hspy_ml.factorization.penalties.Smoothness`, nats.
    sparsity : float, default 0
        Strength of :class:`~hspy_ml.factorization.penalties.Sparsity`, nats.
    fixed_phases : ndarray of bool, shape (n_phases,), optional
        Phases whose weights are known and stay as they are.
    fixed_abundances : bool, default False
        Whether the abundances are known and stay as they are.
    max_iterations : int, default 2000
        Passes over the data; they are done in threes.
    tolerance : float, default 1e-7
        Converged when the loss fell by less than this in twelve passes, nats per
        count.
    progress : callable, optional
        Called with the number of passes just done. A KeyboardInterrupt in here,
        or anywhere in the iterations, ends them with the last good state.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    Factorization
        Weights, abundances that sum to one, and the mass thickness of the
        pixels: one if constant, else scaled to a mean of one, unless
        ``fixed_phases`` or ``fixed_abundances`` set its unit. In a pixel of mass
        thickness zero abundances are NaN. ``loss`` holds the loss after every
        third pass, from that of the start on, and never rises.

    Raises
    ------
    ValueError
        If shapes do not fit, values are negative or not finite, nothing is left
        to fit, or the start makes counts impossible.

    Warns
    -----
    UserWarning
        If the iterations ran out before the tolerance was met.
    """
    check_start(counts, g, weights, abundances)
    held = checked_phases(fixed_phases, weights, fixed_abundances)
    problem = LikelihoodProblem(
        counts,
        np.asarray(g, np.float64),
        _constraint(mass_thickness, fixed_abundances),
        checked_penalties(graph, smoothness, sparsity, counts.n_pixels),
        held,
        num_workers,
    )
    start = _raised(problem, weights, abundances)
    check_possible(problem.loss(start))
    run = _run(problem, start, max_iterations, tolerance, progress)
    if not (run.converged or run.interrupted):
        warnings.warn(_NOT_CONVERGED.format(run.n_iterations, tolerance), stacklevel=2)
    settings = {
        "mass_thickness": mass_thickness,
        "smoothness": smoothness,
        "sparsity": sparsity,
        "fixed_phases": held.tolist(),
        "fixed_abundances": fixed_abundances,
        "max_iterations": max_iterations,
        "tolerance": tolerance,
        "interrupted": run.interrupted,
    }
    return _factorization(problem, run, settings)


def fit_abundances(
    counts: Counts,
    spectra: np.ndarray,
    abundances: np.ndarray | None = None,
    *,
    mass_thickness: str = "constant",
    graph: PixelGraph | None = None,
    smoothness: float = 0.0,
    sparsity: float = 0.0,
    max_iterations: int = 5000,
    tolerance: float = 1e-9,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> Factorization:
    """Find the most likely abundances of phases whose spectra are known.

    Without sparsity the problem is convex: the maximum does not depend on the
    start.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, without excluded pixels and channels.
    spectra : ndarray, shape (n_channels, n_phases)
        Counts of a pixel full of each phase.
    abundances : ndarray, shape (n_pixels, n_phases), optional
        Where to start; the same for all phases by default.
    mass_thickness, graph, smoothness, sparsity
        As in :func:`maximise_likelihood`.
    max_iterations, tolerance, progress, num_workers
        As in :func:`maximise_likelihood`.

    Returns
    -------
    Factorization
        With ``spectra`` in the place of G, and weights that are the unit matrix.

    Raises
    ------
    ValueError
        As :func:`maximise_likelihood`.

    Warns
    -----
    UserWarning
        If the iterations ran out before the tolerance was met.
    """
    n_phases = np.shape(spectra)[-1]
    if abundances is None:
        abundances = np.ones((counts.n_pixels, n_phases))
    return maximise_likelihood(
        counts,
        spectra,
        np.eye(n_phases),
        abundances,
        mass_thickness=mass_thickness,
        graph=graph,
        smoothness=smoothness,
        sparsity=sparsity,
        fixed_phases=np.ones(n_phases, dtype=bool),
        max_iterations=max_iterations,
        tolerance=tolerance,
        progress=progress,
        num_workers=num_workers,
    )


def _constraint(mass_thickness: str, fixed_abundances: bool) -> Constraint:
    if mass_thickness not in MASS_THICKNESS:
        raise ValueError(
            f"`mass_thickness` is {mass_thickness!r}, but must be one of "
            f"{list(MASS_THICKNESS)}."
        )
    return HeldAbundances() if fixed_abundances else MASS_THICKNESS[mass_thickness]


def _raised(
    problem: LikelihoodProblem, weights: np.ndarray, abundances: np.ndarray
) -> Model:
    """Start without zeros, as far as it may be changed."""
    weights = np.asarray(weights, np.float64)
    totals = problem.column_totals[:, None]
    least = SMALLEST_START * (totals * weights).mean()
    least = np.divide(least, totals, out=np.zeros_like(totals), where=totals > 0)
    abundances = np.array(abundances, np.result_type(abundances, np.float32), order="C")
    if not isinstance(problem.constraint, HeldAbundances):
        np.maximum(abundances, SMALLEST_START * abundances.mean(), out=abundances)
    return Model(
        np.where(problem.held, weights, np.maximum(weights, least)),
        problem.constraint.allowed_abundances(abundances),
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """Where the iterations stand."""

    model: Model
    losses: tuple[float, ...] = ()
    n_iterations: int = 0
    converged: bool = False
    interrupted: bool = False


def _run(
    problem: LikelihoodProblem,
    start: Model,
    max_iterations: int,
    tolerance: float,
    progress: Callable[[int], None] | None,
) -> _Run:
    run = _Run(start)
    try:
        while run.n_iterations < max_iterations and not run.converged:
            run = _cycle(problem, run, tolerance)
            if progress:
                progress(_PASSES)
    except KeyboardInterrupt:
        return replace(run, converged=False, interrupted=True)
    return run


def _cycle(problem: LikelihoodProblem, run: _Run, tolerance: float) -> _Run:
    """Three passes: two iterations, and one from where they lead to.

    The last is kept if the loss before it is not above that of the second model:
    then its own is not either.
    """
    second, loss = iterate(problem, run.model)
    third, second_loss = iterate(problem, second)
    leap = extrapolate(problem, (run.model, second, third))
    fourth, leap_loss = iterate(problem, leap)
    losses = (*run.losses, loss)
    return _Run(
        model=fourth if leap_loss <= second_loss else third,
        losses=losses,
        n_iterations=run.n_iterations + _PASSES,
        converged=len(losses) > _WINDOW and losses[-1 - _WINDOW] - loss < tolerance,
    )


def _factorization(
    problem: LikelihoodProblem, run: _Run, settings: dict
) -> Factorization:
    abundances, weights = run.model.abundances, run.model.weights
    thickness = problem.constraint.mass_thickness(abundances)
    filled = np.where(thickness > 0, thickness, np.nan)[:, None]
    unit = 1.0
    if isinstance(problem.constraint, FreeThickness) and not problem.held.any():
        unit = thickness.mean()
    return Factorization(
        weights=weights * unit,
        abundances=abundances / filled.astype(abundances.dtype),
        pixel_scale=thickness / unit,
        loss=np.array([*run.losses, problem.loss(run.model)]),
        converged=run.converged,
        n_iterations=run.n_iterations,
        settings=settings,
    )
