# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard errors of the abundances.

The Dirichlet posterior of a pixel takes it as known which counts came from which
phase; where spectra overlap, shares scatter more. The information that is missing
is known (Louis 1982, J. R. Stat. Soc. B 44, 226): the parts ``q_ek = D_ek pi_k /
m_e`` of the phases in each channel make ``M_kl = sum_e y_e q_ek q_el`` of what would
be ``diag(A)``, A the allocated counts. So for relative changes ``x_k = d pi_k /
pi_k``, of which ``sum_k pi_k x_k = 0``, the information is

    M + diag(alpha_k + pi_k),

with the prior's parameters alpha; for spectra that do not overlap the covariance is
that of the Dirichlet distribution, ``(diag(pi) - pi pi^T) / (a + 1)``.
"""

from __future__ import annotations

import numpy as np
from scipy.special import psi

from hspy_ml.counts import Counts, SparseCounts
from hspy_ml.factorization.passes import each_block

_LEAST_PRIOR = 1e-3


def abundance_covariance(
    counts: Counts,
    spectra: np.ndarray,
    posterior: np.ndarray,
    brightness: np.ndarray,
    num_workers: int | None = None,
) -> np.ndarray:
    """Covariance of the abundances of each pixel.

    The spectra and the brightness of the phases, and the shares of the neighbours
    on which the prior rests, are taken as known.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    spectra : ndarray, shape (n_channels, n_phases)
        Spectra that sum to one.
    posterior : ndarray, shape (n_pixels, n_phases)
        Parameters of the Dirichlet distributions of the shares.
    brightness : ndarray, shape (n_phases,)
        s, counts of a pixel full of each phase.
    num_workers : int, optional
        Threads.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases, n_phases)
        Rows and columns sum to zero.
    """
    overlap = phase_overlap(counts, spectra, posterior, num_workers)
    relative = relative_covariance(overlap, posterior)
    # h_k = (pi_k / s_k) / sum_l pi_l / s_l, so that dh_k = h_k (x_k - sum_l h_l x_l).
    parts = posterior / brightness
    abundances = parts / parts.sum(axis=1, keepdims=True)
    slopes = abundances[:, :, None] * (np.eye(len(brightness)) - abundances[:, None])
    return slopes @ relative @ slopes.transpose(0, 2, 1)


def phase_overlap(
    counts: Counts,
    spectra: np.ndarray,
    posterior: np.ndarray,
    num_workers: int | None = None,
) -> np.ndarray:
    """Counts that two phases have in common in each pixel.

    Parameters
    ----------
    counts, spectra, posterior, num_workers
        As in :func:`abundance_covariance`.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases, n_phases)
        M, counts; its rows sum to the allocated counts.
    """
    from hspy_ml.factorization import uncertainty_kernels as kernels

    spectra = np.ascontiguousarray(spectra)
    geometric = np.exp(psi(posterior) - psi(posterior.max(axis=1, keepdims=True)))
    overlap = np.zeros((*posterior.shape, posterior.shape[1]))
    if isinstance(counts, SparseCounts):
        kernel = kernels.sparse_overlap
        data = (counts.offsets, counts.channels, counts.values)
    else:
        kernel, data = kernels.dense_overlap, (counts.values,)

    def task(block: int, start: int, stop: int) -> None:
        kernel(start, stop, *data, spectra, geometric, overlap)

    each_block(counts.n_pixels, task, num_workers)
    return overlap


def relative_covariance(overlap: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """Covariance of the relative changes of the shares.

    Parameters
    ----------
    overlap : ndarray, shape (n_pixels, n_phases, n_phases)
        M of each pixel.
    posterior : ndarray, shape (n_pixels, n_phases)
        Parameters of the Dirichlet distributions of the shares.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases, n_phases)
        Of ``x_k = d pi_k / pi_k``; dimensionless.
    """
    shares = posterior / posterior.sum(axis=1, keepdims=True)
    prior = np.maximum(posterior - overlap.sum(axis=2), _LEAST_PRIOR)
    information = overlap + (prior + shares)[:, :, None] * np.eye(shares.shape[1])
    free = np.linalg.inv(information)
    along = (free @ shares[:, :, None])[..., 0]
    norm = (along * shares).sum(axis=1)
    return free - along[:, :, None] * along[:, None] / norm[:, None, None]
