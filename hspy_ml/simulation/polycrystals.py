# SPDX-License-Identifier: GPL-3.0-or-later
"""A polycrystal: grains of single phases that fill the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .interfaces import shares_of_labels, sub_pixels
from .scenes import check_shape

__all__ = ["checked_fractions", "polycrystal_abundances"]

GRAIN_DIAMETER = 16.0  # pixels


def polycrystal_abundances(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    grain_diameter: float = GRAIN_DIAMETER,
    volume_fractions: Sequence[float] | None = None,
    probe_width: float = 1.0,
) -> np.ndarray:
    """Maps of a polycrystal: the cells of Voronoi around random points.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
    random_state : int or numpy.random.Generator, optional
        Makes the maps repeat exactly.
    grain_diameter : float, default 16
        Diameter, in pixels, of a circle of the mean area of the grains.
    volume_fractions : sequence of float, length n_phases, optional
        What each phase fills, to about the area of one grain; their sum does not
        matter. By default all the same.
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
    if not 0 < grain_diameter < np.inf:
        raise ValueError(
            f"`grain_diameter` is {grain_diameter}; pixels above zero are expected."
        )
    fractions = checked_fractions(volume_fractions, n_phases)
    rng = np.random.default_rng(random_state)
    grains = _nearest_point(shape, _draw_points(shape, grain_diameter, rng))
    labels = _phase_of_grains(np.bincount(grains.ravel()), fractions, rng)[grains]
    return shares_of_labels(labels, n_phases, probe_width)


def checked_fractions(
    volume_fractions: Sequence[float] | None, n_phases: int
) -> np.ndarray:
    """Volume fractions that sum to one.

    Parameters
    ----------
    volume_fractions : sequence of float or None
        None for equal ones.
    n_phases : int

    Returns
    -------
    ndarray, shape (n_phases,)

    Raises
    ------
    ValueError
        If there is not one, of zero or more, for each phase.
    """
    if n_phases < 1:
        raise ValueError(f"`n_phases` is {n_phases}; it must be 1 or more.")
    if volume_fractions is None:
        return np.full(n_phases, 1 / n_phases)
    fractions = np.array(volume_fractions, dtype=float)
    allowed = fractions.shape == (n_phases,) and np.all(fractions >= 0)
    if not (allowed and 0 < fractions.sum() < np.inf):
        raise ValueError(
            f"`volume_fractions` is {volume_fractions}; one number of zero or more for "
            f"each of the {n_phases} phases is expected."
        )
    return fractions / fractions.sum()


def _draw_points(
    shape: tuple[int, int], diameter: float, rng: np.random.Generator
) -> np.ndarray:
    """Points in the image and around it, so that its border cuts through grains."""
    size = np.array(shape) + 2 * diameter
    n_points = max(1, round(size.prod() / (np.pi * diameter**2 / 4)))
    return rng.uniform(-0.5 - diameter, size - 0.5 - diameter, size=(n_points, 2))


def _nearest_point(shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    from scipy.spatial import cKDTree

    y, x = np.broadcast_arrays(*sub_pixels(shape))
    return cKDTree(points).query(np.stack([y, x], axis=-1))[1]


def _phase_of_grains(
    areas: np.ndarray, fractions: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give each grain, in random order, the phase that lacks the most area."""
    lacking = fractions * areas.sum()
    phases = np.zeros(areas.size, int)
    for grain in rng.permutation(areas.size):
        phases[grain] = np.argmax(lacking)
        lacking[phases[grain]] -= areas[grain]
    return phases
