# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases by variational expectation maximisation, with a prior that likes purity.

Given its total, the counts of a pixel are multinomial: ``p_e = sum_k D_ek
pi_pk``, where the spectra D = G V of the phases and the shares ``pi_p`` each sum
to one. Maximising over spectra and shares together fails at few counts: every
pixel brings shares of its own, and the likelihood gains by moving the spectra
until even the noise finds a place inside the simplex (Neyman & Scott 1948,
Econometrica 16, 1). So the shares are not maximised but averaged over: they have
a Dirichlet prior of concentration below one, and a Dirichlet posterior of its
own for each pixel, in the variational approximation of Blei, Ng & Jordan (2003,
J. Mach. Learn. Res. 3, 993) and Cemgil (2009, Comput. Intell. Neurosci. 785152).
Each iteration costs what a multiplicative update costs: the fused pass runs at
the geometric instead of the arithmetic mean of the shares.

Iterations are accelerated by the squared extrapolation of Varadhan & Roland
(2008, Scand. J. Stat. 35, 335, scheme S3), which is taken back where the bound
would fall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import polygamma, psi

from hspy_ml.counts import Counts
from hspy_ml.factorization.passes import fused_pass_and_log_likelihood
from hspy_ml.factorization.special_kernels import dirichlet_moments, sum_of_log_gamma

CONCENTRATION = 0.1
"""Dirichlet concentration of a share: below one, so that pure pixels are likely.

Between 0.03 and 0.1 the recovered compositions do not change; a learnt
concentration ends in mixtures (``benchmarks/recovery.py``)."""

SMALLEST_SHARE = 1e-12
"""Below no column share falls: what is zero would stay zero."""

_LONGEST_STEP = 64.0
_LEFT_BY_A_STEP = 0.1
_CONCENTRATION_STEPS = 20
_RANGE = (0.02, 1.0)


