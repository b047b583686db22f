# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what a sampler is given."""

from __future__ import annotations

import numpy as np

MAX_LENGTH = 16384  # of an axis: offsets between pixels are int16
MAX_LABEL = 32766


def checked_shape(shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, int]]:
    """The shape of a map or a line, and rows and columns."""
    shape = tuple(int(n) for n in np.atleast_1d(shape))
    if len(shape) not in (1, 2) or not 1 <= min(shape) <= max(shape) <= MAX_LENGTH:
        raise ValueError(
            f"`shape` is {shape}; rows and columns, or the length of a line, of 1 to "
            f"{MAX_LENGTH} pixels are expected."
        )
    return shape, (1, *shape)[-2:]


def checked_start(initial: float, n_pixels: int) -> int:
    """Number of pixels to begin with."""
    if not 0 <= initial <= 1:
        raise ValueError(
            f"`initial` is {initial}; a share of the pixels, 0 to 1, is expected."
        )
    return min(max(round(initial * n_pixels), 2), n_pixels)


def checked_n_phases(n_phases: int | None) -> int | None:
    """Number of phases, or None if it is not known."""
    if n_phases is not None and not 1 <= n_phases <= MAX_LABEL:
        raise ValueError(f"`n_phases` is {n_phases}; 1 to {MAX_LABEL} are expected.")
    return n_phases


def checked_places(
    positions: np.ndarray, shape: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Positions as rows and columns."""
    array = np.asarray(positions)
    if array.size == 0:
        return []
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"`positions` are of the type {array.dtype}; whole numbers are expected."
        )
    if array.ndim > 2 or array.shape[-1:] != (len(shape),):
        raise ValueError(
            f"`positions` have the shape {array.shape}; (n, {len(shape)}) is expected, "
            "one number for each axis of the map."
        )
    array = array.reshape(-1, len(shape))
    outside = ((array < 0) | (array >= np.array(shape))).any(axis=1)
    if outside.any():
        raise ValueError(
            f"`positions` contain {tuple(array[outside][0].tolist())}, outside the "
            f"map of {shape} pixels."
        )
    return [(0, *place)[-2:] for place in array.tolist()]


def checked_labels(
    labels: np.ndarray | int, n_places: int, n_phases: int | None
) -> list[int]:
    """One label for each place."""
    array = np.asarray(labels)
    if array.size and array.dtype.kind not in "iub":
        raise TypeError(
            f"`labels` are of the type {array.dtype}; whole numbers are expected."
        )
    array = array.reshape(-1)
    if array.size != n_places:
        raise ValueError(f"{array.size} `labels` are given for {n_places} positions.")
    largest = MAX_LABEL if n_phases is None else n_phases
    wrong = (array < 0) | (array > largest)
    if wrong.any():
        raise ValueError(
            f"`labels` contain {array[wrong][0]}; 1 to {largest} for the phases and 0 "
            "for an ill spectrum are expected."
        )
    return array.tolist()
