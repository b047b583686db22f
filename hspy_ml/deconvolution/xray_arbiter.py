# SPDX-License-Identifier: GPL-3.0-or-later
"""Network, network and likelihood steps, or Richardson-Lucy: held-out counts decide.

A part of the counts of some spectra is deconvolved in every way, refolded, and compared
with the rest. Spectra of like dose decide together. Richardson-Lucy follows whatever
the response does not describe, tails of measured lines for instance, and rings beside
strong lines: it has to explain clearly more than the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .xray_response import XrayResponse
from .xray_richardson_lucy import (
    KEPT,
    IterationsByDose,
    dose_classes,
    held_out_scores,
    richardson_lucy,
    smooth_expectation,
    split,
)

__all__ = ["NETWORK_WAYS", "RICHARDSON_LUCY", "Way", "XrayChoice", "choose_ways"]

N_SPLITS = 2
TIE = 2.0  # standard errors of a difference, within which the simpler way is taken
PER_CHANNEL = 0.05  # log likelihood that Richardson-Lucy has to gain over the network
LEVEL = 1e-3  # counts per channel, so that steps can raise an empty one


@dataclass(frozen=True)
class Way:
    """A way to deconvolve.

    Parameters
    ----------
    name : str
    network : bool
        Whether the network comes first; Richardson-Lucy otherwise.
    steps : int, default 0
        Likelihood steps after the network.
    """

    name: str
    network: bool
    steps: int = 0


NETWORK_WAYS = (
    Way("network", True),
    *(Way(f"network + {n} likelihood steps", True, n) for n in (3, 10, 30)),
)
RICHARDSON_LUCY = Way("richardson-lucy", False)


@dataclass(frozen=True, eq=False)
class XrayChoice:
    """What was chosen, and why.

    Parameters
    ----------
    method : str
        Of most spectra of the sample.
    why : str
        A sentence.
    scores : dict of str to float
        Held-out log likelihood per spectrum of each way, less that of the best.
    doses : ndarray, shape (n_classes,)
        Counts of a spectrum, increasing.
    ways : tuple of Way
        The choice for each class of doses.
    """

    method: str
    why: str
    scores: dict[str, float] = field(default_factory=dict)
    doses: np.ndarray = field(default_factory=lambda: np.ones(1))
    ways: tuple[Way, ...] = (RICHARDSON_LUCY,)

    def class_of(self, counts: np.ndarray) -> np.ndarray:
        """The class of doses that is nearest.

        Parameters
        ----------
        counts : ndarray, shape (n_spectra,)

        Returns
        -------
        ndarray of int, shape (n_spectra,)
        """
        logs = np.log(np.maximum(counts, 1.0))[:, None]
        return np.abs(logs - np.log(self.doses)).argmin(axis=1)


def stepped(
    counts: np.ndarray, found: np.ndarray, response: XrayResponse, n_steps: int
) -> np.ndarray:
    """Likelihood steps from what was found.

    Parameters
    ----------
    counts, found : ndarray, shape (n_spectra, n_channels)
    response : XrayResponse
    n_steps : int

    Returns
    -------
    ndarray, shape (n_spectra, n_channels)
    """
    if n_steps == 0:
        return found
    return richardson_lucy(counts, response, n_steps, found + LEVEL)


def choose_ways(
    counts: np.ndarray,
    response: XrayResponse,
    iterations: IterationsByDose,
    restore: Callable[[np.ndarray], np.ndarray],
    ways: Sequence[Way],
    random_state: int = 0,
) -> XrayChoice:
    """The way for each dose that explains counts best that were set aside.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Of the sample; each spectrum with a count.
    response : XrayResponse
    iterations : IterationsByDose
        Of Richardson-Lucy.
    restore : callable
        The network's answer to counts.
    ways : sequence of Way
        The simplest first.
    random_state : int, default 0

    Returns
    -------
    XrayChoice
    """
    kept, rest = split(np.tile(counts, (N_SPLITS, 1)), KEPT, random_state)
    smooth = smooth_expectation(kept, response)
    found, done, scores = restore(kept), 0, []
    for way in ways:
        if way.network:
            found, done = stepped(kept, found, response, way.steps - done), way.steps
        else:
            found = richardson_lucy(kept, response, iterations.of(kept.sum(axis=1)))
        scores.append(held_out_scores(rest, response.forward(found), smooth))
    table = np.stack(scores).reshape(len(ways), N_SPLITS, -1).sum(axis=1)
    return _decided(table, counts.sum(axis=1), tuple(ways), counts.shape[1])


def _decided(
    scores: np.ndarray, total: np.ndarray, ways: tuple[Way, ...], n_channels: int
) -> XrayChoice:
    dose_class, doses = dose_classes(total)
    needed = [0.0 if way.network else PER_CHANNEL * n_channels for way in ways]
    fair = scores - N_SPLITS * np.array(needed)[:, None]
    chosen = [_simplest(fair[:, dose_class == c]) for c in range(doses.size)]
    members = np.bincount(dose_class)
    most = int(np.argmax(np.bincount(chosen, members, minlength=len(ways))))
    mean = scores.mean(axis=1) / N_SPLITS
    told = {way.name: float(s - mean.max()) for way, s in zip(ways, mean, strict=True)}
    return XrayChoice(
        ways[most].name,
        _why([ways[i] for i in chosen], doses),
        told,
        doses,
        tuple(ways[i] for i in chosen),
    )


def _simplest(scores: np.ndarray) -> int:
    """The first way that is not worse than the best by more than its error."""
    best = int(scores.sum(axis=1).argmax())
    lost = scores[best] - scores
    total = lost.sum(axis=1)
    # what a spectrum loses scatters, by chance alone with twice its mean as variance
    variance = lost.shape[1] * lost.var(axis=1) + 2 * np.maximum(total, 0.0)
    return int(np.argmax(total <= TIE * np.sqrt(variance)))


def _why(ways: list[Way], doses: np.ndarray) -> str:
    if len({way.name for way in ways}) == 1:
        return f"Chosen by the likelihood of counts set aside: {ways[0].name}."
    pairs = zip(ways, doses, strict=True)
    told = "; ".join(f"{way.name} at {dose:.2g} counts" for way, dose in pairs)
    return f"Chosen by the likelihood of counts set aside: {told}."