@dataclass(frozen=True, eq=False)
class SharesModel:
    """Spectra of the phases, and what is known of each pixel's shares.

    Parameters
    ----------
    column_shares : ndarray, shape (n_columns, n_phases)
        V: which share of a phase's counts each column of G gives.
    posterior : ndarray, shape (n_pixels, n_phases)
        Parameters of each pixel's Dirichlet distribution over shares.
    concentration : ndarray, shape (n_phases,) or (n_pixels, n_phases)
        Parameters of the Dirichlet prior.
    """

    column_shares: np.ndarray
    posterior: np.ndarray
    concentration: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Mean shares of the counts, pixels by phases; rows sum to one."""
        return self.posterior / self.posterior.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class VariationalProblem:
    """The data and what is held.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    held : ndarray of bool, shape (n_phases,)
        Phases whose spectra are given.
    num_workers : int or None
        Threads.
    """

    counts: Counts
    response: np.ndarray
    held: np.ndarray
    num_workers: int | None = None


def expected_log_shares(posterior: np.ndarray) -> np.ndarray:
    """Mean of the logarithm of Dirichlet variables.

    Parameters
    ----------
    posterior : ndarray, shape (n_pixels, n_phases)
        Parameters a of the distributions.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases)
        ``psi(a_k) - psi(sum a)``.
    """
    expected_log = np.empty(posterior.shape)
    dirichlet_moments(0, len(posterior), posterior, expected_log)
    return expected_log


def prior_term(
    posterior: np.ndarray, concentration: np.ndarray, expected_log: np.ndarray
) -> float:
    """Part of the bound that does not see the data.

    Parameters
    ----------
    posterior, expected_log : ndarray, shape (n_pixels, n_phases)
        Parameters of the posterior, and its mean logarithms.
    concentration : ndarray, shape (n_phases,) or (n_pixels, n_phases)
        Parameters of the prior.

    Returns
    -------
    float
        Minus the Kullback-Leibler divergence of the posterior from the prior,
        in nats.
    """
    of_prior = np.atleast_2d(concentration)
    n_alike = len(posterior) / len(of_prior)
    norms = n_alike * _log_norm(of_prior) - _log_norm(posterior)
    return float(((concentration - posterior) * expected_log).sum() - norms)


def _log_norm(parameters: np.ndarray) -> float:
    """Sum over the rows of the logarithm of the Dirichlet norm."""
    totals = parameters @ np.ones(parameters.shape[1])
    return sum_of_log_gamma(parameters.ravel()) - sum_of_log_gamma(totals)


def iterate(
    problem: VariationalProblem, model: SharesModel
) -> tuple[SharesModel, float]:
    """Update spectra and shares once.

    Parameters
    ----------
    problem : VariationalProblem
        The data.
    model : SharesModel
        Where to start.

    Returns
    -------
    model : SharesModel
        A model whose bound is not lower.
    bound : float
        Lower bound of the log-evidence of the model that was given, in nats.
    """
    expected_log = expected_log_shares(model.posterior)
    spectra = problem.response @ model.column_shares
    allocated, correlation, likelihood = fused_pass_and_log_likelihood(
        problem.counts, spectra, np.exp(expected_log), problem.num_workers
    )
    bound = likelihood + prior_term(model.posterior, model.concentration, expected_log)
    columns = model.column_shares * (problem.response.T @ correlation)
    columns = np.where(problem.held, model.column_shares, _normalised(columns))
    posterior = model.concentration + allocated
    return SharesModel(columns, posterior, model.concentration), bound


def _normalised(columns: np.ndarray) -> np.ndarray:
    total = columns.sum(axis=0)
    alive = np.where(total > 0, total, 1.0)
    columns = np.where(total > 0, columns / alive, 1.0 / columns.shape[0])
    return np.maximum(columns, SMALLEST_SHARE)


def extrapolate(
    problem: VariationalProblem, models: tuple[SharesModel, SharesModel, SharesModel]
) -> SharesModel:
    """Continue a sequence of three iterates to where it seems to lead.

    Spectra are continued in their logarithms, posteriors as they are; the
    length of the step is Varadhan & Roland's ``-|r| / |v|``, in the metric of
    the expected counts. No share falls below a tenth of what it was: a share that
    is zero stays there, and a pixel that a leap threw there by accident would be
    lost.
    """
    first, second, third = models
    step = second.posterior - first.posterior
    curvature = third.posterior - second.posterior - step
    weight = 1.0 / (second.posterior + 1.0)
    ratio = (weight * step**2).sum() / max((weight * curvature**2).sum(), 1e-300)
    length = float(np.clip(np.sqrt(ratio), 1.0, _LONGEST_STEP))
    posterior = first.posterior + 2 * length * step + length**2 * curvature
    logs = [np.log(np.maximum(m.column_shares, SMALLEST_SHARE)) for m in models]
    log_step = logs[1] - logs[0]
    log_curvature = logs[2] - logs[1] - log_step
    leap = logs[0] + 2 * length * log_step + length**2 * log_curvature
    columns = np.exp(leap - leap.max(axis=0))
    columns = np.where(problem.held, first.column_shares, _normalised(columns))
    least = first.concentration + _LEFT_BY_A_STEP * (
        third.posterior - first.concentration
    )
    return SharesModel(columns, np.maximum(posterior, least), first.concentration)


def learn_concentration(model: SharesModel, phase: int) -> SharesModel:
    """Let the data say how often a phase is absent.

    A prior that rewards absence moves the corners of the simplex inwards, until
    in some pixel even the most abundant phase vanishes. That is right for grains
    side by side, and wrong for grains in a matrix that is everywhere. So the
    concentration of that phase is learnt, by maximum likelihood given the expected
    logarithms (Minka 2000, "Estimating a Dirichlet distribution", eq. 9): it stays
    small where there are pixels without the phase, and becomes one, which rewards
    nothing, where there are none.

    Parameters
    ----------
    model : SharesModel
        Spectra and posteriors.
    phase : int
        The phase, usually the most abundant one.

    Returns
    -------
    SharesModel
        The same with another prior; the bound is not lower.
    """
    if model.posterior.shape[1] == 1:
        return model
    concentration = model.concentration.copy()
    mean_log = expected_log_shares(model.posterior)[:, phase].mean()
    others = concentration.sum() - concentration[phase]
    value = concentration[phase]
    for _ in range(_CONCENTRATION_STEPS):
        value = np.clip(_inverse_psi(psi(value + others) + mean_log), *_RANGE)
    concentration[phase] = value
    return SharesModel(model.column_shares, model.posterior, concentration)


def _inverse_psi(value: float) -> float:
    """Invert the digamma function (Minka 2000, appendix C)."""
    x = np.exp(value) + 0.5 if value >= -2.22 else -1.0 / (value - psi(1.0))
    for _ in range(5):
        x -= (psi(x) - value) / polygamma(1, x)
    return x


@dataclass(frozen=True, eq=False)
class VariationalFit:
    """Where the iterations ended.

    Parameters
    ----------
    model : SharesModel
        The last good state.
    bounds : list of float
        Lower bounds of the log-evidence, nats; they never fall.
    n_iterations : int
        Passes over the data.
    converged, interrupted : bool
        Whether the gain fell below the tolerance; whether Ctrl-C ended it.
    """

    model: SharesModel
    bounds: list[float]
    n_iterations: int
    converged: bool
    interrupted: bool = False


def fit(
    problem: VariationalProblem,
    model: SharesModel,
    *,
    max_iterations: int,
    tolerance: float,
    matrix: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> VariationalFit:
    """Iterate until the bound stands still.

    Parameters
    ----------
    problem : VariationalProblem
        The data.
    model : SharesModel
        Where to start.
    max_iterations : int
        Passes over the data.
    tolerance : float
        Gain of the bound per pass, pixel and phase, in nats, below which it has
        converged.
    matrix : int, optional
        Phase whose concentration is learnt on the way.
    progress : callable, optional
        Called with the number of passes just done.

    Returns
    -------
    VariationalFit
        The best model, also when Ctrl-C ended the iterations.
    """
    enough = tolerance * model.posterior.size
    state = VariationalFit(model, [], 0, False)
    try:
        while state.n_iterations < max_iterations and not state.converged:
            state = _cycle(problem, state, enough, matrix)
            if progress:
                progress(3)
    except KeyboardInterrupt:
        return replace(state, interrupted=True)
    return state


def _cycle(
    problem: VariationalProblem,
    state: VariationalFit,
    enough: float,
    matrix: int | None,
) -> VariationalFit:
    first = state.model if matrix is None else learn_concentration(state.model, matrix)
    second, bound = iterate(problem, first)
    third, second_bound = iterate(problem, second)
    leap, leap_bound = iterate(problem, extrapolate(problem, (first, second, third)))
    gain = bound - state.bounds[-1] if state.bounds else np.inf
    return VariationalFit(
        model=leap if leap_bound >= second_bound else third,
        bounds=[*state.bounds, bound],
        n_iterations=state.n_iterations + 3,
        converged=gain < 3 * enough,
    )
