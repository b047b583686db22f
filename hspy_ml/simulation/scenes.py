# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the phases are: grains in a matrix, seen through a film."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np

__all__ = [
    "Grain",
    "check_abundances",
    "check_largest_share",
    "check_shape",
    "draw_grains",
    "grain_abundances",
    "half_chord",
    "with_matrix",
]

RADII = (4.0, 10.0)  # pixels
COVERAGE = 0.3
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Grain:
    """A sphere of one phase.

    Parameters
    ----------
    phase : int
        From 1; phase 0 is the matrix.
    y, x : float
        Centre, in pixels.
    radius : float
        In pixels.
    """

    phase: int
    y: float
    x: float
    radius: float


def draw_grains(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    radii: tuple[float, float] = RADII,
    coverage: float = COVERAGE,
) -> list[Grain]:
    """Draw grains of every phase but the matrix, anywhere in the image.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
        Number of phases with the matrix.
    random_state : int or numpy.random.Generator, optional
        Makes the grains repeat exactly.
    radii : tuple of float, default (4, 10)
        Smallest and largest radius in pixels; they are drawn uniformly.
    coverage : float, default 0.3
        Sum of the areas of a phase's grains, in areas of the image. Each phase has
        one grain or more.

    Returns
    -------
    list of Grain

    Raises
    ------
    ValueError
        If the shape, the number of phases, the radii or the coverage make no sense.
    """
    _check_scene(shape, n_phases, radii, coverage)
    rng = np.random.default_rng(random_state)
    n_grains = _number_of_grains(shape, radii, coverage)
    grains = []
    for phase in range(1, n_phases):
        y, x = rng.uniform(-0.5, np.array(shape) - 0.5, size=(n_grains, 2)).T
        radius = rng.uniform(*radii, size=n_grains)
        grains += [Grain(phase, *numbers) for numbers in zip(y, x, radius, strict=True)]
    return grains


def grain_abundances(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    largest_share: float = 0.5,
    radii: tuple[float, float] = RADII,
    coverage: float = COVERAGE,
) -> np.ndarray:
    r"""Maps of spherical grains in a film of matrix.

    A grain of radius `R` at the distance `r` fills the share

    .. math:: s \sqrt{R^2 - r^2} / R_\mathrm{max}

    of a pixel: its chord through a film in which the largest grain that can be drawn
    fills the `largest_share` `s`. Where grains overlap to more than that, all of them
    get less in proportion, so that no pixel is without matrix.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
        Number of phases with the matrix, which comes first.
    random_state : int or numpy.random.Generator, optional
        Makes the maps repeat exactly.
    largest_share : float, default 0.5
        Largest share of a pixel that all grains together fill, up to 1.
    radii : tuple of float, default (4, 10)
        Smallest and largest radius in pixels.
    coverage : float, default 0.3
        Sum of the areas of a phase's grains, in areas of the image.

    Returns
    -------
    ndarray, shape (*shape, n_phases)
        Abundances that sum to one in every pixel.

    Raises
    ------
    ValueError
        If a parameter makes no sense.
    """
    check_largest_share(largest_share)
    grains = draw_grains(shape, n_phases, random_state, radii=radii, coverage=coverage)
    chords = np.zeros((*shape, n_phases))
    for grain in grains:
        chords[..., grain.phase] += half_chord(grain, shape)
    return with_matrix(chords * (largest_share / radii[1]), largest_share)


def check_abundances(abundances: np.ndarray, n_phases: int) -> np.ndarray:
    """Refuse maps that are no abundances of these phases.

    Parameters
    ----------
    abundances : array_like, shape (n_rows, n_columns, n_phases)
    n_phases : int

    Returns
    -------
    ndarray of float64
        A copy, of which each pixel sums to one exactly.

    Raises
    ------
    ValueError
        If the shape is another, or a pixel's values are negative, not finite or do
        not sum to one.
    """
    maps = np.array(abundances, dtype=np.float64)
    if maps.ndim != 3 or maps.shape[2] != n_phases or not maps.size:
        raise ValueError(
            f"`abundances` has the shape {maps.shape}; (rows, columns, {n_phases}) is "
            "expected, the last for the phases."
        )
    sums = maps.sum(axis=2, keepdims=True)
    if not np.all(maps >= 0) or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise ValueError(
            "`abundances` must not be negative and sum to one in every pixel; divide "
            "them by `abundances.sum(axis=-1, keepdims=True)`."
        )
    return maps / sums


def check_shape(shape: tuple[int, int]) -> None:
    """Refuse what is no shape of an image.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.

    Raises
    ------
    ValueError
        If it is not two integers above zero.
    """
    if np.shape(shape) != (2,) or not all(
        isinstance(n, Integral) and n > 0 for n in shape
    ):
        raise ValueError(
            f"`shape` is {shape}; rows and columns of an image are expected, such as "
            "(128, 128)."
        )


def check_largest_share(largest_share: float) -> None:
    """Refuse what is no share of a pixel.

    Parameters
    ----------
    largest_share : float

    Raises
    ------
    ValueError
        If it is not above 0 and at most 1.
    """
    if not 0 < largest_share <= 1:
        raise ValueError(
            f"`largest_share` is {largest_share}; it must be above 0 and at most 1."
        )


def half_chord(grain: Grain, shape: tuple[int, int]) -> np.ndarray:
    """Half of the way through a grain below each pixel.

    Parameters
    ----------
    grain : Grain
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    ndarray, shape `shape`
        In pixels; 0 beside the grain.
    """
    y, x = np.ogrid[: shape[0], : shape[1]]
    squared = grain.radius**2 - (y - grain.y) ** 2 - (x - grain.x) ** 2
    return np.sqrt(np.maximum(squared, 0))


def with_matrix(shares: np.ndarray, largest_share: float) -> np.ndarray:
    """Clip what the inclusions fill together, and give the matrix the rest.

    Parameters
    ----------
    shares : ndarray, shape (n_rows, n_columns, n_phases)
        Of the inclusions; 0 of the matrix, which comes first.
    largest_share : float
        Largest sum; where there is more, all get less in proportion.

    Returns
    -------
    ndarray, shape (n_rows, n_columns, n_phases)
        Abundances that sum to one.
    """
    total = shares.sum(axis=2, keepdims=True)
    abundances = shares * (largest_share / np.maximum(total, largest_share))
    abundances[..., 0] = np.maximum(1 - abundances.sum(axis=2), 0)
    return abundances


def _number_of_grains(
    shape: tuple[int, int], radii: tuple[float, float], coverage: float
) -> int:
    low, high = radii
    mean_area = np.pi * (low**2 + low * high + high**2) / 3
    return max(1, round(coverage * shape[0] * shape[1] / mean_area))


def _check_scene(
    shape: tuple[int, int],
    n_phases: int,
    radii: tuple[float, float],
    coverage: float,
) -> None:
    check_shape(shape)
    if n_phases < 1:
        raise ValueError(f"`n_phases` is {n_phases}; it must be 1 or more.")
    if not 0 < radii[0] <= radii[1] < np.inf:
        raise ValueError(
            f"`radii` is {radii}; the smallest and the largest radius in pixels are "
            "expected, above zero."
        )
    if not 0 <= coverage < np.inf:
        raise ValueError(f"`coverage` is {coverage}; it must not be negative.")
