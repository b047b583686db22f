# SPDX-License-Identifier: GPL-3.0-or-later
"""One read of the data: expected counts of each phase, by pixel and by channel.

For ``Y_pe ~ Poisson(sum_k D_ek h_pk)`` the expected number of counts of channel
e in pixel p that belong to phase k is ``y_pe D_ek h_pk / m_pe``. Summed over
channels, and over pixels, these are the numerators of every multiplicative
update (Lee & Seung 2001, Adv. Neural Inf. Process. Syst. 13, 556; the
expectation step of Richardson 1972 and Lucy 1974).

The pixels are split into a fixed number of blocks, which threads share: the
result does not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from hspy_ml.counts import Counts, DenseCounts, SparseCounts
from hspy_ml.factorization import kernels

_N_BLOCKS = 8


@cache
def _pool(n_workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_workers, thread_name_prefix="hspy_ml")


def each_block(
    n_pixels: int, task: Callable[[int, int, int], Any], num_workers: int | None
) -> list:
    """Do a task for each block of pixels, on several threads.

    Parameters
    ----------
    n_pixels : int
        Number of pixels.
    task : callable
        Is given the number of the block, its first pixel and the one after its
        last.
    num_workers : int or None
        Threads; all cores if None.

    Returns
    -------
    list
        What the task returned, in the order of the blocks.
    """
    # plain integers: numba looks up numpy's in a way that threads can disturb
    edges = np.linspace(0, n_pixels, _N_BLOCKS + 1).astype(np.int64).tolist()
    pool = _pool(num_workers or os.cpu_count() or 1)
    return list(pool.map(task, range(_N_BLOCKS), edges[:-1], edges[1:]))


def fused_pass_and_log_likelihood(
    counts: Counts,
    spectra: np.ndarray,
    abundances: np.ndarray,
    num_workers: int | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Expected counts per pixel and per channel, and the log-likelihood.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, n_pixels by n_channels.
    spectra : ndarray, shape (n_channels, n_phases)
        D = G W, counts per unit of abundance; float32 or float64, which is the
        precision of everything.
    abundances : ndarray, shape (n_pixels, n_phases)
        H, in the units of ``spectra``.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    allocated : ndarray, shape (n_pixels, n_phases)
        Expected counts of each phase in each pixel; a row sums to the counts
        of the pixel.
    correlation : ndarray, shape (n_channels, n_phases)
        ``sum_p (y_pe / m_pe) h_pk``; times D it is the expected counts of each
        phase in each channel.
    log_likelihood : float
        ``sum_pe y_pe log m_pe`` of the model that was given.
    """
    if not isinstance(counts, SparseCounts):
        return _dense_pass(counts, spectra, abundances, num_workers)
    dtype, n_phases = spectra.dtype, spectra.shape[1]
    spectra = np.ascontiguousarray(spectra)
    abundances = np.ascontiguousarray(abundances, dtype)
    allocated = np.empty((counts.n_pixels, n_phases), dtype)
    correlation = np.zeros((_N_BLOCKS, counts.n_channels, n_phases), dtype)
    kernel = kernels.sparse_pass(n_phases)
    data = (counts.offsets, counts.channels, counts.values)

    def task(block: int, start: int, stop: int) -> float:
        return kernel(
            start, stop, *data, spectra, abundances, allocated, correlation[block]
        )

    likelihood = sum(each_block(counts.n_pixels, task, num_workers))
    return allocated, correlation.sum(axis=0), float(likelihood)


def _dense_pass(
    counts: DenseCounts,
    spectra: np.ndarray,
    abundances: np.ndarray,
    num_workers: int | None,
) -> tuple[np.ndarray, np.ndarray, float]:
    dtype, n_phases = spectra.dtype, spectra.shape[1]
    spectra = np.ascontiguousarray(spectra.T)
    abundances = np.ascontiguousarray(abundances, dtype)
    allocated = np.empty((counts.n_pixels, n_phases), dtype)
    correlation = np.zeros((_N_BLOCKS, n_phases, counts.n_channels), dtype)
    kernel = kernels.dense_pass(n_phases)

    def task(block: int, start: int, stop: int) -> float:
        return kernel(
            start,
            stop,
            counts.values,
            spectra,
            abundances,
            allocated,
            correlation[block],
        )

    likelihood = sum(each_block(counts.n_pixels, task, num_workers))
    return allocated, correlation.sum(axis=0).T, float(likelihood)


def fused_pass(
    counts: Counts,
    spectra: np.ndarray,
    abundances: np.ndarray,
    num_workers: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected counts per pixel and phase, and correlations per channel.

    Parameters and results are those of :func:`fused_pass_and_log_likelihood`,
    less the log-likelihood.
    """
    return fused_pass_and_log_likelihood(counts, spectra, abundances, num_workers)[:2]


def log_likelihood_of_counts(
    counts: Counts,
    spectra: np.ndarray,
    abundances: np.ndarray,
    num_workers: int | None = None,
) -> float:
    """Sum of ``y log m``: the part of the log-likelihood that needs the data.

    Parameters
    ----------
    counts, spectra, abundances, num_workers
        As in :func:`fused_pass`.

    Returns
    -------
    float
        ``sum_pe y_pe log m_pe``; the Poisson log-likelihood is this minus the
        sum of the model and of ``log y!``.
    """
    abundances = np.ascontiguousarray(abundances)
    if isinstance(counts, SparseCounts):
        kernel = kernels.sparse_log_likelihood
        data = (counts.offsets, counts.channels, counts.values)
        spectra = np.ascontiguousarray(spectra)
    else:
        kernel = kernels.dense_log_likelihood
        data = (counts.values,)
        spectra = np.ascontiguousarray(spectra.T)

    def task(block: int, start: int, stop: int) -> float:
        return kernel(start, stop, *data, spectra, abundances)

    return float(sum(each_block(counts.n_pixels, task, num_workers)))
