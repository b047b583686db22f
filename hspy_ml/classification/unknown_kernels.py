# SPDX-License-Identifier: GPL-3.0-or-later
"""Score tests of many departures for many spectra, compiled.

No validation here: shapes and types are the caller's duty.
"""

from __future__ import annotations

import numba
import numpy as np

_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
}
# Share of a departure's variance below which the scatter explains all of it.
_NOTHING_LEFT = 1e-3
_SMALL = 1e-3


@numba.njit(**_OPTIONS)
def statistics(
    sums,
    groups,
    totals,
    which,
    mode_variances,
    equal,
    overlaps,
    variances,
    skewness,
    penalties,
    group_shares,
    more,
    more_squares,
    found,
):
    """Write the largest evidence and the sum of squares of each spectrum."""
    n_modes = mode_variances.shape[1]
    shrink = np.empty(n_modes)
    score = np.empty(variances.shape[1])
    left = np.empty(variances.shape[1])
    for p in range(totals.size):
        k, total = which[p], totals[p]
        if k < 0 or total <= 0:
            continue
        inflation = _shrinkage(total, equal[k], mode_variances[k], shrink)
        _scores(sums[p], shrink, overlaps[k], variances[k], score, left)
        _standardise(score, left, variances[k], total * inflation)
        for d in range(score.size):
            score[d] = max(score[d], 0.0) / np.sqrt(1 + total * more[k, d])
        found[p, 0] = _largest(score, skewness[k], penalties, total)
        squares = _squares(groups[p], group_shares[k], total)
        for r in range(n_modes):
            squares -= shrink[r] * sums[p, r] ** 2 / total
        found[p, 1] = max(squares, 0.0) / (inflation * (1 + total * more_squares[k]))


@numba.njit(**_OPTIONS)
def scores(sums, totals, phase, mode_variances, equal, overlaps, variances, found):
    """Write the standardised scores of all departures of spectra of one phase."""
    shrink = np.empty(mode_variances.shape[1])
    left = np.empty(variances.shape[1])
    for p in range(totals.size):
        total = totals[p]
        inflation = _shrinkage(total, equal[phase], mode_variances[phase], shrink)
        _scores(sums[p], shrink, overlaps[phase], variances[phase], found[p], left)
        _standardise(found[p], left, variances[phase], total * inflation)


@numba.njit(**_OPTIONS)
def _shrinkage(total, equal, mode_variances, shrink):
    """Write how far the scatter takes up a mode; return what all noise is more."""
    inflation = 1 + total * equal
    for r in range(shrink.size):
        spread = total * mode_variances[r]
        shrink[r] = spread / (inflation + spread)
    return inflation


@numba.njit(**_OPTIONS)
def _scores(sums, shrink, overlaps, variances, score, left):
    """Sums of the weights, and their variances, without what the scatter makes."""
    n_modes = shrink.size
    for d in range(variances.size):
        score[d] = sums[n_modes + d]
        left[d] = variances[d]
    for r in range(n_modes):
        amplitude = shrink[r] * sums[r]
        row = overlaps[r]
        for d in range(variances.size):
            score[d] -= amplitude * row[d]
            left[d] -= shrink[r] * row[d] * row[d]


@numba.njit(**_OPTIONS)
def _standardise(score, left, variances, scale):
    """Divide by the standard deviation; zero where the scatter explains all."""
    for d in range(score.size):
        seen = left[d] > _NOTHING_LEFT * variances[d]
        score[d] = score[d] / np.sqrt(scale * left[d]) if seen else 0.0


@numba.njit(**_OPTIONS)
def _largest(z, skewness, penalties, total):
    largest = -np.inf
    for d in range(z.size):
        # A positive skewness only lessens the evidence.
        if 0.5 * z[d] * z[d] - penalties[d] > largest or skewness[d] < 0:
            found = evidence(z[d], skewness[d] / np.sqrt(total)) - penalties[d]
            largest = max(largest, found)
    return largest


@numba.njit(**_OPTIONS)
def evidence(z, skewness):
    """Log-likelihood ratio of a positive z of a Poisson variable of this skewness."""
    h = z * skewness
    if abs(h) < _SMALL:
        return 0.5 * z * z * (1 - h / 3)
    if h <= -1:
        h = -1 + 1e-9
    return ((1 + h) * np.log1p(h) - h) / (skewness * skewness)


@numba.njit(**_OPTIONS)
def _squares(groups, shares, total):
    squares = 0.0
    for g in range(shares.size):
        expected = total * shares[g]
        if expected > 0:
            squares += (groups[g] - expected) ** 2 / expected
    return squares
