# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels of mixed composition, between a few compositions whose spectra are made."""

from __future__ import annotations

import numpy as np

__all__ = ["between_compositions"]


def between_compositions(
    abundances: np.ndarray, n_steps: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Write abundances as mixtures of the nearest points of a lattice.

    The lattice divides the edges of the simplex of all mixtures into equal steps. Each
    mixture is interpolated linearly in the corner points of the small simplex (of
    Kuhn's triangulation) that it lies in.

    Parameters
    ----------
    abundances : ndarray, shape (..., n_phases)
        They sum to one over the last axis.
    n_steps : int, default 8
        From one phase to another.

    Returns
    -------
    points : ndarray, shape (n_points, n_phases)
        Abundances of the lattice points that are needed.
    shares : ndarray, shape (..., n_points)
        They sum to one; `shares @ points` are the abundances.

    References
    ----------
    H. W. Kuhn, IBM J. Res. Dev. 4 (1960) 518.
    """
    n_phases = abundances.shape[-1]
    if n_phases == 1:
        return np.ones((1, 1)), np.ones(abundances.shape)
    flat = abundances.reshape(-1, n_phases)
    corners, weights = _corners_around(n_steps * _sums_from_the_end(flat))
    found, inverse = np.unique(
        corners.reshape(-1, n_phases - 1), axis=0, return_inverse=True
    )
    shares = np.zeros((flat.shape[0], found.shape[0]))
    rows = np.repeat(np.arange(flat.shape[0]), n_phases)
    np.add.at(shares, (rows, inverse.ravel()), weights.ravel())
    ends = np.full((found.shape[0], 1), n_steps)
    steps = np.concatenate([ends, found, 0 * ends], axis=1)
    needed = shares.any(axis=0)
    points = -np.diff(steps, axis=1)[needed] / n_steps
    return points, shares[:, needed].reshape(*abundances.shape[:-1], -1)


def _sums_from_the_end(abundances: np.ndarray) -> np.ndarray:
    """Sums of the abundances from the second, third, ... phase on: they fall."""
    return np.cumsum(abundances[:, :0:-1], axis=1)[:, ::-1].clip(0, 1)


def _corners_around(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers around places, and the weights of a linear interpolation.

    From the floor of a place, one goes up by one in each of its coordinates, those
    with the largest fractional part first.

    Parameters
    ----------
    places : ndarray, shape (n, d)

    Returns
    -------
    corners : ndarray of int, shape (n, d + 1, d)
    weights : ndarray, shape (n, d + 1)
    """
    n, d = places.shape
    floor = np.floor(places + 1e-9).astype(int)
    part = (places - floor).clip(0, 1)
    order = np.argsort(-part, axis=1, kind="stable")
    falling = np.take_along_axis(part, order, axis=1)
    edges = np.concatenate([np.ones((n, 1)), falling, np.zeros((n, 1))], axis=1)
    steps = np.zeros((n, d + 1, d), int)
    np.put_along_axis(steps[:, 1:], order[:, :, None], 1, axis=2)
    return floor[:, None] + np.cumsum(steps, axis=1), -np.diff(edges, axis=1)
