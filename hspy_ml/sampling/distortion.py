# SPDX-License-Identifier: GPL-3.0-or-later
"""How wrong a map from sparse measurements is, without the full map."""

from __future__ import annotations

import numpy as np

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

    times a correction c for what happened since: before a measurement is taken in, its
    label is predicted, with the chance :math:`p_i` of an error. If recently there were
    more surprises than that, c is above one (see :attr:`correction`).

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
        self._expected: list[float] = []
        self._surprises: list[bool] = []
        self._is_current = False

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
        places = checked_places(positions, self._shape)
        labels = checked_labels(labels, len(places), None)
        for place, label in zip(places, labels, strict=True):
            if label > 0 and self._tracker.can_predict:
                self._compare(place, label)
            self._tracker.add(*place, label)
        self._is_current = self._is_current and not places

    @property
    def distortion(self) -> float:
        """Expected share of the map's pixels that are wrong; 1 before any label."""
        if not self.n_measured:
            return 1.0
        expected = float(self._renewed().chance[self._counts].mean(dtype=float))
        return min(self.correction * expected, 1.0)

    @property
    def correction(self) -> float:
        r"""Surprises over what was expected of them, recently.

        :math:`c = (a + n) / (a + \sum_i p_i)` with n the number of surprises where the
        chance of one was low, among the last of the measurements. Where it was high
        the sampler sought it: that says little of the rest of the map.
        """
        recent = slice(-max(round(RECENT * len(self._expected)), 1), None)
        expected = np.array(self._expected[recent])
        surprises = np.array(self._surprises[recent])
        is_low = expected < LOW
        return float(
            (PRIOR + surprises[is_low].sum()) / (PRIOR + expected[is_low].sum())
        )

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
        return self._renewed().chance.reshape(self._shape).copy()

    @property
    def reconstruction(self) -> np.ndarray:
        """int16, the map that is judged: :func:`.reconstruction.reconstruct`."""
        return self._tracker.image.reshape(self._shape).copy()

    def _renewed(self) -> DoubtTracker:
        if not self._is_current:
            self._tracker.renew(self.model.network)
            self._is_current = True
        return self._tracker

    def _compare(self, place: tuple[int, int], label: int) -> None:
        """Note what was expected of a pixel, and whether it came otherwise."""
        if self._tracker.labels[place] == 0:
            guess, _, chance = self._tracker.expect(*place, self.model.network)
            self._expected.append(chance)
            self._surprises.append(guess != label)


LOW = 0.2
"""Chance of an error from which a surprise is none."""
RECENT = 0.15
"""Share of the measurements that are recent."""
PRIOR = 10.0
"""a, surprises and chances that are added: few say little."""
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
