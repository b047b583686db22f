# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over a spectrum's counts, compiled: likelihoods, projections, groups.

Counts come as compressed rows (``offsets``, ``channels``, ``values``), of which only
what is there costs time, or as dense rows. No validation here: shapes and types are the
caller's duty.
"""

from __future__ import annotations

import numba
import numpy as np

# Sums may be taken in any order: so the loops become vector instructions.
_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
}


@numba.njit(**_OPTIONS)
def weighted_sums_of_rows(offsets, channels, values, weights, sums):
    """Write ``sums[p, k] = sum_c counts[p, c] weights[c, k]``."""
    for p in range(sums.shape[0]):
        row = sums[p]
        row[:] = 0
        for i in range(offsets[p], offsets[p + 1]):
            _add(values[i], weights[channels[i]], row)


@numba.njit(**_OPTIONS)
def weighted_sums_of_dense(values, weights, sums):
    """As :func:`weighted_sums_of_rows`, of dense rows and ``weights[k, c]``."""
    for p in range(sums.shape[0]):
        for k in range(sums.shape[1]):
            sums[p, k] = _dot(values[p], weights[k])


@numba.njit(**_OPTIONS)
def own_sums_of_rows(offsets, channels, values, weights, which, sums):
    """Write ``sums[p] = sum_c counts[p, c] weights[which[p], c]``; zero if -1."""
    for p in range(sums.shape[0]):
        row = sums[p]
        row[:] = 0
        if which[p] >= 0:
            of_phase = weights[which[p]]
            for i in range(offsets[p], offsets[p + 1]):
                _add(np.float32(values[i]), of_phase[channels[i]], row)


@numba.njit(**_OPTIONS)
def own_groups_of_rows(offsets, channels, values, group, which, sums):
    """Add counts in groups of channels: ``group[which[p], c]`` is the group of c."""
    for p in range(sums.shape[0]):
        if which[p] >= 0:
            of_phase = group[which[p]]
            for i in range(offsets[p], offsets[p + 1]):
                sums[p, of_phase[channels[i]]] += values[i]


@numba.njit(**_OPTIONS)
def own_groups_of_dense(values, group, which, sums):
    """As :func:`own_groups_of_rows`, of dense rows."""
    for p in range(sums.shape[0]):
        if which[p] >= 0:
            of_phase = group[which[p]]
            for c in range(values.shape[1]):
                sums[p, of_phase[c]] += values[p, c]


@numba.njit(**_OPTIONS)
def _add(factor, row, total):
    for k in range(total.size):
        total[k] += factor * row[k]


@numba.njit(**_OPTIONS)
def _dot(counts, weights):
    total = 0.0
    for c in range(counts.size):
        total += counts[c] * weights[c]
    return total
