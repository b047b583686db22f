# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard errors of the spectra of the phases.

The covariance of the column shares V is the inverse of their information
(:mod:`~hspy_ml.factorization.information`), in the directions in which they can
move: those of a phase sum to one, and those at zero stay there. Where the fit is
good, minus the second derivatives J equal the summed products of the pixels'
scores K (White 1982, Econometrica 50, 1, eq. 2.2), which are never negative; so
directions in which J is far below K, where some pixels' shares are about to jump,
are given a quarter of K.

To that is added a third of the square of the correction for the bias of few counts
(:mod:`~hspy_ml.factorization.jackknife`): what is beyond one over the counts is
unknown, and taken to be anywhere up to the size of the correction, either way, which
is the variance of a rectangular distribution (JCGM 100:2008, 4.3.7).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag, eigh

from hspy_ml.factorization.information import Information, observed_information
from hspy_ml.factorization.multiscale import PhaseSpectra
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalProblem,
    iterate,
)
from hspy_ml.physics.gmatrix import GMatrix

_SETTLING = 20
_LEAST_OF_SCORES = 0.25
_ONE_COUNT = 1.0


def weights_covariance(
    phases: PhaseSpectra,
    weights: np.ndarray,
    g_matrix: GMatrix,
    *,
    n_fixed: int = 0,
    num_workers: int | None = None,
) -> np.ndarray:
    """Covariance of the weights of each phase.

    The brightness of the phases is taken as known: it does not touch compositions.

    Parameters
    ----------
    phases : PhaseSpectra
        The spectra of the phases, and the image that they were found on.
    weights : ndarray, shape (n_columns, n_phases)
        W.
    g_matrix : GMatrix
        The G-matrix.
    n_fixed : int, default 0
        How many of the first phases are known.
    num_workers : int, optional
        Threads.

    Returns
    -------
    ndarray, shape (n_phases, n_columns, n_columns)
        In the units of the weights squared; zero for known phases.
    """
    totals = g_matrix.matrix.sum(axis=0)
    covariance = column_shares_covariance(
        phases, g_matrix.matrix / totals, n_fixed=n_fixed, num_workers=num_workers
    )
    scale = (totals @ weights)[:, None] / totals
    return covariance * scale[:, :, None] * scale[:, None, :]


def column_shares_covariance(
    phases: PhaseSpectra,
    response: np.ndarray,
    *,
    n_fixed: int = 0,
    num_workers: int | None = None,
) -> np.ndarray:
    """Covariance of the column shares of each phase.

    Parameters
    ----------
    phases : PhaseSpectra
        The spectra of the phases, and the image that they were found on.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    n_fixed : int, default 0
        How many of the first phases are known.
    num_workers : int, optional
        Threads.

    Returns
    -------
    ndarray, shape (n_phases, n_columns, n_columns)
        Dimensionless; zero for known phases.
    """
    counts = phases.image.counts
    model = _settled(phases, response, num_workers)
    information = observed_information(counts, response, model, num_workers)
    columns = model.column_shares.T.copy()
    scatter = covariance_of_phases(information, columns, n_fixed)
    correction = phases.column_shares.T - phases.fit.model.column_shares.T
    correction[:n_fixed] = 0.0
    return scatter + correction[:, :, None] * correction[:, None, :] / 3


def _settled(
    phases: PhaseSpectra, response: np.ndarray, num_workers: int | None
) -> SharesModel:
    """Let the posteriors converge at the spectra that were found."""
    model = phases.fit.model
    held = np.ones(model.column_shares.shape[1], dtype=bool)
    problem = VariationalProblem(phases.image.counts, response, held, num_workers)
    for _ in range(_SETTLING):
        model = iterate(problem, model)[0]
    return model


def covariance_of_phases(
    information: Information, columns: np.ndarray, n_fixed: int = 0
) -> np.ndarray:
    """Invert the information where the column shares are free to move.

    Parameters
    ----------
    information : Information
        Of all phases.
    columns : ndarray, shape (n_phases, n_columns)
        Column shares; a row sums to one.
    n_fixed : int, default 0
        How many of the first phases are known.

    Returns
    -------
    ndarray, shape (n_phases, n_columns, n_columns)
        A share that cannot be told from zero has no covariance with others; its
        variance is what the likelihood alone allows above zero.
    """
    n_phases, n_columns = columns.shape
    curvature = np.maximum(
        np.diag(information.matrix),
        _LEAST_OF_SCORES * np.diag(information.score_products),
    ).reshape(columns.shape)
    score = information.score.reshape(columns.shape)
    free = columns**2 * curvature > 1.0
    free[:n_fixed] = False
    ways = block_diag(*map(_ways_to_move, columns, free))
    spread = _inverse(information, ways)
    spread = spread.reshape(n_phases, n_columns, n_phases, n_columns)
    covariance = spread[np.arange(n_phases), :, np.arange(n_phases)]
    phase, column = np.nonzero(~free[n_fixed:])
    phase += n_fixed
    covariance[phase, column, column] = one_sided_variance(
        score[phase, column], curvature[phase, column] + _ONE_COUNT
    )
    return covariance


def one_sided_variance(slope: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Mean square of what cannot be negative and would like to be zero.

    Parameters
    ----------
    slope, curvature : ndarray
        Of the log-likelihood ``slope x - curvature x^2 / 2``, x >= 0, whose slope
        at zero is not positive (positive ones count as zero).

    Returns
    -------
    ndarray
        ``1 / (curvature + slope^2 / 2)``, exact where one of them vanishes (a half
        normal, and an exponential distribution).
    """
    return 1.0 / (curvature + np.minimum(slope, 0.0) ** 2 / 2)


def _ways_to_move(shares: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Directions that keep the sum, scaled as counts of known origin scatter."""
    root = np.sqrt(shares[free])
    ways = np.zeros((shares.size, max(root.size - 1, 0)))
    if root.size > 1:
        ways[free] = root[:, None] * np.linalg.svd(root[None])[2][1:].T
    return ways


def _inverse(information: Information, ways: np.ndarray) -> np.ndarray:
    if ways.shape[1] == 0:
        return np.zeros((ways.shape[0],) * 2)
    curvature = ways.T @ information.matrix @ ways
    scores = ways.T @ information.score_products @ ways
    scores += _ONE_COUNT * np.eye(ways.shape[1])
    value, vectors = eigh((curvature + curvature.T) / 2, scores)
    directions = ways @ vectors
    return (directions / np.maximum(value, _LEAST_OF_SCORES)) @ directions.T
