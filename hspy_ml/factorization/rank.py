# SPDX-License-Identifier: GPL-3.0-or-later
"""How many phases there are: as many as predict counts that were held out.

The likelihood of the data that phases were found on rises with every phase. The
likelihood of other data does not: a phase that is not there takes up noise, and
predicts worse. Binomial thinning makes two independent Poisson data sets out of
one measurement, without which there would be nothing to predict (Neufeld, Gao,
Popp, Battle & Witten 2024, Biostatistics 25, 270). Phases and shares are found on
one half and judged on the other, both ways round, so that each count is held out
once.

What is judged are blocks of pixels with many counts, the same for all numbers.
Their shares are well known; those of single pixels lean on a prior, and a further
phase that makes up for what is wrong with a prior would pass for real. Only the
shape of spectra counts, so that thickness and dose may vary. A phase that fills a
single block may be missed, since its gain is as large as the scatter over blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hspy_ml.counts import Counts, SparseCounts
from hspy_ml.counts.binning import bin_pixels
from hspy_ml.counts.thinning import thin
from hspy_ml.factorization.audition import find_shares
from hspy_ml.factorization.multiscale import (
    BinnedImage,
    PhaseSpectra,
    bin_image,
    block_sizes,
    find_phases,
)
from hspy_ml.factorization.start import whiten
from hspy_ml.factorization.variational import VariationalProblem

if TYPE_CHECKING:
    from hspy_ml.factorization.factorize import CountedImage
    from hspy_ml.physics.gmatrix import GMatrix

LARGEST = 8
"""Most phases that are tried."""

_BLOCKS_AT_ONCE = 256
_TINY = np.finfo(float).tiny


@dataclass(frozen=True, eq=False)
class RankChoice:
    """How well each number of phases predicts counts that were held out.

    Parameters
    ----------
    numbers : ndarray of int, shape (n_tried,)
        Numbers of phases that were tried: 1, 2, ...
    log_likelihood : ndarray, shape (n_tried,)
        Log-likelihood per held-out count, in nats, given the totals of the
        blocks of pixels: the mean of ``log p_e``.
    standard_error : ndarray, shape (n_tried,)
        Standard error of the difference between ``log_likelihood`` and its largest
        value, from the scatter of the differences over blocks; zero for the best.
    chosen : int
        The smallest number that is not worse than the best by more than one
        standard error.
    """

    numbers: np.ndarray
    log_likelihood: np.ndarray
    standard_error: np.ndarray
    chosen: int

    def __repr__(self) -> str:
        """Return a table, one line for each number."""
        below = self.log_likelihood - self.log_likelihood.max()
        lines = [
            f"{'->' if n == self.chosen else '  '} {n:2d} phases: "
            f"{value:10.6f} +/- {error:.6f}"
            for n, value, error in zip(
                self.numbers, below, self.standard_error, strict=True
            )
        ]
        title = "RankChoice, held-out log-likelihood per count, above the best's"
        return "\n".join([f"{title} {self.log_likelihood.max():.4f}:", *lines])


def choose_number_of_phases(
    image: CountedImage,
    g_matrix: GMatrix,
    *,
    largest: int = LARGEST,
    random_state: int | np.random.Generator | None = None,
    progress: Callable[[int], None] | None = None,
    num_workers: int | None = None,
) -> RankChoice:
    """Choose the number of phases that predicts held-out counts best.

    Numbers are tried from one upwards, until the prediction is worse than the best
    so far by more than one standard error, or not better twice in a row.

    Parameters
    ----------
    image : CountedImage
        The data, whole numbers.
    g_matrix : GMatrix
        G, of the channels that are used.
    largest : int, default 8
        Most phases to try; never more than there are pixels or columns of G.
    random_state : int or numpy.random.Generator, optional
        Seed; the same seed gives the same choice.
    progress : callable, optional
        Called with the number of passes over the data just done.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    RankChoice
        Ctrl-C ends the search; the choice is among the numbers that were tried.

    Raises
    ------
    ValueError
        If the data are not whole numbers, or too few to be split in two; if
        ``largest`` is below one.
    """
    if largest < 1:
        raise ValueError(f"`largest` is {largest}; at least 1 phase has to be tried.")
    rng = np.random.default_rng(random_state)
    halves = _halves(image.counts, rng)
    largest = min(largest, image.counts.n_pixels, g_matrix.matrix.shape[1])
    blocks = _blocks(image, largest)
    response = g_matrix.matrix / g_matrix.matrix.sum(axis=0)
    options = {
        "map_shape": image.map_shape,
        "pixels": image.pixels,
        "random_state": rng,
        "progress": progress,
        "num_workers": num_workers,
    }
    scores: list[np.ndarray] = []
    while len(scores) < largest and not _falls(scores):
        score = _held_out(halves, response, len(scores) + 1, blocks, options)
        if score is None:
            break
        scores.append(score)
    if not scores:
        raise KeyboardInterrupt
    return _choice(scores, image.counts.pixel_totals.sum())


def _halves(counts: Counts, rng: np.random.Generator) -> tuple[Counts, Counts]:
    mend = "Give the number of phases."
    try:
        halves = thin(counts, 0.5, rng)
    except ValueError as error:
        raise ValueError(
            f"`output_dimension` is 'auto', which holds out some of the counts. {error}"
            f" {mend}"
        ) from error
    if min(half.pixel_totals.sum() for half in halves) == 0:
        raise ValueError(
            "`output_dimension` is 'auto', which holds out half of the counts, but "
            f"there are only {counts.pixel_totals.sum():.0f}. {mend}"
        )
    return halves


def _blocks(image: CountedImage, n_phases: int) -> BinnedImage:
    """Blocks in which to judge all numbers of phases: those of the most phases."""
    half = image.counts.pixel_totals.mean() / 2
    size = block_sizes(image.map_shape, half, n_phases)[-1]
    return bin_image(image.counts, image.map_shape, image.pixels, size)


def _held_out(
    halves: tuple[Counts, Counts],
    response: np.ndarray,
    n_phases: int,
    blocks: BinnedImage,
    options: dict,
) -> np.ndarray | None:
    """Log-likelihood of each block, both ways round; None if interrupted."""
    scores = []
    for kept, rest in (halves, halves[::-1]):
        phases = find_phases(kept, response, n_phases, **options)
        if phases.fit.interrupted:
            return None
        kept, rest = (_binned(half, blocks) for half in (kept, rest))
        held = np.ones(n_phases, dtype=bool)
        problem = VariationalProblem(kept, response, held, options["num_workers"])
        shares = _shares(problem, phases)
        scores.append(_log_likelihood(rest, response @ phases.column_shares, shares))
    return np.concatenate(scores)


def _binned(counts: Counts, blocks: BinnedImage) -> Counts:
    return bin_pixels(counts, blocks.block_of_pixel, blocks.counts.n_pixels)


def _shares(problem: VariationalProblem, phases: PhaseSpectra) -> np.ndarray:
    """Mean shares in the blocks, which need not be those of the phases."""
    pixels = whiten(problem.counts, problem.response)
    prior = phases.fit.model.concentration
    return find_shares(problem, pixels, phases.column_shares, prior).model.shares


def _log_likelihood(
    counts: Counts, spectra: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """``sum_e y_e log p_e`` of each block, a few blocks at a time."""
    return np.concatenate(
        [
            _sum_of_logarithms(
                counts, first, shares[first : first + _BLOCKS_AT_ONCE], spectra
            )
            for first in range(0, len(shares), _BLOCKS_AT_ONCE)
        ]
    )


def _sum_of_logarithms(
    counts: Counts, first: int, shares: np.ndarray, spectra: np.ndarray
) -> np.ndarray:
    log_model = np.log(np.maximum(shares @ spectra.T, _TINY))
    n_blocks = len(shares)
    if not isinstance(counts, SparseCounts):
        return (counts.values[first : first + n_blocks] * log_model).sum(axis=1)
    offsets = counts.offsets[first : first + n_blocks + 1]
    entries = slice(offsets[0], offsets[-1])
    block = np.repeat(np.arange(n_blocks), np.diff(offsets))
    terms = counts.values[entries] * log_model[block, counts.channels[entries]]
    return np.bincount(block, terms, n_blocks)


def _difference(score: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Sum of paired differences, and its standard error."""
    difference = score - other
    return difference.sum(), difference.std() * np.sqrt(difference.size)


def _falls(scores: list[np.ndarray]) -> bool:
    totals = [score.sum() for score in scores]
    best = int(np.argmax(totals)) if totals else 0
    if best >= len(scores) - 1:
        return False
    gain, error = _difference(scores[-1], scores[best])
    return gain < -error or best < len(scores) - 2


def _choice(scores: list[np.ndarray], n_counts: float) -> RankChoice:
    totals = np.array([score.sum() for score in scores])
    best = scores[int(totals.argmax())]
    gains, errors = np.transpose([_difference(score, best) for score in scores])
    return RankChoice(
        numbers=np.arange(1, len(scores) + 1),
        log_likelihood=totals / n_counts,
        standard_error=errors / n_counts,
        chosen=int(np.argmax(gains >= -errors)) + 1,
    )
