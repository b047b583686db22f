# SPDX-License-Identifier: GPL-3.0-or-later
"""The hot loops of elastic scattering: Dirac's radial equation, angular sums.

Atomic units. No validation here.
"""

from __future__ import annotations

import numba
import numpy as np

LIGHT_SPEED = 137.035999084  # CODATA 2018
GROWTH_BEFORE_TURNING = 35.0  # e-folds of a partial wave that are integrated
NEGLIGIBLE_PHASE = 1e-6


@numba.njit(cache=True, nogil=True)
def spherical_bessel(x, l_max):
    """j_l(x) and n_l(x) for l from 0 to ``l_max``, x > 0.

    n_l by recurrence upwards, j_l downwards from far above and normalised to j_0 or
    j_1, whichever is larger; both are stable.
    """
    neumann = np.empty(l_max + 1)
    neumann[0] = -np.cos(x) / x
    neumann[1] = -np.cos(x) / x**2 - np.sin(x) / x
    for l in range(1, l_max):  # noqa: E741
        neumann[l + 1] = (2 * l + 1) / x * neumann[l] - neumann[l - 1]
    bessel = np.zeros(l_max + 1)
    above, here = 0.0, 1e-250
    for l in range(l_max + 40 + int(x) // 2, 0, -1):  # noqa: E741
        if l <= l_max:
            bessel[l] = here
        above, here = here, (2 * l + 1) / x * here - above
        if abs(here) > 1e250:
            above *= 1e-250
            here *= 1e-250
            bessel *= 1e-250
    bessel[0] = here
    j0 = np.sin(x) / x
    j1 = np.sin(x) / x**2 - np.cos(x) / x
    if abs(j0) > abs(j1):
        return bessel * (j0 / bessel[0]), neumann
    return bessel * (j1 / bessel[1]), neumann


@numba.njit(cache=True, nogil=True, inline="always")
def _slope(kappa, a, b, r, p, q):
    return -kappa / r * p + a * q, kappa / r * q - b * p


@numba.njit(cache=True, nogil=True)
def logarithmic_ratio(kappa, start, radius, half_radius, excess, half_excess):
    """Q / P at the last radius of the solution that is regular at the origin.

    ``excess`` is E - V at the nodes, ``half_excess`` between them. Runge-Kutta of
    order 4 from node ``start``, where the growing solution of locally constant
    coefficients is taken.
    """
    c = LIGHT_SPEED
    r, w = radius[start], excess[start]
    a, b = w / c + 2 * c, w / c
    growth = np.sqrt(max(kappa * kappa - a * b * r * r, 0.0))
    p = 1e-100
    if kappa > 0:
        q = p * (growth + kappa) / (a * r)
    else:
        q = -p * b * r / (growth - kappa)
    for i in range(start, radius.size - 1):
        step = radius[i + 1] - radius[i]
        mid = half_radius[i]
        w0, w1, w2 = excess[i], half_excess[i], excess[i + 1]
        a0, a1, a2 = w0 / c + 2 * c, w1 / c + 2 * c, w2 / c + 2 * c
        p1, q1 = _slope(kappa, a0, w0 / c, radius[i], p, q)
        p2, q2 = _slope(kappa, a1, w1 / c, mid, p + step / 2 * p1, q + step / 2 * q1)
        p3, q3 = _slope(kappa, a1, w1 / c, mid, p + step / 2 * p2, q + step / 2 * q2)
        p4, q4 = _slope(kappa, a2, w2 / c, radius[i + 1], p + step * p3, q + step * q3)
        p += step / 6 * (p1 + 2 * p2 + 2 * p3 + p4)
        q += step / 6 * (q1 + 2 * q2 + 2 * q3 + q4)
        if abs(p) > 1e200:
            p *= 1e-200
            q *= 1e-200
    return q / p


@numba.njit(cache=True, nogil=True)
def phase_shifts(energy, radius, half_radius, excess, half_excess, l_max):
    """Phase shifts of spin up (kappa = -l - 1) and down (kappa = l).

    Ends before ``l_max`` where three shifts in turn are negligible. The first of the
    returned arrays is spin up; spin down has no l = 0 (it is 0 there).
    """
    c = LIGHT_SPEED
    k = np.sqrt(energy * (energy + 2 * c * c)) / c
    last = radius[-1]
    x = k * last
    bessel, neumann = spherical_bessel(x, l_max + 1)
    up = np.zeros(l_max + 1)
    down = np.zeros(l_max + 1)
    negligible = 0
    for l in range(l_max + 1):  # noqa: E741
        turning = (2 * l + 1) / np.e * np.exp(-GROWTH_BEFORE_TURNING / max(l, 0.2))
        start = min(np.searchsorted(radius, turning / k), radius.size - 2)
        regular = (l + 1) * bessel[l] - x * bessel[l + 1]
        irregular = (l + 1) * neumann[l] - x * neumann[l + 1]
        for spin in range(2):
            kappa = -l - 1.0 if spin == 0 else float(l)
            if kappa == 0.0:
                continue
            ratio = logarithmic_ratio(
                kappa, start, radius, half_radius, excess, half_excess
            )
            slope = -kappa + (energy / c + 2 * c) * ratio * last
            shift = np.arctan(
                (regular - slope * bessel[l]) / (irregular - slope * neumann[l])
            )
            if spin == 0:
                up[l] = shift
            else:
                down[l] = shift
        if l > 0 and abs(up[l]) < NEGLIGIBLE_PHASE and abs(down[l]) < NEGLIGIBLE_PHASE:
            negligible += 1
            if negligible == 3:
                return up[: l + 1], down[: l + 1]
    return up, down


@numba.njit(cache=True, nogil=True)
def differential_cross_section(k, up, down, cosine):
    """Unpolarised cross section per solid angle, Bohr^2/sr, at each cosine.

    |f|^2 + |g|^2, with the sums over the partial waves of the direct and of the
    spin-flip amplitude.
    """
    result = np.empty(cosine.size)
    n = up.size
    direct = np.empty(n, dtype=np.complex128)
    flip = np.empty(n, dtype=np.complex128)
    for l in range(n):  # noqa: E741
        plus = np.exp(2j * up[l]) - 1
        minus = np.exp(2j * down[l]) - 1
        direct[l] = (l + 1) * plus + l * minus
        flip[l] = minus - plus
    for i in range(cosine.size):
        x = cosine[i]
        sine = np.sqrt(max(1 - x * x, 0.0))
        before, here = 0.0, 1.0  # P_{l-1}, P_l
        slope_before, slope = 0.0, 0.0  # derivatives of the same
        f = 0j
        g = 0j
        for l in range(n):  # noqa: E741
            f += direct[l] * here
            g += flip[l] * sine * slope
            after = ((2 * l + 1) * x * here - l * before) / (l + 1)
            slope_after = slope_before + (2 * l + 1) * here
            before, here = here, after
            slope_before, slope = slope, slope_after
        result[i] = (abs(f) ** 2 + abs(g) ** 2) / (4 * k * k)
    return result
