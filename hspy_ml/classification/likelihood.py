# SPDX-License-Identifier: GPL-3.0-or-later
r"""Which of some spectra is the likeliest expectation of the counts.

The log-likelihood of counts `y` whose total says nothing (multinomial) is
:math:`\ell_k = \sum_c y_c \ln q_{kc}`. Templates are never exact: where spots of a
phase scatter, :math:`\ell_k - \ell_l` varies by :math:`N^2 w^T S w` beyond counting's
:math:`N \mathrm{Var}_q(w)` with :math:`w = \ln(q_k / q_l)`. For differences that
are normally distributed about means of opposite sign, the log-odds are the difference
divided by the ratio of both together to counting's,

.. math:: \ln \frac{p_k}{p_l} = \ln \frac{\pi_k}{\pi_l}
          + \frac{\ell_k - \ell_l}{1 + N \rho_{kl}}, \quad
          \rho_{kl} = \rho + \frac{w^T S w}{\mathrm{Var}_q(w)},

so that many counts make a classifier no surer than the templates deserve.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..counts import Counts
from .count_sums import weighted_sums
from .references import References

__all__ = ["checked_shares", "log_likelihoods", "overdispersion", "probabilities"]


def log_likelihoods(counts: Counts, shapes: np.ndarray) -> np.ndarray:
    """Multinomial log-likelihood of spectra under each of some expectations.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        n_spectra by n_channels.
    shapes : ndarray, shape (n_phases, n_channels)
        Above zero; each sums to one.

    Returns
    -------
    ndarray, shape (n_spectra, n_phases)
        Without the factorials, which all phases share.
    """
    return weighted_sums(counts, np.log(shapes))


def overdispersion(references: References) -> np.ndarray:
    r"""Variance of log-likelihood ratios beyond counting's, per count and its variance.

    Parameters
    ----------
    references : References

    Returns
    -------
    ndarray, shape (n_phases, n_phases)
        :math:`\rho_{kl}` for spots of phase k; symmetric, the larger of the two.
    """
    scatter = references.scatter
    logs = np.log(references.shapes)
    n_phases = logs.shape[0]
    ratio = np.zeros((n_phases, n_phases))
    for k, q in enumerate(references.shapes):
        w = logs[k] - logs
        w = w - (w @ q)[:, None]
        counting = np.maximum(w**2 @ q, 1e-300)
        spots = (w @ scatter.modes[k].T) ** 2 @ scatter.variances[k]
        ratio[k] = scatter.equal[k] + spots / counting
        ratio[k, k] = 0
    return np.maximum(ratio, ratio.T)


def probabilities(
    log_likelihood: np.ndarray,
    totals: np.ndarray,
    ratio: np.ndarray,
    shares: np.ndarray,
) -> np.ndarray:
    """Probability of each phase.

    Parameters
    ----------
    log_likelihood : ndarray, shape (n_spectra, n_phases)
        Of `log_likelihoods`.
    totals : ndarray, shape (n_spectra,)
        Counts of the spectra.
    ratio : ndarray, shape (n_phases, n_phases)
        Of `overdispersion`.
    shares : ndarray, shape (n_phases,)
        Of the phases, before anything is measured.

    Returns
    -------
    ndarray of float32, shape (n_spectra, n_phases)
        Rows sum to one.
    """
    best = log_likelihood.argmax(axis=1)
    behind = log_likelihood - log_likelihood.max(axis=1, keepdims=True)
    logits = behind / (1 + totals[:, None] * ratio[best])
    with np.errstate(divide="ignore"):
        logits += np.log(shares)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def checked_shares(shares: Sequence[float] | None, n_phases: int) -> np.ndarray:
    """Prior shares of the phases that sum to one.

    Parameters
    ----------
    shares : sequence of float, length n_phases, or None
        Not negative, at least one above zero; None for equal ones.
    n_phases : int

    Returns
    -------
    ndarray, shape (n_phases,)

    Raises
    ------
    ValueError
        If they are something else.
    """
    if shares is None:
        return np.full(n_phases, 1 / n_phases)
    found = np.asarray(shares, dtype=float)
    fits = found.shape == (n_phases,) and np.isfinite(found).all()
    if not fits or found.min() < 0 or not found.sum() > 0:
        raise ValueError(
            f"`prior_shares` is {shares!r}; give {n_phases} numbers that are not "
            "negative, such as the area fractions that are expected."
        )
    return found / found.sum()
