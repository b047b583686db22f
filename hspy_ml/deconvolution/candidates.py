# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of deconvolving among which the likelihood of held-out counts chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .richardson_lucy import likelihood_steps, start_with_zero_loss

if TYPE_CHECKING:
    import torch

    from .measured import Measured

__all__ = ["Begun", "Candidate", "Path", "Start", "from_zero_loss", "paths", "run"]

RICHARDSON_LUCY = "richardson-lucy"
NETWORK = "network"
ITERATIONS = (5, 10, 20, 40, 80, 160, 320, 640)
STEPS = (5, 10, 30, 100, 300)  # from the network's result
GUARDED = 1.5  # standard errors, of such steps
THRESHOLDS = (2.5, 1.5, 1.0, 0.0)  # standard errors, the most regular first
BESIDE_A_NETWORK = (1.0, 0.0)


class Begun(NamedTuple):
    """Where steps start.

    Attributes
    ----------
    scene : torch.Tensor, shape (n, n_scene)
    errors : ndarray, shape (n, n_channels) or None
        Standard errors of it at the target resolution, where they are known.
    losses : ndarray, shape (n, n_channels) or None
        The scene at the target resolution without its zero-loss line, where it is
        known better than by blurring the scene again.
    """

    scene: torch.Tensor
    errors: np.ndarray | None = None
    losses: np.ndarray | None = None


#: From measured spectra to where steps start.
Start = Callable[["Measured"], Begun]


@dataclass(frozen=True)
class Candidate:
    """One way.

    Parameters
    ----------
    start : str
        "network" or "richardson-lucy" (a sharp zero-loss line and what it leaves).
    n_steps : int
        Likelihood steps from there.
    noise_threshold : float
        Of the steps, see `likelihood_steps`.
    """

    start: str
    n_steps: int
    noise_threshold: float

    def __str__(self) -> str:
        if self.start == NETWORK and self.n_steps == 0:
            return "network"
        name = "network + " if self.start == NETWORK else "Richardson-Lucy, "
        guard = f", noise below {self.noise_threshold:g} s.e. ignored"
        steps = "likelihood steps" if self.start == NETWORK else "iterations"
        return f"{name}{self.n_steps} {steps}{guard if self.noise_threshold else ''}"


@dataclass(frozen=True)
class Path:
    """Candidates that are passed one after the other from one start.

    Parameters
    ----------
    start : str
    noise_threshold : float
    stops : tuple of int
        Numbers of steps, increasing.
    """

    start: str
    noise_threshold: float
    stops: tuple[int, ...]

    def until(self, stop: int) -> Path:
        """The same without what comes after a number of steps.

        Parameters
        ----------
        stop : int

        Returns
        -------
        Path
        """
        return replace(self, stops=tuple(k for k in self.stops if k <= stop))

    def candidates(self) -> list[Candidate]:
        """Its candidates in turn."""
        return [Candidate(self.start, k, self.noise_threshold) for k in self.stops]

    def walk(self, spectra: Measured, scene: torch.Tensor) -> Iterator[torch.Tensor]:
        """The scenes of its candidates.

        Parameters
        ----------
        spectra : Measured
        scene : torch.Tensor, shape (n, n_scene)
            The start; is changed.

        Yields
        ------
        torch.Tensor
            The same tensor each time.
        """
        done = 0
        for stop in self.stops:
            likelihood_steps(
                spectra.electrons,
                spectra.transfer,
                scene,
                stop - done,
                spectra.read_variance,
                self.noise_threshold,
            )
            done = stop
            yield scene


def paths(with_network: bool, with_richardson_lucy: bool = True) -> list[Path]:
    """All paths, those of the most regular results first.

    Parameters
    ----------
    with_network, with_richardson_lucy : bool

    Returns
    -------
    list of Path
    """
    chosen = []
    if with_network:
        chosen += [Path(NETWORK, 0.0, (0,))]
        chosen += [Path(NETWORK, t, STEPS) for t in (GUARDED, 0.0)]
    if with_richardson_lucy:
        thresholds = BESIDE_A_NETWORK if with_network else THRESHOLDS
        chosen += [Path(RICHARDSON_LUCY, t, ITERATIONS) for t in thresholds]
    return chosen


def from_zero_loss(spectra: Measured) -> Begun:
    """The start of Richardson-Lucy.

    Parameters
    ----------
    spectra : Measured

    Returns
    -------
    Begun
    """
    scene = start_with_zero_loss(
        spectra.electrons, spectra.transfer, spectra.zero, spectra.read_variance
    )
    return Begun(scene)


def run(ways: list[Candidate], spectra: Measured, starts: dict[str, Start]) -> Begun:
    """The scene of each spectrum by the way chosen for it.

    Parameters
    ----------
    ways : list of Candidate
        One for each spectrum.
    spectra : Measured
    starts : dict of str to callable

    Returns
    -------
    Begun
        Scenes; errors and losses of spectra whose way knows none are NaN.
    """
    import torch

    scene = torch.empty(len(spectra), spectra.transfer.n_scene)
    errors = np.full(spectra.electrons.shape, np.nan, np.float32)
    losses = errors.copy()
    for way in dict.fromkeys(ways):
        rows = np.flatnonzero([other == way for other in ways])
        some = spectra.select(rows)
        begun = starts[way.start](some)
        scene[rows] = likelihood_steps(
            some.electrons,
            some.transfer,
            begun.scene,
            way.n_steps,
            some.read_variance,
            way.noise_threshold,
        )
        if begun.errors is not None:
            errors[rows] = begun.errors
        if begun.losses is not None and way.n_steps == 0:
            losses[rows] = begun.losses
    return Begun(scene, errors, losses)
