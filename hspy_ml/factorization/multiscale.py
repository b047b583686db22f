# SPDX-License-Identifier: GPL-3.0-or-later
"""Coarse to fine: the spectra of the phases from binned images.

The counts of a block of pixels follow the same model as those of a pixel, with
the mean abundances of the block: binning costs purity, but no bias. Blocks large
enough to tell their shares make the approximations of
:mod:`~hspy_ml.factorization.variational` good and its iterations cheap. So the
start is found, and the best of several chosen by the bound of the evidence, on
the coarsest image, and refined on finer ones down to blocks of about
:data:`COUNTS_PER_BLOCK` counts.

What counts cannot tell is whether a phase is pure somewhere. Two phases of which
one fills at most half of any pixel make the same counts as two pure ones, one of
them the mixture; if no element runs out, the purer maps have the higher bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.counts import Counts
from hspy_ml.counts.binning import bin_pixels, block_labels
from hspy_ml.factorization.audition import best_start, fit_phases
from hspy_ml.factorization.variational import (
    CONCENTRATION,
    SharesModel,
    VariationalFit,
    VariationalProblem,
)

COUNTS_PER_BLOCK = 1000
"""Counts that a block of the finest image should have: with fewer, the corners of
the simplex are found too far out (benchmarks/recovery.py)."""

FEWEST_COUNTS_PER_BLOCK = 400
"""Counts that are enough where the blocks would else swallow the grains."""

_LARGEST_EDGE = 5

_FEWEST_BLOCKS = 200
_BLOCKS_PER_PHASE = 8


@dataclass(frozen=True, eq=False)
class BinnedImage:
    """A binned image and which of its blocks each pixel belongs to.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Counts of the blocks that hold any.
    block_of_pixel : ndarray of int, shape (n_pixels,)
        Block of each pixel.
    """

    counts: Counts
    block_of_pixel: np.ndarray


@dataclass(frozen=True, eq=False)
class PhaseSpectra:
    """Spectra of the phases, and the image that they were found on.

    Parameters
    ----------
    column_shares : ndarray, shape (n_columns, n_phases)
        V, columns that sum to one.
    image : BinnedImage
        The finest image used.
    fit : VariationalFit
        The last fit, on that image.
    n_iterations : int
        Passes over all images.
    """

    column_shares: np.ndarray
    image: BinnedImage
    fit: VariationalFit
    n_iterations: int


def block_sizes(
    map_shape: tuple[int, ...], counts_per_pixel: float, n_phases: int
) -> list[int]:
    """Edges of the blocks, in pixels, from coarse to fine.

    Parameters
    ----------
    map_shape : tuple of int
        Shape of the map.
    counts_per_pixel : float
        Mean counts of a pixel.
    n_phases : int
        Number of phases.

    Returns
    -------
    list of int
        The last is the smallest whose blocks have enough counts, unless too few
        blocks were left to tell the phases apart; each before it is twice as
        large, as long as there are many blocks.
    """
    wanted, least = (
        round((counts / max(counts_per_pixel, 1e-9)) ** (1 / len(map_shape)))
        for counts in (COUNTS_PER_BLOCK, FEWEST_COUNTS_PER_BLOCK)
    )
    size = int(np.clip(min(wanted, max(least, _LARGEST_EDGE)), 1, max(map_shape)))
    while size > 1 and _n_blocks(map_shape, size) < _BLOCKS_PER_PHASE * n_phases:
        size -= 1
    sizes = [size]
    while _n_blocks(map_shape, 2 * sizes[0]) >= _FEWEST_BLOCKS:
        sizes.insert(0, 2 * sizes[0])
    return sizes


def _n_blocks(map_shape: tuple[int, ...], size: int) -> int:
    return int(np.prod([-(-n // size) for n in map_shape]))


def bin_image(
    counts: Counts, map_shape: tuple[int, ...], pixels: np.ndarray, size: int
) -> BinnedImage:
    """Sum square blocks of pixels.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Counts of the pixels that are used.
    map_shape : tuple of int
        Shape of the whole map.
    pixels : ndarray of int, shape (counts.n_pixels,)
        Where in the flattened map the pixels are.
    size : int
        Edge of a block, pixels.

    Returns
    -------
    BinnedImage
        Blocks without pixels are left out.
    """
    if size == 1:
        return BinnedImage(counts, np.arange(counts.n_pixels))
    labels = block_labels(map_shape, size)[0][pixels]
    occupied, labels = np.unique(labels, return_inverse=True)
    return BinnedImage(bin_pixels(counts, labels, occupied.size), labels)


def find_phases(
    counts: Counts,
    response: np.ndarray,
    n_phases: int,
    *,
    map_shape: tuple[int, ...],
    pixels: np.ndarray,
    concentration: float = CONCENTRATION,
    fixed_shares: np.ndarray | None = None,
    max_iterations: int = 1000,
    tolerance: float = 2e-4,
    random_state: int | np.random.Generator | None = None,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> PhaseSpectra:
    """Find the spectra of the phases, coarse to fine.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    response : ndarray, shape (n_channels, n_columns)
        G with columns that sum to one.
    n_phases : int
        Number of phases.
    map_shape : tuple of int
        Shape of the map.
    pixels : ndarray of int, shape (counts.n_pixels,)
        Where in the flattened map the pixels are.
    concentration : float, default 0.1
        Dirichlet concentration of the shares; smaller is purer.
    fixed_shares : ndarray, shape (n_columns, n_fixed), optional
        Column shares of phases that are known; they become the first phases.
    max_iterations : int, default 1000
        Passes over each image.
    tolerance : float, default 2e-4
        See :func:`~hspy_ml.factorization.variational.fit`.
    random_state : int, numpy.random.Generator or None
        For the search of the purest pixels.
    progress : callable, optional
        Called with the number of passes just done.
    num_workers : int, optional
        Threads.

    Returns
    -------
    PhaseSpectra
        Spectra and the finest image.
    """
    rng = np.random.default_rng(random_state)
    n_fixed = 0 if fixed_shares is None else fixed_shares.shape[1]
    held = np.arange(n_phases) < n_fixed
    sizes = block_sizes(map_shape, counts.pixel_totals.mean(), n_phases)
    prior = np.full(n_phases, concentration)
    options = {"tolerance": tolerance, "progress": progress}
    result, previous, n_iterations = None, None, 0
    for size in sizes:
        image = bin_image(counts, map_shape, pixels, size)
        problem = VariationalProblem(image.counts, response, held, num_workers)
        if result is None:
            result = best_start(problem, prior, fixed_shares, rng, options)
            n_iterations += result.n_iterations
            start = result.model
        else:
            start = _carried_over(result.model, previous, image)
        if not result.interrupted:
            result = fit_phases(problem, start, prior, max_iterations, options)
            n_iterations += result.n_iterations
        else:
            result = replace(result, model=start)
        previous = image
    return PhaseSpectra(result.model.column_shares, image, result, n_iterations)


def _carried_over(
    model: SharesModel, coarse: BinnedImage, fine: BinnedImage
) -> SharesModel:
    """Give each fine block the shares of the coarse one that it lies in."""
    parent = np.zeros(fine.counts.n_pixels, dtype=np.int64)
    parent[fine.block_of_pixel] = coarse.block_of_pixel
    totals = fine.counts.pixel_totals[:, None]
    posterior = model.concentration + model.shares[parent] * totals
    return replace(model, posterior=posterior)
