# SPDX-License-Identifier: GPL-3.0-or-later
"""The simplex constraint of a pixel, solved exactly; compiled.

The equation is derived in :mod:`hspy_ml.factorization.constraints`. Everything is
computed in double precision, whatever the type of the arrays.
"""

from __future__ import annotations

import numba
import numpy as np

_MAX_STEPS = 200
_ROUNDING = 4e-16


@numba.njit(cache=True, nogil=True)
def positive_root(allocated, slope, curvature):
    """Root h >= 0 of ``curvature h^2 + slope h = allocated``, and its slope.

    Parameters
    ----------
    allocated, curvature : float
        Non-negative.
    slope : float
        Of any sign; positive where ``curvature`` is zero.

    Returns
    -------
    root : float
        h, computed without cancellation; 0 if ``allocated`` and ``slope`` are.
    fall : float
        ``-dh / dslope``, non-negative.
    """
    if curvature == 0.0:
        if allocated == 0.0:
            return 0.0, 0.0
        inverse = 1.0 / slope
        root = allocated * inverse
        return root, root * inverse
    width = np.sqrt(slope * slope + 4.0 * curvature * allocated)
    if slope > 0.0:
        root = 2.0 * allocated / (slope + width)
    else:
        root = (width - slope) / (2.0 * curvature)
    return root, (root / width if root > 0.0 else 0.0)


@numba.njit(cache=True, nogil=True)
def dominant_entry(allocated, slope):
    """Entry with the largest ``allocated - slope``: it would be 1 if alone."""
    best = 0
    for k in range(1, allocated.size):
        gain = np.float64(allocated[k]) - np.float64(allocated[best])
        if gain > np.float64(slope[k]) - np.float64(slope[best]):
            best = k
    return best


@numba.njit(cache=True, nogil=True, error_model="numpy")
def share_row(p, allocated, slope, out):
    """Minimise ``slope h - allocated log h`` with sum h = 1: no curvature.

    The entries are ``a_k / (b_k + nu)``. With A the sum of the ``a_k``, Jensen's
    inequality for the convex 1/x gives ``sum_k a_k / (b_k + nu) >= A^2 / sum_k a_k
    (b_k + nu)``, which is one at ``nu = A - sum_k a_k b_k / A``: there, left of the
    root, Newton's steps begin; where slopes are equal, it is the root.

    Parameters
    ----------
    p : int
        The row.
    allocated, slope, out : ndarray, shape (n_rows, n_phases)
        As in :func:`minimise_rows_on_simplex`.
    """
    n_phases = allocated.shape[1]
    first = 0
    for k in range(1, n_phases):
        gain = np.float64(allocated[p, k]) - np.float64(allocated[p, first])
        if gain > np.float64(slope[p, k]) - np.float64(slope[p, first]):
            first = k
    top = np.float64(allocated[p, first])
    lowest = np.float64(slope[p, first])
    counts = 0.0
    moment = 0.0
    for k in range(n_phases):
        a = np.float64(allocated[p, k])
        counts += a
        moment += a * (np.float64(slope[p, k]) - lowest)
    shift = max(0.0, counts - top - moment / counts) if counts > 0.0 else 0.0
    previous = np.inf
    total = 0.0
    for _ in range(_MAX_STEPS):
        total = 0.0
        fall = 0.0
        for k in range(n_phases):
            a = np.float64(allocated[p, k])
            b = max(np.float64(slope[p, k]) - lowest + top, a) + shift
            inverse = 1.0 / b if a > 0.0 else 0.0
            out[p, k] = a * inverse
            total += a * inverse
            fall += a * inverse * inverse
        excess = total - 1.0
        if excess <= _ROUNDING * n_phases or excess >= previous:
            break
        previous = excess
        shift += excess / fall
    if top == 0.0 and shift == 0.0 and total < 1.0:
        out[p, first] = 1.0 - total
        total = 1.0
    for k in range(n_phases):
        out[p, k] /= total


@numba.njit(cache=True, nogil=True)
def minimise_row_on_simplex(allocated, slope, curvature, out):
    """Minimise ``curvature/2 h^2 + slope h - allocated log h`` with sum h = 1.

    Newton steps on the sum of the entries, which is a convex and falling
    function of the multiplier. They begin where the dominant entry alone is one:
    left of the root, so that no step overshoots it.

    Parameters
    ----------
    allocated, slope : ndarray, shape (n_phases,)
        a >= 0, and b of any sign.
    curvature : float
        q > 0, the same for all entries.
    out : ndarray, shape (n_phases,)
        Gets the minimum.
    """
    first = dominant_entry(allocated, slope)
    quadratic = np.float64(curvature)
    top = np.float64(allocated[first])
    shift = 0.0
    previous = np.inf
    for _ in range(_MAX_STEPS):
        total = 0.0
        fall = 0.0
        for k in range(allocated.size):
            a = np.float64(allocated[k])
            # The slope with the multiplier added, from differences, so that
            # slopes much larger than the counts do not swamp them.
            b = np.float64(slope[k]) - np.float64(slope[first]) + top
            b = max(b, a) - quadratic + shift
            root, steepness = positive_root(a, b, quadratic)
            out[k] = root
            total += root
            fall += steepness
        excess = total - 1.0
        if excess <= _ROUNDING * allocated.size or excess >= previous:
            break
        previous = excess
        shift += excess / fall
    for k in range(allocated.size):
        out[k] /= total


@numba.njit(cache=True, nogil=True)
def minimise_rows_on_simplex(start, stop, allocated, slope, curvature, out):
    """Minimise in rows ``start`` to ``stop``, each with its own curvature.

    Parameters
    ----------
    start, stop : int
        Rows to solve.
    allocated, slope, out : ndarray, shape (n_rows, n_phases)
        a >= 0, b of any sign, and where the minimum goes.
    curvature : ndarray, shape (n_rows,)
        q >= 0.
    """
    for p in range(start, stop):
        if curvature[p] == 0.0:
            share_row(p, allocated, slope, out)
        else:
            minimise_row_on_simplex(allocated[p], slope[p], curvature[p], out[p])
