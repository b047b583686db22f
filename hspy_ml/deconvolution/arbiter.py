# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way to deconvolve: the one whose result explains counts that were held out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .candidates import Candidate, Path, Start
from .noise import split
from .stopping import KEPT, held_out_likelihood

if TYPE_CHECKING:
    from .measured import Measured

__all__ = ["Choice", "choose", "held_out_scores", "picked"]

_POOLED_WEIGHT = 1.0  # of the mean of the sample beside a spectrum's own scores
_UNLIKE_BEYOND = 3.0  # standard errors of what individual choices gain
_TIE = 0.5  # standard errors of a difference, within which the more regular is taken


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen, and why.

    Attributes
    ----------
    method : str
        Of most spectra: "network", "network + likelihood steps" or "richardson-lucy".
    why : str
        A sentence.
    scores : dict of str to float
        Log-likelihood of the held-out counts per spectrum for each way, less that of
        the best.
    candidates : list of Candidate
        In the order of `scores`.
    mean_scores : ndarray, shape (n_candidates,)
        The same numbers.
    best : int
        Index of the way for all spectra.
    each : bool
        Whether each spectrum chooses for itself, since they differ.
    """

    method: str
    why: str
    scores: dict[str, float] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    mean_scores: np.ndarray = field(default_factory=lambda: np.zeros(1))
    best: int = 0
    each: bool = False


def held_out_scores(
    counts: np.ndarray,
    spectra: Measured,
    paths: list[Path],
    starts: dict[str, Start],
    random_state: int,
) -> np.ndarray:
    """Log-likelihood of held-out counts after each way of deconvolving the others.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)
    spectra : Measured
        The same.
    paths : list of Path
    starts : dict of str to callable
        The start of each kind of path.
    random_state : int
        Of the split; spectra are split alike, whatever else is in the block.

    Returns
    -------
    ndarray, shape (n, n_candidates)
    """
    import torch

    parts = [
        split(row[None], spectra.noise.select(slice(i, i + 1)), KEPT, random_state)
        for i, row in enumerate(counts)
    ]
    kept = torch.from_numpy(np.concatenate([part[0] for part in parts]))
    held = torch.from_numpy(np.concatenate([part[1] for part in parts]))
    training = spectra.with_electrons(kept, KEPT)
    read = (1 - KEPT) * spectra.read_variance
    begun = {path.start: starts[path.start](training) for path in paths}
    scores = []
    for path in paths:
        for scene in path.walk(training, begun[path.start].clone()):
            expected = training.transfer.forward(scene).mul_((1 - KEPT) / KEPT)
            scores.append(held_out_likelihood(held, expected, read))
    return np.stack(scores, axis=1)


def choose(first: np.ndarray, second: np.ndarray, paths: list[Path]) -> Choice:
    """Choose for the image, or leave it to each spectrum.

    Parameters
    ----------
    first, second : ndarray, shape (n, n_candidates)
        Scores by two splits. What individual choices by the first gain on the second
        tells whether spectra differ.
    paths : list of Path

    Returns
    -------
    Choice
    """
    candidates = [way for path in paths for way in path.candidates()]
    both = first + second
    mean = both.mean(axis=0) / 2
    best = _most_regular(both)
    gained = _gained(first, second) if len(first) > 1 else np.zeros(2)
    error = gained.std(ddof=1) * np.sqrt(gained.size)
    each = bool(len(first) > 1 and gained.sum() > _UNLIKE_BEYOND * error)
    method = _method(candidates[best])
    return Choice(
        method,
        _reason(candidates, mean, best, each, len(first)),
        {str(c): float(m - mean.max()) for c, m in zip(candidates, mean, strict=True)},
        candidates,
        mean - mean.max(),
        best,
        each,
    )


def picked(scores: np.ndarray, choice: Choice) -> np.ndarray:
    """The way for each spectrum.

    Parameters
    ----------
    scores : ndarray, shape (n, n_candidates)
        Of each spectrum.
    choice : Choice
        Of the image, whose mean scores decide what the spectrum's leave open.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    return (scores + _POOLED_WEIGHT * choice.mean_scores).argmax(axis=1)


def _most_regular(scores: np.ndarray) -> int:
    """The first way that is not clearly worse than the best."""
    best = int(scores.mean(axis=0).argmax())
    behind = scores[:, [best]] - scores
    if len(scores) == 1:
        return best
    error = behind.std(axis=0, ddof=1) / np.sqrt(len(scores))
    return int(np.argmax(behind.mean(axis=0) <= _TIE * error))


def _gained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    rows = np.arange(len(first))
    mean = first.mean(axis=0)
    own = (first + _POOLED_WEIGHT * mean).argmax(axis=1)
    return second[rows, own] - second[:, mean.argmax()]


def _method(way: Candidate) -> str:
    if way.start == "network" and way.n_steps:
        return "network + likelihood steps"
    return way.start


def _reason(
    candidates: list[Candidate], mean: np.ndarray, best: int, each: bool, n: int
) -> str:
    second = np.array([_method(c) != _method(candidates[best]) for c in candidates])
    text = f"{candidates[best]}: explains held-out counts of {n} spectra best"
    if second.any():
        other = int(np.flatnonzero(second)[mean[second].argmax()])
        lead = mean[best] - mean[other]
        text += (
            f", by {lead:.2g} per spectrum in log-likelihood over {candidates[other]}"
        )
    if each:
        text += "; spectra differ, and each is given the way that suits it"
    return text + "."
