# SPDX-License-Identifier: GPL-3.0-or-later
"""What the counts say about the spectra of the phases: curvature and scores.

The bound that :mod:`~hspy_ml.factorization.variational` maximises is a function of
the column shares V once every pixel has its best Dirichlet posterior a. Its second
derivative follows from implicit differentiation. With the geometric mean shares
``w_k = exp psi(a_k)`` (their scale does not matter), ``m_e = sum_k D_ek w_k``, the
allocated counts ``A_k`` and the sums over channels ::

    R_j  = sum_e G_ej y_e / m_e           P_jj' = sum_e G_ej G_ej' y_e / m_e^2
    Q_jk = sum_e G_ej D_ek y_e / m_e^2    M_kl  = w_k w_l sum_e D_ek D_el y_e / m_e^2

a pixel's score is ``w_k R_j``, and its information

    w_k w_l P_jj' - X_jk B^-1 X_j'l^T,   X_jk,l = w_k (delta_kl R_j - w_l Q_jl),
    B = M + diag(1 / psi'(a_k) - A_k).

The first term is what would be known of V if the shares were known; the second what
is lost because they are not, with the prior on the shares in B: a Schur complement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma, psi

from hspy_ml.counts import Counts, SparseCounts
from hspy_ml.factorization.passes import each_block
from hspy_ml.factorization.variational import SharesModel

_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Information:
    """Derivatives of the bound by the column shares, phase after phase.

    Parameters
    ----------
    matrix : ndarray, shape (n, n), n = n_phases * n_columns
        Minus the second derivatives.
    score : ndarray, shape (n,)
        First derivatives, less their mean over each phase's spectrum.
    score_products : ndarray, shape (n, n)
        Sum over pixels of the outer products of their scores.
    """

    matrix: np.ndarray
    score: np.ndarray
    score_products: np.ndarray


def observed_information(
    counts: Counts,
    response: np.ndarray,
    model: SharesModel,
    num_workers: int | None = None,
) -> Information:
    """Information of the data on the spectra, the shares being unknown.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    model : SharesModel
        Where the bound is differentiated; the posteriors have converged.
    num_workers : int, optional
        Threads.

    Returns
    -------
    Information
        Of the phases' columns one after another, ``index = phase * n_columns +
        column``.
    """
    n_columns, n_phases = model.column_shares.shape
    size = n_phases * n_columns
    response = np.ascontiguousarray(response)
    kernel, data = _kernel_and_data(counts)
    arrays = (*data, response, *_of_model(model, response))

    def task(block: int, start: int, stop: int) -> tuple[np.ndarray, ...]:
        by_channel = np.zeros((counts.n_channels, n_phases, n_phases))
        lost, products, total = np.zeros((size, size)), np.zeros((size, size)), 0.0
        score = np.empty((_CHUNK, n_phases, n_columns))
        root = np.empty((_CHUNK, n_phases, n_phases, n_columns))
        for first in range(start, stop, _CHUNK):
            last = min(first + _CHUNK, stop)
            kernel(first, last, *arrays, by_channel, score, root)
            scores = score[: last - first].reshape(-1, size)
            roots = root[: last - first].reshape(-1, size)
            total = total + scores.sum(axis=0)
            products += scores.T @ scores
            lost += roots.T @ roots
        return by_channel, lost, products, total

    blocks = each_block(counts.n_pixels, task, num_workers)
    by_channel, lost, products, total = map(sum, zip(*blocks, strict=True))
    return Information(_known(by_channel, response) - lost, total, products)


def _kernel_and_data(counts: Counts) -> tuple[Callable, tuple[np.ndarray, ...]]:
    from hspy_ml.factorization import uncertainty_kernels as kernels

    if isinstance(counts, SparseCounts):
        data = (counts.offsets, counts.channels, counts.values)
        return kernels.sparse_information, data
    return kernels.dense_information, (counts.values,)


def _of_model(model: SharesModel, response: np.ndarray) -> tuple[np.ndarray, ...]:
    """Spectra, geometric mean shares, the diagonal of B, and transposed V."""
    a = model.posterior
    stiffness = 1.0 / polygamma(1, a) - (a - model.concentration)
    return (
        np.ascontiguousarray(response @ model.column_shares),
        np.exp(psi(a) - psi(a.max(axis=1, keepdims=True))),
        np.ascontiguousarray(stiffness),
        np.ascontiguousarray(model.column_shares.T),
    )


def _known(by_channel: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Information if the shares were known, phase after phase."""
    n_phases, n_columns = by_channel.shape[1], response.shape[1]
    known = np.empty((n_phases, n_columns, n_phases, n_columns))
    for k, m in np.ndindex(n_phases, n_phases):
        known[k, :, m] = response.T @ (by_channel[:, k, m, None] * response)
    return known.reshape(n_phases * n_columns, -1)
