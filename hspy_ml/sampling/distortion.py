# SPDX-License-Identifier: GPL-3.0-or-later
"""How wrong a map from sparse measurements is, without the full map."""

from __future__ import annotations

import math

import numpy as np

from .distortion_course import GROWTH, Course, State
from .distortion_map import DoubtTracker
from .distortion_model import DoubtModel, default_doubt_model
from .sampler_checks import checked_labels, checked_places, checked_shape

__all__ = ["DistortionEstimator"]


class DistortionEstimator:
    r"""Follows a sampling and estimates the distortion of the reconstruction.

    A small network gives the chance that the reconstructed label of a pixel is wrong
    from what was measured around it; it was trained on other images, many kinds of
    them, measured by dynamic sampling and at random. The estimate is the sum of the
    chances over the map,

    .. math:: \widehat{TD} = \frac{c}{N} \sum_s p_s ,

    times a correction c for how this sampling went (see :attr:`correction`). Of maps
    of more than 256 x 256 pixels the mean is taken over a lattice of about as many.

    It needs no sampler, but positions and labels in the order of their measurement;
    hand it what a :class:`hspy_ml.sampling.sampler.DynamicSampler` is handed.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map, or the length of a line.
    model : DoubtModel, optional
        The package's own by default.
    navigation_mask : ndarray of bool, shape `shape`, optional
        Pixels that do not count.

    Raises
    ------
    ValueError
        If a parameter makes no sense.

    Examples
    --------
    >>> estimator = DistortionEstimator((128, 128))
    >>> while not estimator.n_measured or estimator.distortion > 0.01:
    ...     positions = sampler.next(50)
    ...     labels = truth[tuple(positions.T)]
    ...     sampler.update(positions, labels)
    ...     estimator.update(positions, labels)
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        model: DoubtModel | None = None,
        *,
        navigation_mask: np.ndarray | None = None,
    ) -> None:
        self._shape, grid = checked_shape(shape)
        self.model = default_doubt_model() if model is None else model
        self._counts = _pixels_that_count(navigation_mask, self._shape).reshape(grid)
        self._tracker = DoubtTracker(grid)
        self._summed = self._counts & self._tracker.judged
        self._course = Course()
        self._next_moment = max(FIRST, math.ceil(FIRST_SHARE * self._counts.size))
        self._now: State | None = None

    @property
    def n_measured(self) -> int:
        """Number of pixels with a label."""
        return self._tracker.n_known

    @property
    def n_pixels(self) -> int:
        """Number of pixels that count."""
        return int(self._counts.sum())

    def update(self, positions: np.ndarray, labels: np.ndarray | int) -> None:
        """Take in what was measured, in its order.

        Parameters
        ----------
        positions : ndarray of int, shape (n, n_axes) or (n_axes,)
            Rows and columns.
        labels : ndarray of int, shape (n,), or int
            From 1; 0 for an ill spectrum, whose pixel counts as not measured.

        Raises
        ------
        TypeError, ValueError
            As :meth:`hspy_ml.sampling.sampler.DynamicSampler.update`.
        """
        places = np.array(checked_places(positions, self._shape), np.int64)
        labels = np.array(checked_labels(labels, len(places), None), np.int16)
        done = 0
        while done < len(places):
            end = done + max(self._next_moment - self.n_measured, 1)
            self._take_in(places[done:end], labels[done:end])
            done = end

    def _take_in(self, places: np.ndarray, labels: np.ndarray) -> None:
        """Measurements until the next moment that is kept; then keep it."""
        self._now = None
        if self._course.has_begun:
            network = self.model.network
            self._course.add(*self._tracker.follow(places, labels, network))
        else:
            self._tracker.add(places, labels)
        if self.n_measured >= self._next_moment:
            self._course.note(self._state())
            self._next_moment = math.ceil(GROWTH * self.n_measured)

    @property
    def distortion(self) -> float:
        """Expected share of the map's pixels that are wrong; 1 before any label."""
        if not self.n_measured:
            return 1.0
        state = self._state()
        return min(self.correction * state.expected / state.n_pixels, 1.0)

    @property
    def correction(self) -> float:
        """What the mean chance of an error is to be multiplied by.

        From surprises, labels that came otherwise than predicted, over what was
        expected of them; from what has changed in the map since, over the errors that
        were expected then; and from where the errors are expected. See
        :data:`hspy_ml.sampling.distortion_course.COURSE_FEATURES`.
        """
        if not self.n_measured:
            return 1.0
        return float(self.model.law.correction(self.course()[0]))

    def course(self) -> tuple[np.ndarray, float]:
        """What the correction follows from, and the wrong pixels without it.

        Returns
        -------
        features : ndarray of float64, shape (n_features,)
            :data:`hspy_ml.sampling.distortion_course.COURSE_FEATURES`.
        expected : float
            Sum of the chances of an error over the map.
        """
        state = self._state()
        return self._course.features(state), state.expected

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Within which the distortion is likely to be.

        Parameters
        ----------
        level : float, default 0.9
            How likely.

        Returns
        -------
        low, high : float
            From the spread that was found on other kinds of images, and the scatter of
            a number of wrong pixels that come in clusters.

        Raises
        ------
        ValueError
            If `level` is not between 0 and 1.
        """
        from scipy.special import ndtri

        if not 0 < level < 1:
            raise ValueError(f"`level` is {level}; give one between 0 and 1.")
        estimate = self.distortion
        wrong = max(estimate * self.n_pixels, 0.5)
        spread = np.hypot(self.model.spread, np.sqrt(CLUSTER / wrong))
        reach = np.exp(ndtri(0.5 + level / 2) * spread)
        return estimate / reach, min(estimate * reach, 1.0)

    @property
    def error_probability(self) -> np.ndarray:
        """float32, that the label of a pixel is wrong; 0 where it was measured."""
        if not self.n_measured:
            return np.ones(self._shape, np.float32)
        chance = self._tracker.chance_everywhere(self.model.network)
        return chance.reshape(self._shape)

    @property
    def reconstruction(self) -> np.ndarray:
        """int16, the map that is judged: :func:`.reconstruction.reconstruct`."""
        return self._tracker.image.reshape(self._shape).copy()

    def _state(self) -> State:
        """What is expected now."""
        if self._now is None:
            tracker, summed = self._tracker, self._summed
            tracker.renew(self.model.network)
            chance = tracker.chance[summed].astype(float)
            agreed = tracker.agreed[summed]
            stands_for = self.n_pixels / max(chance.size, 1)
            self._now = State(
                n=self.n_measured,
                image=np.where(self._counts, tracker.image, 0),
                n_pixels=self.n_pixels,
                expected=stands_for * chance.sum(),
                agreed=stands_for * chance[agreed].sum(),
                squared=stands_for * (chance**2).sum(),
                of_the_map=tracker.of_the_map(),
            )
        return self._now


FIRST, FIRST_SHARE = 10, 0.01
"""Number of labels, and their share, from which others are predicted."""
CLUSTER = 4.0
"""Wrong pixels that come together."""


def _pixels_that_count(
    navigation_mask: np.ndarray | None, shape: tuple[int, ...]
) -> np.ndarray:
    if navigation_mask is None:
        return np.ones(shape, bool)
    mask = np.asarray(navigation_mask)
    if mask.shape != shape or mask.dtype != bool or mask.all():
        raise ValueError(
            f"`navigation_mask` has the shape {mask.shape} and the type {mask.dtype}; "
            f"bool and {shape} are expected, and one pixel that counts."
        )
    return ~mask
