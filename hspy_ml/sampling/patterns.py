# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns that do not look at what was measured: random, low-discrepancy, grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["PATTERNS", "grid_pattern", "low_discrepancy_pattern", "random_pattern"]

PLASTIC = 1.32471795724474602596  # the real root of x^3 = x + 1


def random_pattern(
    shape: tuple[int, int],
    n_points: int,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Different pixels, each as likely as any other.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    n_points : int
        At most the number of pixels.
    random_state : int or numpy.random.Generator, optional
        Makes the pattern repeat exactly.

    Returns
    -------
    ndarray of int64, shape (n_points, 2)
        Rows and columns.

    Raises
    ------
    ValueError
        If there are not so many pixels.
    """
    _check(shape, n_points)
    rng = np.random.default_rng(random_state)
    places = rng.choice(shape[0] * shape[1], n_points, replace=False)
    return np.column_stack(np.divmod(places, shape[1]))


def low_discrepancy_pattern(
    shape: tuple[int, int],
    n_points: int,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Different pixels, evenly spread however many of them are taken.

    The additive recurrence x_k = x_0 + k (1/g, 1/g^2) modulo 1, where g is the real
    root of g^3 = g + 1: the generalised golden section of a plane.

    Parameters
    ----------
    shape, n_points
        See :func:`random_pattern`.
    random_state : int or numpy.random.Generator, optional
        Shifts the whole pattern.

    Returns
    -------
    ndarray of int64, shape (n_points, 2)
        Rows and columns; the first ones are evenly spread, too.

    Raises
    ------
    ValueError
        If there are not so many pixels.
    """
    _check(shape, n_points)
    shift = np.random.default_rng(random_state).random(2)
    n_drawn = 2 * n_points + 16
    while True:
        steps = np.arange(1, n_drawn + 1)[:, None] / PLASTIC ** np.array([1, 2])
        rows, columns = ((shift + steps) % 1 * shape).astype(int).T
        places, first = np.unique(rows * shape[1] + columns, return_index=True)
        if places.size >= n_points:
            kept = np.sort(first)[:n_points]
            return np.column_stack([rows[kept], columns[kept]])
        n_drawn *= 2


def grid_pattern(
    shape: tuple[int, int],
    n_points: int,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """A square grid, as near as the shape allows.

    Parameters
    ----------
    shape, n_points
        See :func:`random_pattern`.
    random_state : int or numpy.random.Generator, optional
        Where the grid begins within its first mesh.

    Returns
    -------
    ndarray of int64, shape (about n_points, 2)
        Rows and columns; the numbers of lines are whole.

    Raises
    ------
    ValueError
        If there are not so many pixels.
    """
    _check(shape, n_points)
    n_rows = np.sqrt(n_points * shape[0] / shape[1])
    candidates = np.clip([np.floor(n_rows), np.ceil(n_rows)], 1, shape[0]).astype(int)
    n_columns = np.clip(np.rint(n_points / candidates), 1, shape[1]).astype(int)
    best = np.argmin(np.abs(candidates * n_columns - n_points))
    numbers = candidates[best], n_columns[best]
    shift = np.random.default_rng(random_state).random(2)
    rows, columns = (
        ((np.arange(n) + s) * size / n).astype(int)
        for n, s, size in zip(numbers, shift, shape, strict=True)
    )
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)


def _check(shape: tuple[int, int], n_points: int) -> None:
    n_pixels = shape[0] * shape[1]
    if not 0 <= n_points <= n_pixels:
        raise ValueError(f"`n_points` is {n_points}; there are {n_pixels} pixels.")


PATTERNS: dict[str, Callable[..., np.ndarray]] = {
    "random": random_pattern,
    "low-discrepancy": low_discrepancy_pattern,
    "grid": grid_pattern,
}
"""How the positions of each pattern are found."""
