# SPDX-License-Identifier: GPL-3.0-or-later
"""Weighted sums over the counts of many spectra, sparse or dense; block by block."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..counts import Counts, DenseCounts, SparseCounts
from ..networks.threads import available_cores

__all__ = ["each_block", "own_groups", "own_sums", "some_pixels", "weighted_sums"]

PIXELS_PER_BLOCK = 2048


def each_block(
    counts: Counts,
    work: Callable[[Counts, slice], None],
    num_workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Do something with blocks of spectra, several at a time.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
    work : callable
        Called in a thread with the counts of a block, and where they are in all.
    num_workers : int, optional
        Threads; all cores by default.
    progress : callable, optional
        Called with the number of spectra just done.
    """

    def one(first: int) -> int:
        here = slice(first, min(first + PIXELS_PER_BLOCK, counts.n_pixels))
        work(some_pixels(counts, here.start, here.stop), here)
        return here.stop - here.start

    starts = range(0, counts.n_pixels, PIXELS_PER_BLOCK)
    with ThreadPoolExecutor(num_workers or available_cores()) as pool:
        for n_done in pool.map(one, starts):
            if progress is not None:
                progress(n_done)


def some_pixels(counts: Counts, first: int, last: int) -> Counts:
    """Spectra from `first` to before `last`, without copying them.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
    first, last : int

    Returns
    -------
    SparseCounts or DenseCounts
    """
    if isinstance(counts, DenseCounts):
        return DenseCounts(counts.values[first:last])
    offsets = counts.offsets[first : last + 1]
    return SparseCounts(offsets, counts.channels, counts.values, counts.n_channels)


def weighted_sums(counts: Counts, weights: np.ndarray) -> np.ndarray:
    """Sums of the counts times weights of the channels.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        n_spectra by n_channels.
    weights : ndarray of float64, shape (n_sums, n_channels)

    Returns
    -------
    ndarray, shape (n_spectra, n_sums)
    """
    from . import likelihood_kernels as kernels

    sums = np.empty((counts.n_pixels, weights.shape[0]))
    if isinstance(counts, DenseCounts):
        weights = np.ascontiguousarray(weights)
        kernels.weighted_sums_of_dense(_rows(counts), weights, sums)
    else:
        weights = np.ascontiguousarray(weights.T)
        kernels.weighted_sums_of_rows(*_arrays(counts), weights, sums)
    return sums


def own_sums(counts: Counts, weights: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Sums of the counts times weights that depend on the spectrum's phase.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        n_spectra by n_channels.
    weights : ndarray of float32, shape (n_phases, n_channels, n_sums)
    which : ndarray of int, shape (n_spectra,)
        Phase of each spectrum from 0; -1 for none, with sums of zero.

    Returns
    -------
    ndarray of float32, shape (n_spectra, n_sums)
    """
    from . import likelihood_kernels as kernels

    sums = np.empty((counts.n_pixels, weights.shape[2]), np.float32)
    if isinstance(counts, DenseCounts):
        return _own_sums_of_dense(counts.values, weights, which, sums)
    kernels.own_sums_of_rows(*_arrays(counts), weights, which, sums)
    return sums


def _own_sums_of_dense(
    values: np.ndarray, weights: np.ndarray, which: np.ndarray, sums: np.ndarray
) -> np.ndarray:
    """A product of matrices for each phase."""
    sums[which < 0] = 0
    for phase in np.unique(which[which >= 0]):
        own = which == phase
        sums[own] = values[own].astype(np.float32) @ weights[phase]
    return sums


def own_groups(
    counts: Counts, group: np.ndarray, n_groups: int, which: np.ndarray
) -> np.ndarray:
    """Counts in groups of channels that depend on the spectrum's phase.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        n_spectra by n_channels.
    group : ndarray of int, shape (n_phases, n_channels)
    n_groups : int
    which : ndarray of int, shape (n_spectra,)
        Phase of each spectrum from 0; -1 for none, with counts of zero.

    Returns
    -------
    ndarray of float32, shape (n_spectra, n_groups)
    """
    from . import likelihood_kernels as kernels

    sums = np.zeros((counts.n_pixels, n_groups), np.float32)
    if isinstance(counts, DenseCounts):
        kernels.own_groups_of_dense(_rows(counts), group, which, sums)
    else:
        kernels.own_groups_of_rows(*_arrays(counts), group, which, sums)
    return sums


def _rows(counts: DenseCounts) -> np.ndarray:
    return np.ascontiguousarray(counts.values)


def _arrays(counts: SparseCounts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return counts.offsets, counts.channels, counts.values
