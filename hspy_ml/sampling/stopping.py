# SPDX-License-Identifier: GPL-3.0-or-later
"""When a sampling is good enough to end."""

from __future__ import annotations

import math

from .distortion import DistortionEstimator

__all__ = ["StoppingRule"]

NEAR = 0.2
"""Share of `every` after which to look again near the target."""


class StoppingRule:
    """Ends a sampling when the map is expected to be as good as wanted.

    Parameters
    ----------
    target_distortion : float, default 0.01
        Share of the map's pixels that may be wrong.
    start : float, default 0.01
        Share of the pixels that is measured in any case: before, nothing is known of
        what lies between the measurements.
    every : float, default 0.002
        Share of the pixels that is measured between two looks at the estimate, which
        costs more than a measurement does; a fifth of it near the target, since the
        last errors go fast.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> rule = StoppingRule(target_distortion=0.01)
    >>> while not rule.reached(estimator):
    ...     positions = sampler.next()
    ...     labels = truth[tuple(positions.T)]
    ...     sampler.update(positions, labels)
    ...     estimator.update(positions, labels)
    """

    def __init__(
        self,
        target_distortion: float = 0.01,
        *,
        start: float = 0.01,
        every: float = 0.002,
    ) -> None:
        given = {"target_distortion": target_distortion, "every": every, "start": start}
        for name, share in given.items():
            if not 0 < share < 1:
                raise ValueError(
                    f"`{name}` is {share}; a share of the pixels, between 0 and 1, is "
                    "expected."
                )
        self.target_distortion = target_distortion
        self.start = start
        self.every = every
        self._next_look = 0.0

    def reached(self, estimator: DistortionEstimator) -> bool:
        """Whether to end now.

        Parameters
        ----------
        estimator : DistortionEstimator
            Of the sampling, up to date.

        Returns
        -------
        bool
            False without a look if the last one was a moment ago.
        """
        n, size = estimator.n_measured, estimator.n_pixels
        if n >= size:
            return True
        if n < max(self.start * size, self._next_look):
            return False
        estimate = estimator.distortion
        if estimate <= self.target_distortion:
            return True
        away = min(max(math.log(estimate / self.target_distortion), NEAR), 1.0)
        self._next_look = n + away * self.every * size
        return False
