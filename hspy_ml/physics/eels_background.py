# SPDX-License-Identifier: GPL-3.0-or-later
"""The background below core-loss edges: columns of falling powers of the energy.

A sum of powers with weights of zero or more stands for any power between them. How
well depends on their distance and on the range of energies: worst, over a factor of
two in energy, 0.1 % for a distance of 0.25 and 1.6 % for 1.
"""

from __future__ import annotations

import numpy as np

__all__ = ["EXPONENTS", "exponents_around", "measured_exponent", "power_law_columns"]

EXPONENTS = tuple(np.arange(2.0, 5.01, 0.25).tolist())
"""What the exponent is where nothing is known of it."""

HALF_RANGE = 0.3
_STEP = 0.15
_LOWEST, _HIGHEST = 1.0, 7.0


def power_law_columns(energy_eV: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Powers of the energy loss, each of which sums to one.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
        Energy losses above zero.
    exponents : array_like, shape (n_columns,)
        r of ``E**-r``.

    Returns
    -------
    ndarray, shape (n_channels, n_columns)
    """
    relative = energy_eV / energy_eV[0]
    columns = relative[:, None] ** -np.asarray(exponents, float)
    return columns / columns.sum(axis=0)


def measured_exponent(energy_eV: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """Exponent of a background, by Poisson maximum likelihood.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
        Energy losses above zero, before an edge.
    counts : ndarray, shape (n_channels,)
        Counts there.

    Returns
    -------
    exponent, standard_error : float
        r of ``A E**-r``; both NaN if there are no counts. The error takes the scatter
        that is there, whatever the gain of the detector.

    Notes
    -----
    Given their sum, counts are multinomial, and r solves that the mean of ``ln E`` is
    the expected one; Newton's method.
    """
    total, logarithm = counts.sum(), np.log(energy_eV / energy_eV[0])
    if not total > 0:
        return np.nan, np.nan
    measured = counts @ logarithm / total
    r = 3.0
    for _ in range(50):
        share = np.exp(-r * logarithm)
        share /= share.sum()
        mean = share @ logarithm
        variance = share @ (logarithm - mean) ** 2
        step = np.clip((mean - measured) / variance, -1.0, 1.0)
        r += step
        if abs(step) < 1e-10:
            break
    expected = total * share
    scatter = np.mean((counts - expected) ** 2 / expected)
    return float(r), float(np.sqrt(scatter / (total * variance)))


def exponents_around(exponent: float, standard_error: float) -> tuple[float, ...]:
    """Exponents to use where one was measured.

    Parameters
    ----------
    exponent, standard_error : float
        See :func:`measured_exponent`.

    Returns
    -------
    tuple of float
        From 0.3, or two standard errors if that is more, below to as much above, in
        steps of 0.15; :data:`EXPONENTS` if it is not known, or the error above 0.6.
    """
    half = max(HALF_RANGE, 2 * standard_error)
    if not (half <= 4 * HALF_RANGE and _LOWEST < exponent < _HIGHEST):
        return EXPONENTS
    n_steps = int(np.ceil(half / _STEP))
    return tuple((exponent + _STEP * np.arange(-n_steps, n_steps + 1)).tolist())
