# SPDX-License-Identifier: GPL-3.0-or-later
"""The acquisition of a map of which all labels are known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...sampling.distortion import DistortionEstimator
from ...sampling.sampler import DynamicSampler
from ...sampling.stopping import StoppingRule

__all__ = ["Plan", "Replay", "replay"]

CHECKS = 60  # of the distortion, over the whole acquisition
FIRST_CHECK = 0.01  # of the pixels: nothing is known of what lies between fewer
LEVEL = 0.68  # of the interval of the estimate


@dataclass(frozen=True)
class Plan:
    """How the acquisition goes.

    Parameters
    ----------
    n_phases : int
    most : int
        Measurements at which it ends.
    batch_size : int
        Pixels chosen at once.
    target : float or None
        Estimated distortion at which it ends before.
    random_state : int
    """

    n_phases: int
    most: int
    batch_size: int
    target: float | None
    random_state: int


@dataclass(frozen=True, eq=False)
class Replay:
    """What was measured, and what came of it; see `SamplingArrays`."""

    positions: np.ndarray
    labels: np.ndarray
    reconstruction: np.ndarray
    wrong_probability: np.ndarray
    history_measured: np.ndarray
    history_distortion: np.ndarray
    history_estimate: np.ndarray
    notes: tuple[str, ...]


def replay(
    measured: np.ndarray,
    full: np.ndarray,
    excluded: np.ndarray,
    plan: Plan,
    progress: Callable[[int], None],
) -> Replay:
    """Measure pixel by pixel, each where it is worth most.

    Parameters
    ----------
    measured : ndarray of int, shape (n_rows, n_columns)
        What a measurement of each pixel finds: 0 for no phase.
    full : ndarray of int, shape (n_rows, n_columns)
        What the reconstruction is compared with, where it is above 0.
    excluded : ndarray of bool, shape (n_rows, n_columns)
        Pixels never to measure.
    plan : Plan
    progress : callable
        Called with the number of pixels just measured.

    Returns
    -------
    Replay
        What there was, if it is interrupted (Ctrl-C).
    """
    run = _Run(measured, full, excluded, plan)
    notes = []
    try:
        while not run.is_done:
            progress(run.step())
    except KeyboardInterrupt:
        notes.append("The acquisition was interrupted; this is what it had reached.")
    if plan.target is not None and run.n_measured >= plan.most:
        notes.append(
            f"`target_distortion` {plan.target:g} was not reached with "
            f"{run.n_measured} pixels; raise `fraction`."
        )
    return run.outcome(tuple(notes))


class _Run:
    """An acquisition under way."""

    def __init__(
        self, measured: np.ndarray, full: np.ndarray, excluded: np.ndarray, plan: Plan
    ) -> None:
        self._measured, self._full, self._plan = measured, full, plan
        self._sampler = DynamicSampler(
            measured.shape,
            plan.n_phases,
            navigation_mask=excluded,
            random_state=plan.random_state,
        )
        self._estimator = DistortionEstimator(measured.shape, navigation_mask=excluded)
        self._rule = None if plan.target is None else StoppingRule(plan.target)
        self._positions: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []
        self._history: list[tuple[float, ...]] = []
        self.n_measured = 0
        self._next_check = FIRST_CHECK * measured.size
        self.is_done = False

    def step(self) -> int:
        """Measure the next pixels; return how many there were."""
        left = self._plan.most - self.n_measured
        positions = self._sampler.next(min(self._plan.batch_size, left))
        labels = self._measured[tuple(positions.T)]
        self._sampler.update(positions, labels)
        self._estimator.update(positions, labels)
        self._positions.append(positions)
        self._labels.append(labels)
        self.n_measured += len(positions)
        reached = self._rule is not None and self._rule.reached(self._estimator)
        self.is_done = not len(positions) or reached
        self.is_done = self.is_done or self.n_measured >= self._plan.most
        if self.n_measured >= self._next_check:
            self._check()
            self._next_check = self.n_measured + self._plan.most / CHECKS
        return len(positions)

    def outcome(self, notes: tuple[str, ...]) -> Replay:
        """What there is now."""
        self._check()
        measured, distortion, *estimate = np.array(self._history).T
        return Replay(
            np.concatenate(self._positions),
            np.concatenate(self._labels),
            np.asarray(self._estimator.reconstruction),
            np.asarray(self._estimator.error_probability),
            measured.astype(np.int64),
            distortion,
            np.transpose(estimate),
            notes,
        )

    def _check(self) -> None:
        if self._history and self._history[-1][0] == self.n_measured:
            return
        compared = self._full > 0
        wrong = (self._estimator.reconstruction != self._full)[compared]
        share = float(wrong.mean()) if wrong.size else np.nan
        estimate = self._estimator.distortion
        low, high = self._estimator.interval(LEVEL)
        self._history.append((self.n_measured, share, estimate, low, high))
