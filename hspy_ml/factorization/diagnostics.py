# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the model fits and where it does not: Poisson deviance.

The deviance of a count y with mean m is ``2 [y log(y / m) - (y - m)]`` (McCullagh
& Nelder 1989, Generalized Linear Models, table 2.1), zero where they are equal.
Only counts that are there need a look; empty channels add ``2 m``, whose sums
are known.
"""

from __future__ import annotations

import numba
import numpy as np

from hspy_ml.counts import Counts, SparseCounts


@numba.njit(cache=True, nogil=True)
def _sparse_terms(offsets, channels, values, spectra, loadings, pixels, energies):
    n_phases = spectra.shape[1]
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            e = channels[i]
            model = 0.0
            for k in range(n_phases):
                model += spectra[e, k] * loadings[p, k]
            term = values[i] * (np.log(values[i] / model) - 1.0)
            pixels[p] += term
            energies[e] += term


@numba.njit(cache=True, nogil=True)
def _dense_terms(values, spectra, loadings, pixels, energies):
    n_phases = spectra.shape[1]
    for p in range(values.shape[0]):
        for e in range(values.shape[1]):
            if values[p, e] > 0:
                model = 0.0
                for k in range(n_phases):
                    model += spectra[e, k] * loadings[p, k]
                term = values[p, e] * (np.log(values[p, e] / model) - 1.0)
                pixels[p] += term
                energies[e] += term


def deviances(
    counts: Counts, spectra: np.ndarray, loadings: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Deviance of every pixel and of every channel.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, n_pixels by n_channels.
    spectra : ndarray, shape (n_channels, n_phases)
        Spectra of the phases, counts per unit of loading.
    loadings : ndarray, shape (n_pixels, n_phases)
        Abundances times mass thickness.

    Returns
    -------
    of_pixels : ndarray, shape (n_pixels,)
        Sums over channels.
    of_channels : ndarray, shape (n_channels,)
        Sums over pixels.
    """
    pixels = loadings @ spectra.sum(axis=0)
    energies = spectra @ loadings.sum(axis=0)
    spectra, loadings = np.ascontiguousarray(spectra), np.ascontiguousarray(loadings)
    if isinstance(counts, SparseCounts):
        data = (counts.offsets, counts.channels, counts.values)
        _sparse_terms(*data, spectra, loadings, pixels, energies)
    else:
        _dense_terms(counts.values, spectra, loadings, pixels, energies)
    return 2 * pixels, 2 * energies
