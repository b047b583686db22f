# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot loops that survey, compress, sum and bin counts, compiled.

Data come as dense blocks (pixels by channels, C order) or as compressed rows
(``offsets``, ``channels``, ``values``). ``kept_pixels`` is a mask;
``new_channel`` gives each channel's number among the kept ones, -1 for an excluded
one. No validation here: shapes and types are the caller's duty.
"""

from __future__ import annotations

import numba
import numpy as np

_OPTIONS = {"cache": True, "nogil": True}

# What a survey adds up, in this order.
NOT_FINITE, NEGATIVE, FRACTIONAL, LARGEST = range(4)


@numba.njit(inline="always")
def _look_at(value, found):
    if not np.isfinite(value):
        found[NOT_FINITE] += 1
        return
    if value < 0:
        found[NEGATIVE] += 1
    if value != np.floor(value):
        found[FRACTIONAL] += 1
    if value > found[LARGEST]:
        found[LARGEST] = value


@numba.njit(**_OPTIONS)
def survey_dense(block, kept_pixels, new_channel, n_nonzero, found):
    """Number of non-zero values of each kept pixel, and the oddities in ``found``."""
    row = 0
    for p in range(block.shape[0]):
        if not kept_pixels[p]:
            continue
        n = 0
        for e in range(block.shape[1]):
            value = block[p, e]
            if value != 0 and new_channel[e] >= 0:
                n += 1
                _look_at(value, found)
        n_nonzero[row] = n
        row += 1


@numba.njit(**_OPTIONS)
def survey_rows(offsets, channels, values, kept_pixels, new_channel, n_nonzero, found):
    """As :func:`survey_dense`, of compressed rows."""
    row = 0
    for p in range(offsets.size - 1):
        if not kept_pixels[p]:
            continue
        n = 0
        for i in range(offsets[p], offsets[p + 1]):
            if values[i] != 0 and new_channel[channels[i]] >= 0:
                n += 1
                _look_at(values[i], found)
        n_nonzero[row] = n
        row += 1


@numba.njit(**_OPTIONS)
def sparse_from_dense(block, kept_pixels, new_channel, at, channels, values):
    """Write the non-zero values of a block from position ``at``; return the end."""
    for p in range(block.shape[0]):
        if not kept_pixels[p]:
            continue
        for e in range(block.shape[1]):
            if block[p, e] != 0 and new_channel[e] >= 0:
                channels[at] = new_channel[e]
                values[at] = block[p, e]
                at += 1
    return at


@numba.njit(**_OPTIONS)
def sparse_from_rows(
    offsets, old_channels, old_values, kept_pixels, new_channel, at, channels, values
):
    """As :func:`sparse_from_dense`, of compressed rows."""
    for p in range(offsets.size - 1):
        if not kept_pixels[p]:
            continue
        for i in range(offsets[p], offsets[p + 1]):
            e = new_channel[old_channels[i]]
            if old_values[i] != 0 and e >= 0:
                channels[at] = e
                values[at] = old_values[i]
                at += 1
    return at


@numba.njit(**_OPTIONS)
def dense_from_rows(offsets, channels, values, kept_pixels, new_channel, dense):
    """Write compressed rows into ``dense``, which is zero before."""
    row = 0
    for p in range(offsets.size - 1):
        if not kept_pixels[p]:
            continue
        for i in range(offsets[p], offsets[p + 1]):
            e = new_channel[channels[i]]
            if e >= 0:
                dense[row, e] = values[i]
        row += 1


@numba.njit(**_OPTIONS)
def sum_rows(offsets, values):
    """Sum of each row, float64."""
    totals = np.zeros(offsets.size - 1)
    for p in range(totals.size):
        for i in range(offsets[p], offsets[p + 1]):
            totals[p] += values[i]
    return totals


@numba.njit(**_OPTIONS)
def sum_channels(channels, values, n_channels):
    """Sum of each channel, float64."""
    totals = np.zeros(n_channels)
    for i in range(channels.size):
        totals[channels[i]] += values[i]
    return totals


@numba.njit(**_OPTIONS)
def bin_rows(
    pixels, group_offsets, offsets, channels, values, spectrum, new_channels, new_values
):
    """Sum the rows of each group; return where the groups begin in the result.

    ``pixels`` lists the pixels of group after group, ``group_offsets`` where each
    group begins in it; ``spectrum`` is zero before and after.
    """
    n_groups = group_offsets.size - 1
    new_offsets = np.zeros(n_groups + 1, np.int64)
    at = 0
    for g in range(n_groups):
        for p in pixels[group_offsets[g] : group_offsets[g + 1]]:
            for i in range(offsets[p], offsets[p + 1]):
                spectrum[channels[i]] += values[i]
        if group_offsets[g + 1] > group_offsets[g]:
            for e in range(spectrum.size):
                if spectrum[e] != 0:
                    new_channels[at] = e
                    new_values[at] = spectrum[e]
                    spectrum[e] = 0
                    at += 1
        new_offsets[g + 1] = at
    return new_offsets


@numba.njit(**_OPTIONS)
def bin_dense(labels, values, binned):
    """Add each pixel with a label to its group's row of ``binned``."""
    for p in range(labels.size):
        if labels[p] >= 0:
            for e in range(values.shape[1]):
                binned[labels[p], e] += values[p, e]
