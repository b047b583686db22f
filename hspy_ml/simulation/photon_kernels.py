# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra drawn photon by photon from columns of probability. No validation here."""

from __future__ import annotations

import numba
import numpy as np

NEARLY_NORMAL = 1000.0  # mean from which the skewness, 0.03, is not drawn


@numba.njit(cache=True, nogil=True)
def fill_alias_table(probability, threshold, alias):
    """Prepare one distribution for draws that take one random number each.

    ``probability`` (n) sums to one. A draw takes a place uniformly, and stays there
    with the probability ``threshold`` or else goes to ``alias`` (Walker 1977; the
    two stacks are Vose's, 1991).
    """
    n = probability.size
    small = np.empty(n, np.int64)
    large = np.empty(n, np.int64)
    n_small = 0
    n_large = 0
    left = probability * n
    for i in range(n):
        threshold[i] = 1.0
        alias[i] = i
        if left[i] < 1.0:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        i = small[n_small]
        j = large[n_large - 1]
        threshold[i] = left[i]
        alias[i] = j
        left[j] -= 1.0 - left[i]
        if left[j] < 1.0:
            n_large -= 1
            small[n_small] = j
            n_small += 1


@numba.njit(cache=True, nogil=True)
def fill_alias_tables(shapes, threshold, alias):
    """`fill_alias_table` for ``shapes`` (instruments x columns x channels)."""
    for m in range(shapes.shape[0]):
        for k in range(shapes.shape[1]):
            fill_alias_table(
                shapes[m, k].astype(np.float64), threshold[m, k], alias[m, k]
            )


@numba.njit(cache=True, nogil=True)
def draw_channel(rng, threshold, alias):
    """Draw a channel."""
    place = rng.random() * alias.size
    channel = int(place)
    if place - channel < threshold[channel]:
        return channel
    return int(alias[channel])


@numba.njit(cache=True, nogil=True)
def draw_column(rng, photons, total):
    """Draw a column in proportion to its photons."""
    level = rng.random() * total
    for k in range(photons.size - 1):
        level -= photons[k]
        if level < 0:
            return k
    return photons.size - 1


@numba.njit(cache=True, nogil=True)
def draw_spectra(rng, photons, instrument, threshold, alias, spectra):
    """Draw the photons of every spectrum.

    ``photons`` (spectra x columns) says how many there are of each column,
    ``instrument`` (spectra) by which tables their channels are drawn. Counts are added
    to ``spectra`` (spectra x channels).
    """
    for p in range(photons.shape[0]):
        m = instrument[p]
        for k in range(photons.shape[1]):
            chance = threshold[m, k]
            other = alias[m, k]
            for _ in range(photons[p, k]):
                spectra[p, draw_channel(rng, chance, other)] += 1


@numba.njit(cache=True, nogil=True)
def add_piled_up(rng, piled_up, photons, instrument, zero, threshold, alias, spectra):
    """Add events that are the sum of two photons.

    ``piled_up`` (spectra) says how many, ``photons`` (spectra x columns) in which
    proportion they are of each column; ``zero`` is the channel of energy 0.
    """
    n_channels = spectra.shape[1]
    for p in range(photons.shape[0]):
        m = instrument[p]
        total = photons[p].sum()
        for _ in range(piled_up[p] if total > 0 else 0):
            channel = -zero
            for _ in range(2):
                k = draw_column(rng, photons[p], total)
                channel += draw_channel(rng, threshold[m, k], alias[m, k])
            if 0 <= channel < n_channels:
                spectra[p, channel] += 1


@numba.njit(cache=True, nogil=True)
def draw_channels(rng, mean, spectra):
    """Draw the counts of every channel of bright spectra.

    ``mean`` (spectra x channels) are expected counts. Poisson; above a mean of 1000
    a rounded normal of the same mean and variance.
    """
    for p in range(mean.shape[0]):
        for c in range(mean.shape[1]):
            expected = mean[p, c]
            if expected < NEARLY_NORMAL:
                spectra[p, c] = rng.poisson(expected)
            else:
                noise = np.sqrt(expected) * rng.standard_normal()
                spectra[p, c] = np.rint(expected + noise)
