# SPDX-License-Identifier: GPL-3.0-or-later
"""From weights of G's columns to fractions of elements, with their errors.

A phase holds the amounts a_i of its elements, in mass or in atoms. Its fractions
are ``f_i = u_i a_i / sum_j u_j a_j``, where the factors u convert between mass
and atoms. With ``S = sum_j u_j a_j`` their derivatives are
``df_i/da_j = u_j (delta_ij - f_i) / S``, from which the errors follow by the
delta method, that is by propagating a covariance to first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .composition import atomic_weight

if TYPE_CHECKING:
    from .gmatrix import GMatrix

COMPOSITION_UNITS = ("atomic", "weight")
FAIR_SHARE = 0.1


def reference_columns(g_matrix: GMatrix) -> dict[str, int]:
    """Choose the column by which each element is quantified.

    Of the families whose absolute intensity is well known, the innermost that
    gives at least a tenth of the counts of the strongest one: K lines are the best
    known, but those of heavy elements lie where hardly any photon is excited or
    detected. An element without such a family has its strongest column.

    Parameters
    ----------
    g_matrix : GMatrix
        The G-matrix; the families of an element come in the order K, L, M.

    Returns
    -------
    dict of str to int
        The index of a column for each element, in the order of
        ``g_matrix.elements``.
    """
    counts = g_matrix.matrix.sum(axis=0)
    chosen = {}
    for element in g_matrix.elements:
        own = [i for i, c in enumerate(g_matrix.columns) if c.element == element]
        known = [i for i in own if g_matrix.columns[i].quantitative]
        share = FAIR_SHARE if known else 1.0
        enough = share * counts[known or own].max()
        chosen[element] = next(i for i in known or own if counts[i] >= enough)
    return chosen


def conversion_factors(
    elements: Sequence[str], concentration: str, composition_units: str
) -> np.ndarray:
    """Return the factors u that turn amounts into the wanted kind of amount.

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    concentration : {"mass", "atomic"}
        What the amounts count, as in ``GMatrix.concentration``.
    composition_units : {"atomic", "weight"}
        What the fractions are to count.

    Returns
    -------
    ndarray, shape (n_elements,)
        One, the atomic masses, or their reciprocals.

    Raises
    ------
    ValueError
        If ``composition_units`` is something else.
    """
    if composition_units not in COMPOSITION_UNITS:
        raise ValueError(
            f"`composition_units` is {composition_units!r}; it must be 'atomic' or "
            "'weight'."
        )
    wanted = "mass" if composition_units == "weight" else "atomic"
    if concentration == wanted:
        return np.ones(len(elements))
    masses = np.array([atomic_weight(element) for element in elements])
    return masses if wanted == "mass" else 1 / masses


def fractions(amounts: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Normalise amounts to fractions that sum to one.

    Parameters
    ----------
    amounts : ndarray, shape (..., n_elements)
        Non-negative amounts.
    factors : ndarray, shape (n_elements,)
        The conversion factors u.

    Returns
    -------
    ndarray, shape (..., n_elements)
        NaN where all amounts are zero.
    """
    converted = amounts * factors
    total = converted.sum(axis=-1, keepdims=True)
    return converted / np.where(total > 0, total, np.nan)


def fraction_errors(
    amounts: np.ndarray, covariance: np.ndarray, factors: np.ndarray
) -> np.ndarray:
    """Propagate the covariance of amounts to standard errors of fractions.

    Parameters
    ----------
    amounts : ndarray, shape (..., n_elements)
        Non-negative amounts.
    covariance : ndarray, shape (..., n_elements, n_elements)
        Their covariance.
    factors : ndarray, shape (n_elements,)
        The conversion factors u.

    Returns
    -------
    ndarray, shape (..., n_elements)
        Standard errors of the fractions.
    """
    with_factors = covariance @ factors
    return np.sqrt(
        _projected_variance(
            fractions(amounts, factors),
            _total(amounts, factors),
            factors,
            np.diagonal(covariance, axis1=-2, axis2=-1),
            with_factors,
            with_factors @ factors,
        )
    )


def mixture_fraction_errors(
    abundances: np.ndarray,
    amounts: np.ndarray,
    amounts_covariance: np.ndarray,
    abundance_covariance: np.ndarray,
    factors: np.ndarray,
) -> np.ndarray:
    """Standard errors of the fractions in pixels that mix phases.

    A pixel holds ``a_p = sum_k h_pk a_k``. Amounts of different phases, and
    amounts and abundances, are taken to err independently.

    Parameters
    ----------
    abundances : ndarray, shape (n_pixels, n_phases)
        h.
    amounts : ndarray, shape (n_phases, n_elements)
        What a phase holds.
    amounts_covariance : ndarray, shape (n_phases, n_elements, n_elements)
        Its covariance.
    abundance_covariance : ndarray, shape (n_pixels, n_phases, n_phases)
        The covariance of the abundances of one pixel.
    factors : ndarray, shape (n_elements,)
        The conversion factors u.

    Returns
    -------
    ndarray, shape (n_pixels, n_elements)
        Standard errors of the fractions.
    """
    mixed = abundances @ amounts
    fraction = fractions(mixed, factors)
    total = _total(mixed, factors)
    squared = abundances**2
    with_factors = amounts_covariance @ factors
    from_amounts = _projected_variance(
        fraction,
        total,
        factors,
        squared @ np.diagonal(amounts_covariance, axis1=1, axis2=2),
        squared @ with_factors,
        squared @ (with_factors @ factors),
    )
    converted = amounts * factors
    slopes = converted - fraction[:, None, :] * converted.sum(axis=1)[:, None]
    slopes /= total[:, None, None]
    from_abundances = np.einsum(
        "pki,pkl,pli->pi", slopes, abundance_covariance, slopes, optimize=True
    )
    return np.sqrt(from_amounts + np.clip(from_abundances, 0, None))


def _total(amounts: np.ndarray, factors: np.ndarray) -> np.ndarray:
    total = amounts @ factors
    return np.where(total > 0, total, np.nan)


def _projected_variance(
    fraction: np.ndarray,
    total: np.ndarray,
    factors: np.ndarray,
    variance: np.ndarray,
    with_factors: np.ndarray,
    factors_squared: np.ndarray,
) -> np.ndarray:
    """Diagonal of ``J C J^T`` from C's diagonal, ``C u`` and ``u^T C u``.

    With ``J_ij = u_j (delta_ij - f_i) / S`` it is ``(u_i^2 C_ii - 2 f_i u_i (C
    u)_i + f_i^2 u^T C u) / S^2``, so that no J is needed for a pixel.
    """
    value = (
        factors**2 * variance
        - 2 * fraction * factors * with_factors
        + fraction**2 * factors_squared[..., None]
    )
    return np.clip(value, 0, None) / total[..., None] ** 2
