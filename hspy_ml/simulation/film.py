# SPDX-License-Identifier: GPL-3.0-or-later
"""How thick the film is: wedges, holes."""

from __future__ import annotations

import numpy as np

__all__ = ["relative_thickness", "with_holes", "wedge"]


def wedge(shape: tuple[int, int], thinnest: float = 0.5) -> np.ndarray:
    """Thickness that rises along the rows, as in a milled lamella.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    thinnest : float, default 0.5
        Thickness of the first column, in units of the last one's.

    Returns
    -------
    ndarray, shape `shape`
        1 in the last column.

    Raises
    ------
    ValueError
        If `thinnest` is not between 0 and 1.
    """
    if not 0 <= thinnest <= 1:
        raise ValueError(f"`thinnest` is {thinnest}; it must be between 0 and 1.")
    return np.broadcast_to(np.linspace(thinnest, 1, shape[1]), shape).copy()


def with_holes(
    thickness: np.ndarray,
    n_holes: int = 3,
    radius: float = 5.0,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Cut round holes into a film.

    Parameters
    ----------
    thickness : ndarray, shape (n_rows, n_columns)
    n_holes : int, default 3
    radius : float, default 5
        Radius of the holes, in pixels.
    random_state : int or numpy.random.Generator, optional
        Makes the places of the holes repeat exactly.

    Returns
    -------
    ndarray
        A copy, zero in the holes.
    """
    rng = np.random.default_rng(random_state)
    pierced = np.array(thickness, dtype=np.float64)
    y, x = np.ogrid[: pierced.shape[0], : pierced.shape[1]]
    for centre_y, centre_x in rng.uniform(0, pierced.shape, size=(n_holes, 2)):
        pierced[(y - centre_y) ** 2 + (x - centre_x) ** 2 < radius**2] = 0
    return pierced


def relative_thickness(
    thickness: np.ndarray | None, shape: tuple[int, int]
) -> np.ndarray:
    """Mass thickness of each pixel in units of the mean.

    Parameters
    ----------
    thickness : array_like, shape `shape`, or None
        In any unit; None means the same everywhere.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    ndarray, shape `shape`
        With the mean one.

    Raises
    ------
    ValueError
        If it has another shape, is negative or not finite, or zero everywhere.
    """
    if thickness is None:
        return np.ones(shape)
    values = np.array(thickness, dtype=np.float64)
    if values.shape != tuple(shape):
        raise ValueError(
            f"`thickness` has the shape {values.shape}; that of the image, "
            f"{tuple(shape)}, is expected."
        )
    if not np.all(np.isfinite(values)) or values.min() < 0 or values.max() == 0:
        raise ValueError(
            "`thickness` must be finite, not negative, and above zero somewhere."
        )
    return values / values.mean()
