# SPDX-License-Identifier: GPL-3.0-or-later
"""Richardson-Lucy for spectra of an X-ray detector, stopped by count splitting.

The steps raise the Poisson likelihood, keep the counts and never go below zero; with
too many of them noise becomes peaks. How many help is asked of counts that were set
aside: a part of the counts is deconvolved, refolded, and compared with the rest. The
answer depends on the dose, and spectra of like dose answer together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..counts.data import DenseCounts, SparseCounts
from ..counts.thinning import thin
from .xray_response import XrayResponse

__all__ = [
    "ITERATIONS",
    "IterationsByDose",
    "choose_iterations",
    "dose_classes",
    "held_out_scores",
    "richardson_lucy",
    "smooth_expectation",
    "smooth_start",
    "split",
    "with_sums_of",
]

ITERATIONS = (1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300)
KEPT = 0.8  # of the counts; the rest judge
N_SPLITS = 4
SHARE_ANYWHERE = 0.01  # of the counts that could be in any channel
SMOOTH_COUNTS, SMOOTH_SHARE = 500.0, 0.4  # could be where smoothed counts are
DOSES_PER_CLASS = 4.0
PATIENCE = 2  # numbers of iterations that are tried beyond the best
FEWEST_COUNTS = 1e-9


def smooth_start(counts: np.ndarray, response: XrayResponse) -> np.ndarray:
    """Counts smoothed by the response: where Richardson-Lucy starts.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Not negative.
    response : XrayResponse

    Returns
    -------
    ndarray of float64, shape (n_spectra, n_channels)
        With the same sums.
    """
    return with_sums_of(counts, response.backward(counts))


def with_sums_of(counts: np.ndarray, scenes: np.ndarray) -> np.ndarray:
    """Scenes scaled so that each has the counts of its spectrum.

    Parameters
    ----------
    counts, scenes : ndarray, shape (n_spectra, n_channels)

    Returns
    -------
    ndarray of float64, shape (n_spectra, n_channels)
    """
    wanted = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    there = scenes.sum(axis=1, keepdims=True, dtype=np.float64)
    return scenes * (wanted / np.maximum(there, 1e-300))


def richardson_lucy(
    counts: np.ndarray,
    response: XrayResponse,
    n_iterations: int | np.ndarray,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Spectra at the target resolution of a response.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Finite and not negative.
    response : XrayResponse
    n_iterations : int or ndarray of int, shape (n_spectra,)
    start : ndarray, shape (n_spectra, n_channels), optional
        At the target resolution, not negative; by default the counts smoothed by the
        response.

    Returns
    -------
    ndarray of float64, shape (n_spectra, n_channels)
        Not negative, with the sums of `counts`.

    References
    ----------
    W. H. Richardson, J. Opt. Soc. Am. 62 (1972) 55; L. B. Lucy, Astron. J. 79 (1974)
    745.
    """
    from .xray_response_kernels import likelihood_steps

    if start is None:
        start = smooth_start(counts, response)
    seen = np.ascontiguousarray(counts, dtype=np.float32)
    scenes = np.array(start, dtype=np.float32, order="C")
    steps = np.array(np.broadcast_to(n_iterations, seen.shape[:1]), dtype=np.int64)
    likelihood_steps(*response.banded, seen, scenes, steps)
    return with_sums_of(counts, scenes.astype(np.float64))


