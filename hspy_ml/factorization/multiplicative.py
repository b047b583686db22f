# SPDX-License-Identifier: GPL-3.0-or-later
"""Multiplicative updates of weights and abundances, from one read of the data.

The counts of a channel are a sum of counts ``z_pejk`` from each column j in each
phase k, Poisson with mean ``G_ej w_jk h_pk``. The expectation step takes their
means given the data and the current model,

    a_pk = sum_ej <z> = h_pk sum_e (y_pe / m_pe) D_ek,
    b_jk = sum_pe <z> = w_jk sum_e G_ej sum_p (y_pe / m_pe) h_pk,

of which one fused pass gives both. The expected negative log-likelihood of the
complete data is then, up to a constant,

    Q(W, H) = sum_jk w_jk (sum_e G_ej) (sum_p h_pk)
              - sum_pk a_pk log h_pk - sum_jk b_jk log w_jk.

It is minimised in H at the old W, then in W at the new H: two conditional
maximisations after one expectation (Meng & Rubin 1993, Biometrika 80, 267). Both
logarithms keep their coefficients, because those belong to the expectation step;
only the first term couples W and H, and it is always taken at the newest values:

    h_pk: constraints.py, equations (1) to (3);
    w_jk <- w_jk (sum_e G_ej c_ek) / (sum_e G_ej sum_p h_pk),

with c the correlations of the pass. Neither step raises Q, and the loss lies
below Q, up to a constant, and touches it at the current model: the loss never
rises. Penalties are majorised in the same way.

Iterations are accelerated by the squared extrapolation of Varadhan & Roland
(2008, Scand. J. Stat. 35, 335, scheme S3), undone where the loss would rise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hspy_ml.counts import Counts
from hspy_ml.factorization.constraints import Constraint
from hspy_ml.factorization.passes import (
    fused_pass_and_log_likelihood,
    log_likelihood_of_counts,
)
from hspy_ml.factorization.penalties import Penalty

_LONGEST_STEP = 64.0
_SMALLEST_SHRINKAGE = 0.1
_SMALLEST_VALUE = 1e-30
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Model:
    """W and H.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_columns, n_phases)
        W.
    abundances : ndarray of float32 or float64, shape (n_pixels, n_phases)
        H; its type is the precision of the passes over the data.
    """

    weights: np.ndarray
    abundances: np.ndarray


@dataclass(frozen=True, eq=False)
class LikelihoodProblem:
    """What is minimised, and under which constraints.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    g : ndarray of float64, shape (n_channels, n_columns)
        G.
    constraint : Constraint
        What abundances and weights may be.
    penalties : tuple of Penalty
        What maps are liked to be.
    held : ndarray of bool, shape (n_phases,)
        Phases whose weights are given.
    num_workers : int or None
        Threads.
    """

    counts: Counts
    g: np.ndarray
    constraint: Constraint
    penalties: tuple[Penalty, ...]
    held: np.ndarray
    num_workers: int | None = None

    @cached_property
    def column_totals(self) -> np.ndarray:
        """Counts that a unit of each column gives, shape (n_columns,)."""
        return self.g.sum(axis=0)

    def spectra(self, model: Model) -> np.ndarray:
        """Spectra of the phases, n_channels by n_phases.

        Parameters
        ----------
        model : Model
            Weights and abundances.

        Returns
        -------
        ndarray
            D = G W, in the precision of the abundances.
        """
        return (self.g @ model.weights).astype(model.abundances.dtype)

    def loss(self, model: Model) -> float:
        """Penalised negative log-likelihood per count.

        Parameters
        ----------
        model : Model
            Weights and abundances.

        Returns
        -------
        float
            Nats per count, less the term of the data alone.
        """
        likelihood = log_likelihood_of_counts(
            self.counts, self.spectra(model), model.abundances, self.num_workers
        )
        return self.loss_given(model, likelihood)

    def loss_given(self, model: Model, log_likelihood: float) -> float:
        """As :meth:`loss`, with the sum of ``y log m`` known."""
        expected = self.column_totals @ model.weights @ _totals(model.abundances)
        penalty = sum(term.value(model.abundances) for term in self.penalties)
        total = self.counts.pixel_totals.sum()
        return float((expected - log_likelihood + penalty) / total)


def _totals(abundances: np.ndarray) -> np.ndarray:
    return np.array([column.sum(dtype=np.float64) for column in abundances.T])


def iterate(problem: LikelihoodProblem, model: Model) -> tuple[Model, float]:
    """Update abundances, then weights, from one expectation step.

    Parameters
    ----------
    problem : LikelihoodProblem
        What is minimised.
    model : Model
        Where to start.

    Returns
    -------
    model : Model
        A model whose loss is not higher.
    loss : float
        Loss of the model that was given, nats per count.
    """
    allocated, correlation, likelihood = fused_pass_and_log_likelihood(
        problem.counts, problem.spectra(model), model.abundances, problem.num_workers
    )
    loss = problem.loss_given(model, likelihood)
    slope = problem.column_totals @ model.weights
    slope = sum((term.slope(model.abundances) for term in problem.penalties), slope)
    curvature = sum((term.curvature for term in problem.penalties), 0.0)
    abundances = problem.constraint.abundances(
        model.abundances, allocated, slope, curvature
    )
    weights = problem.constraint.weights(
        model.weights,
        model.weights * (problem.g.T @ correlation),
        problem.column_totals,
        _totals(abundances),
    )
    return Model(np.where(problem.held, model.weights, weights), abundances), loss


def extrapolate(
    problem: LikelihoodProblem, models: tuple[Model, Model, Model]
) -> Model:
    """Continue a sequence of three iterates to where it seems to lead.

    Parameters
    ----------
    problem : LikelihoodProblem
        What is minimised.
    models : tuple of three Model
        A model and its two next iterates.

    Returns
    -------
    Model
        A model that is allowed; its loss may be higher. The step is Varadhan &
        Roland's ``|r| / |v|``, in the metric of the expected counts, and shrinks
        no entry by more than a factor of ten.
    """
    spectra = problem.column_totals @ models[1].weights
    columns = np.outer(problem.column_totals, _totals(models[1].abundances))
    weights = [model.weights for model in models]
    abundances = [model.abundances for model in models]
    lengths = _squared_lengths(weights, columns)
    lengths = lengths + _squared_lengths(abundances, spectra)
    step = np.sqrt(lengths[0] / max(lengths[1], _TINY))
    step = float(np.clip(step, 1.0, _LONGEST_STEP))
    leap = problem.constraint.allowed_weights(
        _continued(weights, step), weights[0], problem.column_totals
    )
    return Model(
        np.where(problem.held, weights[0], leap),
        problem.constraint.allowed_abundances(_continued(abundances, step)),
    )


def _squared_lengths(values: list[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """Squares of the step and of its change, each change ``d^2 counts / value``."""
    step = values[1] - values[0]
    metric = counts / np.maximum(values[1], _SMALLEST_VALUE)
    change = values[2] - values[1] - step
    return np.array([(metric * step**2).sum(), (metric * change**2).sum()])


def _continued(values: list[np.ndarray], step: float) -> np.ndarray:
    first = values[1] - values[0]
    change = values[2] - values[1] - first
    leap = values[0] + 2.0 * step * first + step**2 * change
    return np.maximum(leap, _SMALLEST_SHRINKAGE * values[2])
