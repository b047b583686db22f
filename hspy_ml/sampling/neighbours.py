# SPDX-License-Identifier: GPL-3.0-or-later
"""The nearest measurements of every pixel."""

from __future__ import annotations

import numpy as np

__all__ = ["NOWHERE", "N_NEIGHBOURS", "nearest_measurements"]

N_NEIGHBOURS = 10
NOWHERE = 32767
"""In place of an offset where there is no measurement; its square fits int32."""

POINTS_PER_CELL = 3.0


def nearest_measurements(
    is_known: np.ndarray, n_neighbours: int = N_NEIGHBOURS
) -> np.ndarray:
    """Offsets from every pixel to its nearest measurements.

    Parameters
    ----------
    is_known : ndarray of bool, shape (n_rows, n_columns)
        Where a label was measured.
    n_neighbours : int, default 10
        L, how many are kept.

    Returns
    -------
    ndarray of int16, shape (n_rows, n_columns, n_neighbours, 2)
        Rows and columns to go, sorted by distance (equal distances by rows, then
        columns); both are 32767 where there are no more measurements.
    """
    from .neighbour_kernels import fill_neighbours

    near = np.full((*is_known.shape, n_neighbours, 2), NOWHERE, np.int16)
    rows, columns = (places.astype(np.int32) for places in np.nonzero(is_known))
    if rows.size:
        cell = max(1, int(np.sqrt(POINTS_PER_CELL * is_known.size / rows.size)))
        order, starts = _sorted_into_cells(is_known.shape, cell, rows, columns)
        fill_neighbours(near, cell, starts, rows[order], columns[order])
    return near


def _sorted_into_cells(
    shape: tuple[int, int], cell: int, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Order of the points by cell, and where the cells of each row begin in it."""
    n_rows, n_columns = (-(-n // cell) for n in shape)
    cells = (rows // cell) * n_columns + columns // cell
    counts = np.bincount(cells, minlength=n_rows * n_columns)
    ends = np.cumsum(counts).reshape(n_rows, n_columns)
    starts = np.column_stack([ends[:, 0] - counts[::n_columns], ends])
    return np.argsort(cells, kind="stable"), starts
