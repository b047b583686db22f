# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sampling went through: what was expected of the map, and what came of it.

How wrong a map was some measurements ago is partly known now, from what has changed
since: hindsight, and measurements that came otherwise than expected, tell how far the
chances of error hold on this image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["COURSE_FEATURES", "Course", "State"]

LAGS = (1, 2, 4, 8)
"""Moments back, each `GROWTH` times as many measurements as the one before."""
GROWTH = 1.05
RECENT = (0.15, 0.3)
"""Shares of the measurements that are recent, and less so."""
UNLIKELY = (0.2, 0.05)
"""Chances of an error below which one is a surprise, and a great one."""
FEW = 3.0
"""Pixels that are added to numbers of pixels in logarithms."""

COURSE_FEATURES = (
    "log_expected",
    "log_share_measured",
    "log_boundary_density",
    "log_size",
    "log_spacing_over_size",
    "log_agreed_of_expected",
    "log_mean_square",
    "log_surprises",
    "log_surprises_longer",
    "log_great_surprises",
    "log_great_surprises_longer",
    "log_rate",
    "log_rate_expected",
    "share_unlikely",
    "hindsight_2",
    "hindsight_4",
    "hindsight_8",
    "log_change_1",
    "log_change_2",
    "log_change_4",
    "log_change_8",
)
"""Of a map, see :meth:`Course.features`."""


class State(NamedTuple):
    """Of a map at one moment.

    Attributes
    ----------
    n : int
        Measurements.
    image : ndarray of int16, shape (n_rows, n_columns)
        The reconstruction, 0 where pixels do not count.
    n_pixels : int
        That count.
    expected, agreed, squared : float
        Sums over them of the chances of error, of those where the nearest
        measurements agree, and of their squares.
    of_the_map : ndarray of float64, shape (3,)
        See :meth:`hspy_ml.sampling.distortion_map.DoubtTracker.of_the_map`.
    """

    n: int
    image: np.ndarray
    n_pixels: int
    expected: float
    agreed: float
    squared: float
    of_the_map: np.ndarray


class Course:
    """Keeps what was expected."""

    def __init__(self) -> None:
        self._moments: list[State] = []
        self._chances: list[np.ndarray] = []
        self._surprises: list[np.ndarray] = []

    @property
    def has_begun(self) -> bool:
        """Whether there is a moment to look back at."""
        return bool(self._moments)

    def add(self, chances: np.ndarray, surprises: np.ndarray) -> None:
        """Note what was expected of measurements, and whether they came otherwise.

        Parameters
        ----------
        chances : ndarray of float, shape (n,)
            NaN where nothing was expected.
        surprises : ndarray of bool, shape (n,)
        """
        told = ~np.isnan(chances)
        self._chances.append(chances[told])
        self._surprises.append(surprises[told])

    def note(self, state: State) -> None:
        """Keep a moment to look back at."""
        self._moments = [*self._moments[-max(LAGS) :], state]

    def features(self, now: State) -> np.ndarray:
        """What tells how far the chances hold.

        Parameters
        ----------
        now : State

        Returns
        -------
        ndarray of float64, shape (n_features,)
            `COURSE_FEATURES`; NaN where the sampling is too young.
        """
        return np.array([*_of_state(now), *self._of_surprises(now.n), *self._back(now)])

    def _of_surprises(self, n: int) -> list[float]:
        """Surprises over what was expected of them, and how many there are."""
        chances = np.concatenate([np.zeros(0), *self._chances])
        surprises = np.concatenate([np.zeros(0, bool), *self._surprises])
        told = []
        for unlikely, few in zip(UNLIKELY, (5.0, 2.0), strict=True):
            for share in RECENT:
                recent = slice(-max(int(share * n), 1), None)
                below = chances[recent] < unlikely
                found, due = surprises[recent][below], chances[recent][below]
                told.append(np.log((few + found.sum()) / (few + due.sum())))
        recent = slice(-max(int(RECENT[0] * n), 1), None)
        due, found = chances[recent], surprises[recent]
        told.append(np.log((1 + found.sum()) / (2 + due.size)))
        told.append(np.log((1 + due.sum()) / (2 + due.size)))
        told.append((1 + (due < UNLIKELY[0]).sum()) / (2 + due.size))
        return told

    def _back(self, now: State) -> list[float]:
        """Errors that have come to light, over those that were expected then."""
        hindsight, change = [], []
        for lag in LAGS:
            then = self._before(now.n / GROWTH ** (lag - 0.01))
            if then is None:
                hindsight.append(np.nan)
                change.append(np.nan)
                continue
            changed = np.count_nonzero(then.image != now.image) + FEW
            growth = np.log(now.n / then.n) / np.log(GROWTH)
            hindsight.append(np.log((changed + now.expected) / (then.expected + FEW)))
            change.append(np.log(changed / (now.expected + FEW) / growth))
        return [*hindsight[1:], *change]

    def _before(self, n: float) -> State | None:
        """The last moment with at most as many measurements."""
        return next((then for then in self._moments[::-1] if then.n <= n), None)


def _of_state(now: State) -> list[float]:
    return [
        np.log((now.expected + FEW) / now.n_pixels),
        np.log(now.n / now.n_pixels),
        *now.of_the_map[1:],
        max(-0.5 * now.of_the_map[0] - now.of_the_map[2], -1.0),
        np.log((now.agreed + 1) / (now.expected + 1)),
        np.log((now.squared + 0.5) / (now.expected + 1)),
    ]
