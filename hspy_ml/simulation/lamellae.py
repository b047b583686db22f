# SPDX-License-Identifier: GPL-3.0-or-later
"""Wavy lamellae, as a eutectic grows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .interfaces import directed, shares_of_labels, sub_pixels
from .polycrystals import checked_fractions
from .scenes import check_shape

__all__ = ["lamella_abundances"]

PERIOD = 16.0  # pixels
WAVES_PER_PERIOD = 0.25


def lamella_abundances(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    period: float = PERIOD,
    orientation: float = 30.0,
    waviness: float = 0.15,
    volume_fractions: Sequence[float] | None = None,
    probe_width: float = 1.0,
) -> np.ndarray:
    """Maps of lamellae of all phases in turn.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
    random_state : int or numpy.random.Generator, optional
        Makes the maps repeat exactly.
    period : float, default 16
        Width of one lamella of each phase together, in pixels.
    orientation : float, default 30
        Angle between the lamellae and the rows (the axis x), degrees, towards growing
        y.
    waviness : float, default 0.15
        Standard deviation of their borders from straight lines, in periods. It changes
        over about four periods, along the lamellae and across.
    volume_fractions : sequence of float, length n_phases, optional
        Widths of the lamellae; their sum does not matter. By default all the same.
    probe_width : float, default 1
        Full width at half maximum of the beam, in pixels.

    Returns
    -------
    ndarray, shape (*shape, n_phases)
        Abundances that sum to one in every pixel.

    Raises
    ------
    ValueError
        If a parameter makes no sense.
    """
    check_shape(shape)
    if not 0 < period < np.inf:
        raise ValueError(f"`period` is {period}; pixels above zero are expected.")
    if not 0 <= waviness < np.inf:
        raise ValueError(f"`waviness` is {waviness}; it must be zero or more.")
    fractions = checked_fractions(volume_fractions, n_phases)
    rng = np.random.default_rng(random_state)
    y, x = sub_pixels(shape)
    _, across = directed(y, x, orientation)
    place = across / period + rng.random() + waviness * _waves(y, x, period, rng)
    borders = np.cumsum(fractions)[:-1]
    labels = np.searchsorted(borders, place % 1.0, side="right")
    return shares_of_labels(labels, n_phases, probe_width)


def _waves(
    y: np.ndarray, x: np.ndarray, period: float, rng: np.random.Generator, n: int = 24
) -> np.ndarray:
    """A smooth random field with the mean 0 and the variance 1: a sum of waves."""
    numbers = 2 * np.pi * WAVES_PER_PERIOD / period * rng.normal(size=(n, 2)) / 2
    phases = rng.uniform(0, 2 * np.pi, size=n)
    field = sum(
        np.cos(k_y * y + k_x * x + phase)
        for (k_y, k_x), phase in zip(numbers, phases, strict=True)
    )
    return field * np.sqrt(2 / n)
