# SPDX-License-Identifier: GPL-3.0-or-later
"""Small precipitates in a matrix: needles, plates on edge, discs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .interfaces import SUB_PIXELS, directed, mean_of_sub_pixels, seen_by_probe
from .scenes import check_largest_share, check_shape, with_matrix

__all__ = ["Precipitate", "draw_precipitates", "precipitate_abundances"]

LENGTHS = (6.0, 14.0)  # pixels
VOLUME_FRACTION = 0.05


@dataclass(frozen=True)
class Precipitate:
    """An ellipsoid of one phase.

    Parameters
    ----------
    phase : int
        From 1; phase 0 is the matrix.
    y, x : float
        Centre, in pixels.
    length, width : float
        Of its ellipse in the image, in pixels.
    orientation : float
        Angle between its length and the rows, degrees.
    """

    phase: int
    y: float
    x: float
    length: float
    width: float
    orientation: float


def draw_precipitates(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    largest_share: float = 0.5,
    volume_fraction: float = VOLUME_FRACTION,
    lengths: tuple[float, float] = LENGTHS,
    aspect_ratio: float = 5.0,
    n_variants: int = 2,
    orientation: float = 0.0,
) -> list[Precipitate]:
    """Draw precipitates of every phase but the matrix, anywhere in the image.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
        Number of phases with the matrix.
    random_state : int or numpy.random.Generator, optional
        Makes the precipitates repeat exactly.
    largest_share, volume_fraction, lengths, aspect_ratio, n_variants, orientation
        See `precipitate_abundances`.

    Returns
    -------
    list of Precipitate

    Raises
    ------
    ValueError
        If a parameter makes no sense.
    """
    check_shape(shape)
    check_largest_share(largest_share)
    _check(n_phases, volume_fraction, lengths, aspect_ratio, n_variants)
    rng = np.random.default_rng(random_state)
    margin = lengths[1] / 2
    size = np.array(shape) + 2 * margin
    low, high = lengths
    mean_square = (low**2 + low * high + high**2) / 3
    mean_volume = largest_share * np.pi / 6 * mean_square / aspect_ratio
    n = round(volume_fraction * size.prod() / mean_volume)
    found = []
    for phase in range(1, n_phases):
        centres = rng.uniform(-0.5 - margin, size - 0.5 - margin, size=(n, 2))
        drawn = rng.uniform(low, high, size=n)
        angles = orientation + 180 / n_variants * rng.integers(n_variants, size=n)
        found += [
            Precipitate(phase, y, x, length, length / aspect_ratio, angle)
            for (y, x), length, angle in zip(centres, drawn, angles, strict=True)
        ]
    return found


def precipitate_abundances(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    largest_share: float = 0.5,
    volume_fraction: float = VOLUME_FRACTION,
    lengths: tuple[float, float] = LENGTHS,
    aspect_ratio: float = 5.0,
    n_variants: int = 2,
    orientation: float = 0.0,
    probe_width: float = 1.0,
) -> np.ndarray:
    r"""Maps of ellipsoids in a film of matrix.

    In the middle of each the film is filled to the largest share `s`, elsewhere to

    .. math:: s \sqrt{1 - (2 u / \ell)^2 - (2 v / w)^2}

    with the distances `u` along and `v` across from the centre. Where precipitates
    overlap to more than `s`, all of them get less in proportion.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
        Number of phases with the matrix, which comes first.
    random_state : int or numpy.random.Generator, optional
        Makes the maps repeat exactly.
    largest_share : float, default 0.5
        Largest share of a pixel that precipitates fill, up to 1.
    volume_fraction : float, default 0.05
        What all precipitates of a phase fill of the film, on average and before they
        overlap.
    lengths : tuple of float, default (6, 14)
        Smallest and largest length in pixels; they are drawn uniformly.
    aspect_ratio : float, default 5
        Length over width: 1 for discs, 5 for plates seen on edge, 15 for needles.
    n_variants : int, default 2
        Number of their directions, at equal angles.
    orientation : float, default 0
        Angle between the first direction and the rows (the axis x), degrees, towards
        growing y.
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
    precipitates = draw_precipitates(
        shape,
        n_phases,
        random_state,
        largest_share=largest_share,
        volume_fraction=volume_fraction,
        lengths=lengths,
        aspect_ratio=aspect_ratio,
        n_variants=n_variants,
        orientation=orientation,
    )
    shares = np.zeros((*shape, n_phases))
    for precipitate in precipitates:
        _add(precipitate, largest_share, shares[..., precipitate.phase])
    return seen_by_probe(with_matrix(shares, largest_share), probe_width)


def _add(precipitate: Precipitate, largest_share: float, shares: np.ndarray) -> None:
    """Add what a precipitate fills of the pixels around it."""
    reach = precipitate.length / 2
    rows, columns = (
        np.arange(max(0, round(c - reach)), min(n - 1, round(c + reach)) + 1)
        for c, n in zip((precipitate.y, precipitate.x), shares.shape, strict=True)
    )
    if rows.size and columns.size:
        filled = largest_share * mean_of_sub_pixels(
            _profile(precipitate, _points(rows)[:, None], _points(columns)[None, :])
        )
        shares[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += filled


def _points(pixels: np.ndarray) -> np.ndarray:
    offsets = (np.arange(SUB_PIXELS) + 0.5) / SUB_PIXELS - 0.5
    return (pixels[:, None] + offsets).ravel()


def _profile(precipitate: Precipitate, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Chord in chords through the middle."""
    along, across = directed(
        y - precipitate.y, x - precipitate.x, precipitate.orientation
    )
    u, v = 2 * along / precipitate.length, 2 * across / precipitate.width
    return np.sqrt(np.maximum(1 - u**2 - v**2, 0))


def _check(
    n_phases: int,
    volume_fraction: float,
    lengths: tuple[float, float],
    aspect_ratio: float,
    n_variants: int,
) -> None:
    if n_phases < 2:
        raise ValueError(
            f"`phases` has {n_phases} of them; precipitates need two or more, the "
            "matrix first."
        )
    if not 0 < volume_fraction <= 1:
        raise ValueError(
            f"`volume_fraction` is {volume_fraction}; it must be above 0 and at most 1."
        )
    if not 0 < lengths[0] <= lengths[1] < np.inf:
        raise ValueError(
            f"`lengths` is {lengths}; the smallest and the largest length in pixels "
            "are expected, above zero."
        )
    if not 1 <= aspect_ratio < np.inf:
        raise ValueError(f"`aspect_ratio` is {aspect_ratio}; it must be 1 or more.")
    if not (n_variants == int(n_variants) and n_variants >= 1):
        raise ValueError(f"`n_variants` is {n_variants}; it must be 1 or more.")