def split(
    counts: np.ndarray,
    probability: float,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Two independent sets of counts out of one.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Not negative. Values that are not whole are rounded at random first, to a whole
        number with the value as its mean.
    probability : float
        That a count is in the first set.
    random_state : int or numpy.random.Generator, optional

    Returns
    -------
    kept, rest : ndarray of float64, shape (n_spectra, n_channels)
    """
    rng = np.random.default_rng(random_state)
    whole = np.floor(counts)
    if not np.array_equal(whole, counts):
        whole = whole + (rng.random(counts.shape) < counts - whole)
    parts = thin(DenseCounts(whole), probability, rng)
    return tuple(_dense(part) for part in parts)


def _dense(counts: DenseCounts | SparseCounts) -> np.ndarray:
    if isinstance(counts, DenseCounts):
        return np.asarray(counts.values, dtype=np.float64)
    dense = np.zeros((counts.offsets.size - 1, counts.n_channels))
    rows = np.repeat(np.arange(dense.shape[0]), np.diff(counts.offsets))
    dense[rows, counts.channels] = counts.values
    return dense


def smooth_expectation(kept: np.ndarray, response: XrayResponse) -> np.ndarray:
    """What is expected of counts beside what a deconvolution says.

    Where it has deconvolved a gap between the few counts of a continuum, there may be
    a count all the same: the counts smoothed twice, up to 500 of them and 40 % as many
    as there are, and 1 % anywhere.

    Parameters
    ----------
    kept : ndarray, shape (n_spectra, n_channels)
        Counts.
    response : XrayResponse

    Returns
    -------
    ndarray, shape (n_spectra, n_channels)
        To be added to a refolded spectrum.
    """
    total = np.maximum(kept.sum(axis=1, keepdims=True), FEWEST_COUNTS)
    smooth = response.forward(smooth_start(kept, response)) / total
    amount = np.minimum(SMOOTH_COUNTS, SMOOTH_SHARE * total)
    return amount * smooth + SHARE_ANYWHERE * total / kept.shape[1]


def held_out_scores(
    rest: np.ndarray, refolded: np.ndarray, smooth: np.ndarray
) -> np.ndarray:
    """Logarithm of the likelihood of counts that were set aside, each spectrum.

    Only where the counts are is asked, not how many there are.

    Parameters
    ----------
    rest : ndarray, shape (n_spectra, n_channels)
        Counts set aside.
    refolded : ndarray, shape (n_spectra, n_channels)
        What is deconvolved of the other counts, refolded.
    smooth : ndarray, shape (n_spectra, n_channels)
        See :func:`smooth_expectation`.

    Returns
    -------
    ndarray, shape (n_spectra,)
    """
    expected = refolded + smooth
    probability = expected / expected.sum(axis=1, keepdims=True)
    return (rest * np.log(np.maximum(probability, FEWEST_COUNTS))).sum(axis=1)


@dataclass(frozen=True, eq=False)
class IterationsByDose:
    """How many iterations are best for spectra of a dose.

    Parameters
    ----------
    counts : ndarray, shape (n_classes,)
        Of a spectrum, increasing.
    iterations : ndarray, shape (n_classes,)
    """

    counts: np.ndarray
    iterations: np.ndarray

    def of(self, counts: np.ndarray) -> np.ndarray:
        """Iterations for spectra, on straight lines in the logarithms.

        Parameters
        ----------
        counts : ndarray, shape (n_spectra,)
            Total counts.

        Returns
        -------
        ndarray of int64, shape (n_spectra,)
        """
        dose = np.log(np.maximum(counts, 1.0))
        found = np.interp(dose, np.log(self.counts), np.log(self.iterations))
        return np.rint(np.exp(found)).astype(np.int64)


def choose_iterations(
    counts: np.ndarray,
    response: XrayResponse,
    random_state: int | np.random.Generator | None = None,
) -> IterationsByDose:
    """Numbers of iterations by the likelihood of counts that were set aside.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Not negative; spectra without counts are left out.
    response : XrayResponse
    random_state : int or numpy.random.Generator, optional
        Makes the choice repeat exactly.

    Returns
    -------
    IterationsByDose
        One number for each factor of four in dose that occurs.
    """
    rng = np.random.default_rng(random_state)
    counts = counts[counts.sum(axis=1) >= 1]
    if counts.shape[0] == 0:
        return IterationsByDose(np.ones(1), np.ones(1))
    dose_class, doses = dose_classes(counts.sum(axis=1))
    scores = _scores(np.tile(counts, (N_SPLITS, 1)), response, dose_class, rng)
    best = scores.argmax(axis=0)
    return IterationsByDose(doses, np.array(ITERATIONS, dtype=float)[best])


def dose_classes(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of like dose, within a factor of four.

    Parameters
    ----------
    total : ndarray, shape (n_spectra,)
        Counts, one or more.

    Returns
    -------
    dose_class : ndarray of int, shape (n_spectra,)
    doses : ndarray, shape (n_classes,)
        The mean dose of each class, increasing.
    """
    classes = np.floor(np.log(total) / np.log(DOSES_PER_CLASS)).astype(int)
    _, dose_class = np.unique(classes, return_inverse=True)
    sums = np.bincount(dose_class, np.log(total))
    return dose_class, np.exp(sums / np.bincount(dose_class))


def _scores(
    counts: np.ndarray,
    response: XrayResponse,
    dose_class: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Held-out scores, shape (n_choices, n_classes), until they fall in all classes."""
    kept, rest = split(counts, KEPT, rng)
    classes = np.tile(dose_class, N_SPLITS)
    smooth = smooth_expectation(kept, response)
    scenes, done, scores = smooth_start(kept, response), 0, []
    for n in ITERATIONS:
        scenes = richardson_lucy(kept, response, n - done, scenes)
        score = held_out_scores(rest, response.forward(scenes), smooth)
        scores.append(np.bincount(classes, score))
        done = n
        if len(scores) > PATIENCE and _falling(np.stack(scores)):
            break
    return np.stack(scores)


def _falling(scores: np.ndarray) -> bool:
    return bool((scores.argmax(axis=0) < scores.shape[0] - PATIENCE).all())
