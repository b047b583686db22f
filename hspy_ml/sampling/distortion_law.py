# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the law that corrects the mean chance of an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .distortion import DistortionEstimator
from .distortion_course import FEW
from .distortion_model import CourseLaw, DoubtModel

__all__ = ["CourseExamples", "course_of_run", "join_courses", "train_law"]

RIDGE = 3.0
"""Prior weight of a slope of zero, maps."""
CENTRE, WIDTH = 0.01, 1.0
"""Expected distortion that counts most, and the fall to both sides, logarithmic."""
OUTLYING = 0.25
"""Rest of the logarithm from which a map counts less."""
N_REWEIGHTED = 8
CLUSTERS = 10.0
"""Wrong pixels from which a map says more of the law than of chance."""


@dataclass(frozen=True, eq=False)
class CourseExamples:
    """Moments of samplings, and how wrong the maps were.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
        See :mod:`hspy_ml.sampling.distortion_course`.
    n_pixels, expected, wrong : ndarray of float64, shape (n,)
        Pixels of the map, and how many of them were expected to be wrong by the sum
        of the chances, and were.
    """

    features: np.ndarray
    n_pixels: np.ndarray
    expected: np.ndarray
    wrong: np.ndarray

    @property
    def log_ratio(self) -> np.ndarray:
        """Logarithm of wrong over expected pixels, damped where they are few."""
        return np.log((self.wrong + FEW) / (self.expected + FEW))

    @property
    def weight(self) -> np.ndarray:
        """Of a map for the law; what is known beforehand alone decides."""
        away = np.log((self.expected + FEW) / self.n_pixels / CENTRE) / WIDTH
        return np.exp(-0.5 * away**2) / (1 + CLUSTERS / (self.expected + FEW))


def course_of_run(
    truth: np.ndarray, order: np.ndarray, model: DoubtModel, shares: Sequence[float]
) -> CourseExamples:
    """Moments of one sampling.

    Parameters
    ----------
    truth : ndarray of int, shape (n_rows, n_columns)
        Labels from 1.
    order : ndarray of int, shape (n_measured, 2)
        Rows and columns as they were measured.
    model : DoubtModel
        That expects; its law is not used.
    shares : sequence of float
        Shares of the pixels at which to look.

    Returns
    -------
    CourseExamples
    """
    estimator = DistortionEstimator(truth.shape, model)
    rows, done = [], 0
    for n in sorted({min(round(s * truth.size), len(order)) for s in shares}):
        part = order[done:n]
        estimator.update(part, truth[tuple(part.T)])
        wrong = np.count_nonzero(estimator.reconstruction != truth)
        features, expected = estimator.course()
        rows.append((features, truth.size, expected, wrong))
        done = n
    features, *numbers = zip(*rows, strict=True)
    return CourseExamples(np.array(features), *(np.array(n, float) for n in numbers))


def join_courses(parts: Iterable[CourseExamples]) -> CourseExamples:
    """Moments of several samplings together.

    Parameters
    ----------
    parts : iterable of CourseExamples

    Returns
    -------
    CourseExamples
    """
    columns = zip(
        *((p.features, p.n_pixels, p.expected, p.wrong) for p in parts), strict=True
    )
    return CourseExamples(*(np.concatenate(column) for column in columns))


def train_law(examples: CourseExamples) -> CourseLaw:
    """Weighted regression of the logarithm, ridge, with Huber's loss.

    Parameters
    ----------
    examples : CourseExamples
        Of many images, of kinds that the network has not seen: the law is to hold
        there.

    Returns
    -------
    CourseLaw
    """
    law = _units(examples)
    inputs = law.standardised(examples.features)
    design = np.column_stack([np.ones(len(inputs)), inputs])
    damping = np.diag([0.0] + [RIDGE] * inputs.shape[1])
    trust = np.ones(len(inputs))
    for _ in range(N_REWEIGHTED):
        weighted = (examples.weight * trust)[:, None] * design
        found = np.linalg.solve(
            weighted.T @ design + damping, weighted.T @ examples.log_ratio
        )
        rest = np.abs(examples.log_ratio - design @ found)
        trust = 1 / np.maximum(1.0, rest / OUTLYING)
    return law._replace(slopes=found[1:], offset=found[:1])


def _units(examples: CourseExamples) -> CourseLaw:
    """Means and scales of the features that are known; no slopes."""
    features = np.ma.masked_invalid(examples.features)
    means = np.ma.average(features, axis=0, weights=examples.weight)
    squares = np.ma.average((features - means) ** 2, axis=0, weights=examples.weight)
    law = CourseLaw.none()
    return law._replace(means=np.array(means), scales=np.sqrt(np.array(squares)) + 1e-6)
