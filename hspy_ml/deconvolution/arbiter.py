# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way to deconvolve: the one whose result explains counts that were held out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .candidates import NETWORK, Candidate, Path, Start
from .noise import split
from .stopping import KEPT, held_out_likelihood

if TYPE_CHECKING:
    from .measured import Measured

__all__ = ["Choice", "choose", "held_out_scores", "network_alone", "picked"]

_NOT_JUDGED = 1.0  # widths of the response from the zero loss
_PATIENCE = 2  # candidates of a path that are worse than the best, before its end
_MOST = 0.8  # of the spectra
_POOLED_WEIGHT = 1.0  # of the mean of the sample beside a spectrum's own scores
_UNLIKE_BEYOND = 2.0  # standard errors of what individual choices gain
_LEAST_GAIN = 0.5  # of the log-likelihood of a spectrum
_TIE = 3.0  # of the log-likelihood of a spectrum, for which the more regular is taken


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
    paths : list of Path
        What is tried where each spectrum chooses; the most regular first.
    mean_scores : ndarray, shape (n_candidates,)
        Of their candidates.
    best : Candidate or None
        The way for all spectra.
    each : bool
        Whether each spectrum chooses for itself, since they differ.
    """

    method: str
    why: str
    scores: dict[str, float] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    mean_scores: np.ndarray = field(default_factory=lambda: np.zeros(0))
    best: Candidate | None = None
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
        A path is left where most spectra have become worse; what would have followed
        counts as worse still.
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
    judged = torch.from_numpy(_judged(spectra))
    kinds = {path.start for path in paths}
    begun = {kind: starts[kind](training).scene for kind in kinds}
    scores = []
    for path in paths:
        curve: list[np.ndarray] = []
        for scene in path.walk(training, begun[path.start].clone()):
            expected = training.transfer.forward(scene).mul_((1 - KEPT) / KEPT)
            curve.append(held_out_likelihood(held, expected, read, judged))
            if _past_the_best(curve):
                break
        falling = range(1, len(path.stops) - len(curve) + 1)
        scores += curve + [curve[-1] - step for step in falling]
    return np.stack(scores, axis=1)


def _judged(spectra: Measured) -> np.ndarray:
    """One in channels where losses decide, zero at the zero-loss peak.

    There the most counts are, and what they judge is place and shape of the response.
    """
    channels = np.arange(spectra.electrons.shape[1])
    centre = spectra.zero + np.broadcast_to(spectra.transfer.shifts, len(spectra))
    distance = np.abs(channels - centre[:, None])
    return (distance > _NOT_JUDGED * spectra.fwhm[:, None]).astype(np.float32)


def _past_the_best(curve: list[np.ndarray]) -> bool:
    """Whether the last two candidates were worse than one before for most spectra."""
    if len(curve) <= _PATIENCE:
        return False
    best = np.argmax(curve, axis=0)
    return bool((best < len(curve) - _PATIENCE).mean() >= _MOST)


def choose(first: np.ndarray, second: np.ndarray, paths: list[Path]) -> Choice:
    """Choose for the image, or leave it to each spectrum.

    Parameters
    ----------
    first, second : ndarray, shape (n, n_candidates)
        Scores by two splits. What individual choices by the first gain on the second
        tells whether spectra differ.
    paths : list of Path
        The most regular first. Of each, the candidate with the highest score counts;
        the first whose score is within three of the highest of all is taken: as much as
        a few channels of noise that are fitted gain.

    Returns
    -------
    Choice
    """
    ways = _candidates(paths)
    mean = 0.5 * (first + second).mean(axis=0)
    best = int(_first_good(mean[None], paths)[0])
    own = _first_good(_with_others(first, first.mean(axis=0)), paths)
    each = _unlike(first, second, own, paths)
    tried = _tried(paths, np.append(own, best)) if each else []
    kept = [k for k, way in enumerate(ways) if way in _candidates(tried)]
    return Choice(
        _method(ways[best]),
        _reason(ways, mean, best, each, len(first)),
        {str(way): float(m - mean.max()) for way, m in zip(ways, mean, strict=True)},
        tried,
        mean[kept],
        ways[best],
        each,
    )


def network_alone(why: str) -> Choice:
    """The network's result for all spectra, without any competition.

    Parameters
    ----------
    why : str

    Returns
    -------
    Choice
    """
    return Choice(NETWORK, f"network: {why}.", best=Candidate(NETWORK, 0, 0.0))


def picked(scores: np.ndarray, choice: Choice) -> list[Candidate]:
    """The way for each spectrum.

    Parameters
    ----------
    scores : ndarray, shape (n, n_candidates)
        Of each spectrum and candidate of `choice.paths`.
    choice : Choice
        Of the image, whose mean scores decide what the spectrum's leave open.

    Returns
    -------
    list of Candidate
    """
    ways = _candidates(choice.paths)
    both = _with_others(scores, choice.mean_scores)
    return [ways[k] for k in _first_good(both, choice.paths)]


def _with_others(scores: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return (scores + _POOLED_WEIGHT * mean) / (1 + _POOLED_WEIGHT)


def _candidates(paths: list[Path]) -> list[Candidate]:
    return [way for path in paths for way in path.candidates()]


def _first_good(scores: np.ndarray, paths: list[Path]) -> np.ndarray:
    """Index of the best candidate of the first path that is not clearly worse."""
    ends = np.cumsum([len(path.stops) for path in paths])
    starts = np.append(0, ends[:-1])
    parts = [scores[:, a:b] for a, b in zip(starts, ends, strict=True)]
    tops = np.stack([part.max(axis=1) for part in parts], axis=1)
    good = tops >= tops.max(axis=1, keepdims=True) - _TIE
    path = good.argmax(axis=1)
    inside = np.stack([part.argmax(axis=1) for part in parts], axis=1)
    rows = np.arange(len(scores))
    return starts[path] + inside[rows, path]


def _unlike(
    first: np.ndarray, second: np.ndarray, own: np.ndarray, paths: list[Path]
) -> bool:
    """Whether individual choices by one split are clearly better on the other."""
    n = len(first)
    if n < 2:
        return False
    together = _first_good(first.mean(axis=0)[None], paths)[0]
    gained = second[np.arange(n), own] - second[:, together]
    error = gained.std(ddof=1) * np.sqrt(n)
    return bool(gained.sum() > max(_UNLIKE_BEYOND * error, n * _LEAST_GAIN))


def _tried(paths: list[Path], chosen: np.ndarray) -> list[Path]:
    """The paths that were taken by any, no longer than by any."""
    ways = _candidates(paths)
    tried = []
    for path in paths:
        taken = [ways[k].n_steps for k in chosen if ways[k] in path.candidates()]
        if taken:
            tried.append(path.until(max(taken)))
    return tried


def _method(way: Candidate) -> str:
    if way.start == "network" and way.n_steps:
        return "network + likelihood steps"
    return way.start


def _reason(
    ways: list[Candidate], mean: np.ndarray, best: int, each: bool, n: int
) -> str:
    other = np.array([_method(way) != _method(ways[best]) for way in ways])
    text = f"{ways[best]}: the most regular way that explains held-out counts well"
    if other.any():
        rival = int(np.flatnonzero(other)[mean[other].argmax()])
        lead = mean[best] - mean[rival]
        text += f" (log-likelihood per spectrum {lead:+.2g} against {ways[rival]})"
    text += f"; judged on {n} spectra"
    if each:
        text += ", which differ: each is given the way that suits it"
    return text + "."
