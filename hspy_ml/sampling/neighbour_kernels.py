# SPDX-License-Identifier: GPL-3.0-or-later
"""The nearest measurements of every pixel, kept up to date, compiled.

``near[y, x, i]`` is the offset (rows, columns) from the pixel to its i-th nearest
measurement, sorted by (squared distance, rows, columns), so that equal distances have
one order. ``NOWHERE`` in both stands for "there are no more". No validation here.
"""

from __future__ import annotations

import numba
import numpy as np

from .neighbours import NOWHERE

_OPTIONS = {"cache": True, "nogil": True}


@numba.njit(**_OPTIONS)
def insert_offset(nearest, dy, dx):
    """Put an offset where it belongs; return whether it is among the nearest."""
    last = nearest.shape[0] - 1
    if not _before(dy, dx, nearest[last, 0], nearest[last, 1]):
        return False
    i = last
    while i > 0 and _before(dy, dx, nearest[i - 1, 0], nearest[i - 1, 1]):
        nearest[i, 0] = nearest[i - 1, 0]
        nearest[i, 1] = nearest[i - 1, 1]
        i -= 1
    nearest[i, 0] = dy
    nearest[i, 1] = dx
    return True


@numba.njit(**_OPTIONS)
def _before(dy, dx, other_dy, other_dx):
    """Whether the first offset is sorted before the other one."""
    d = np.int64(dy) * dy + np.int64(dx) * dx
    other = np.int64(other_dy) * other_dy + np.int64(other_dx) * other_dx
    if d != other:
        return d < other
    return dy < other_dy or (dy == other_dy and dx < other_dx)


@numba.njit(**_OPTIONS)
def insert_measurement(near, has_changed, row, column):
    """Tell the pixels around of a new measurement; return how far it is heard.

    ``has_changed`` becomes True where it is.

    Pixels that count a point among their nearest surround it without gaps, so square
    rings are followed outwards until two of them change nothing. The returned radius
    is that of the last ring that changed, -1 if none did.
    """
    n_rows, n_columns = near.shape[:2]
    heard, radius = -1, 0
    outermost = max(row, n_rows - 1 - row, column, n_columns - 1 - column)
    while radius <= outermost and radius <= heard + 2:
        if _insert_in_ring(near, has_changed, row, column, radius):
            heard = radius
        radius += 1
    return heard


@numba.njit(**_OPTIONS)
def _insert_in_ring(near, has_changed, row, column, radius):
    n_rows, n_columns = near.shape[:2]
    changed = False
    for y in range(max(row - radius, 0), min(row + radius + 1, n_rows)):
        step = 1 if abs(y - row) == radius else max(2 * radius, 1)
        for x in range(column - radius, column + radius + 1, step):
            if 0 <= x < n_columns and insert_offset(near[y, x], row - y, column - x):
                has_changed[y, x] = changed = True
    return changed


@numba.njit(**_OPTIONS)
def find_listeners(near, has_changed, row, column):
    """Mark the pixels that have a measurement among their nearest.

    As :func:`insert_measurement`, of one that is there already.
    """
    n_rows, n_columns = near.shape[:2]
    heard, radius = 0, 0
    outermost = max(row, n_rows - 1 - row, column, n_columns - 1 - column)
    while radius <= outermost and radius <= heard + 2:
        for y in range(max(row - radius, 0), min(row + radius + 1, n_rows)):
            step = 1 if abs(y - row) == radius else max(2 * radius, 1)
            for x in range(column - radius, column + radius + 1, step):
                if 0 <= x < n_columns and _has(near[y, x], row - y, column - x):
                    has_changed[y, x] = True
                    heard = radius
        radius += 1
    return heard


@numba.njit(**_OPTIONS)
def forget_measurement(near, is_known, has_changed, row, column):
    """Take a measurement out, as :func:`insert_measurement` puts it in.

    ``is_known`` no longer has it. The pixels that knew it look around anew.
    """
    n_rows, n_columns = near.shape[:2]
    heard = find_listeners(near, has_changed, row, column)
    for y in range(max(row - heard, 0), min(row + heard + 1, n_rows)):
        for x in range(max(column - heard, 0), min(column + heard + 1, n_columns)):
            if has_changed[y, x]:
                look_around(near[y, x], is_known, y, x)
    return heard


@numba.njit(**_OPTIONS)
def _has(nearest, dy, dx):
    for i in range(nearest.shape[0]):
        if nearest[i, 0] == dy and nearest[i, 1] == dx:
            return True
    return False


@numba.njit(**_OPTIONS)
def look_around(nearest, is_known, row, column):
    """Find the nearest measurements of one pixel, ring by ring."""
    n_rows, n_columns = is_known.shape
    nearest[:] = NOWHERE
    last = nearest.shape[0] - 1
    outermost = max(row, n_rows - 1 - row, column, n_columns - 1 - column)
    for radius in range(outermost + 1):
        dy, dx = np.int64(nearest[last, 0]), np.int64(nearest[last, 1])
        if radius * radius > dy * dy + dx * dx:
            return
        for y in range(max(row - radius, 0), min(row + radius + 1, n_rows)):
            step = 1 if abs(y - row) == radius else max(2 * radius, 1)
            for x in range(column - radius, column + radius + 1, step):
                if 0 <= x < n_columns and is_known[y, x]:
                    insert_offset(nearest, y - row, x - column)


@numba.njit(**_OPTIONS)
def fill_neighbours(near, cell, starts, rows, columns):
    """Find the nearest measurements of all pixels.

    Measurements are sorted into square cells with sides of ``cell`` pixels:
    ``starts[i, j]`` to ``starts[i, j + 1]`` are the places of those of cell (i, j) in
    ``rows`` and ``columns``. Cells are searched in rings around that of the pixel.
    """
    near[:] = NOWHERE
    n_cell_rows, n_cell_columns = starts.shape[0], starts.shape[1] - 1
    outermost = max(n_cell_rows, n_cell_columns)
    last = near.shape[2] - 1
    for y in range(near.shape[0]):
        for x in range(near.shape[1]):
            nearest = near[y, x]
            for ring in range(outermost):
                dy, dx = np.int64(nearest[last, 0]), np.int64(nearest[last, 1])
                reach = (ring - 1) * cell + _to_border(y, x, cell)
                if ring > 0 and reach * reach > dy * dy + dx * dx:
                    break
                _search_cells(nearest, y, x, ring, cell, starts, rows, columns)


@numba.njit(**_OPTIONS)
def _to_border(y, x, cell):
    """The least distance from a pixel to one of another cell."""
    y, x = y % cell, x % cell
    return min(y + 1, cell - y, x + 1, cell - x)


@numba.njit(**_OPTIONS)
def _search_cells(nearest, y, x, ring, cell, starts, rows, columns):
    """Look at the measurements in the cells of one ring."""
    row, column = y // cell, x // cell
    for i in range(max(row - ring, 0), min(row + ring + 1, starts.shape[0])):
        step = 1 if abs(i - row) == ring else max(2 * ring, 1)
        for j in range(column - ring, column + ring + 1, step):
            if 0 <= j < starts.shape[1] - 1:
                for k in range(starts[i, j], starts[i, j + 1]):
                    insert_offset(nearest, rows[k] - y, columns[k] - x)
