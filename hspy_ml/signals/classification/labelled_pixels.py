# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels of which the user knows the phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data import map_shape

__all__ = ["labels_of_pixels"]

UNLABELLED = 0


def labels_of_pixels(
    s: Any, labels: Any, names: Sequence[str] | None = None
) -> tuple[tuple[str, ...], np.ndarray]:
    """Read what the user gave as `labels`.

    Parameters
    ----------
    s : hyperspy.api.signals.BaseSignal
    labels : array of int, signal, or mapping
        A map in the shape of the array (rows, columns), 0 where nothing is known and
        from 1 for each phase; a signal of that; or by name either a mask of the map or
        a list of pixels, (x, y) as in ``s.inav[x, y]``.
    names : sequence of str, optional
        Of the phases of a map of integers, in the order of the integers.

    Returns
    -------
    names : tuple of str
    labels : ndarray of int, shape (n_pixels,)
        0 for pixels without a label, and from 1.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If a map has another shape or names, a pixel lies outside the map or has two
        labels, or there are fewer than two phases.
    """
    if isinstance(labels, Mapping):
        if names is not None:
            raise ValueError(
                "`names` are for `labels` that are a map of integers; here the keys of "
                "`labels` are the names."
            )
        found_names, flat = _of_mapping(s, labels)
    else:
        found_names, flat = _of_map(s, labels, names)
    present = np.unique(flat[flat != UNLABELLED])
    if len(found_names) < 2 or present.size < len(found_names):
        missing = [n for i, n in enumerate(found_names, 1) if i not in present]
        raise ValueError(
            f"`labels` name {len(found_names)} phase(s)"
            + (f", of which {', '.join(missing)} have no pixel" if missing else "")
            + "; label pixels of two phases or more, some of each."
        )
    return found_names, flat


def _of_map(
    s: Any, labels: Any, names: Sequence[str] | None
) -> tuple[tuple[str, ...], np.ndarray]:
    data = np.asarray(labels.data if hasattr(labels, "axes_manager") else labels)
    shape = map_shape(s)
    if data.dtype.kind not in "ui":
        raise TypeError(
            f"`labels` are of the type {data.dtype}; give whole numbers, 0 where "
            "nothing is known, or a mapping of names to pixels."
        )
    if data.shape != shape:
        raise ValueError(
            f"`labels` have the shape {data.shape}; that of the map in the array is "
            f"{shape}."
        )
    if data.min() < 0:
        raise ValueError(
            f"`labels` go down to {data.min()}; give 0 where nothing is known, and "
            "1, 2, ... for the phases."
        )
    values = np.unique(data[data > 0])
    if names is None:
        names = [f"phase {value}" for value in values]
        flat = np.where(data > 0, np.searchsorted(values, data) + 1, UNLABELLED)
        return tuple(names), flat.ravel()
    if isinstance(names, str) or len(set(names)) != len(names):
        raise ValueError(f"`names` is {names!r}; give a list of different names.")
    if values.size and values[-1] > len(names):
        raise ValueError(
            f"`labels` go up to {values[-1]}, but `names` has {len(names)} names."
        )
    return tuple(map(str, names)), data.ravel().astype(np.int64)


def _of_mapping(
    s: Any, labels: Mapping[str, Any]
) -> tuple[tuple[str, ...], np.ndarray]:
    shape = map_shape(s)
    flat = np.full(int(np.prod(shape)), UNLABELLED)
    for label, (name, where) in enumerate(labels.items(), start=1):
        pixels = _pixels(str(name), where, shape)
        taken = pixels[(flat[pixels] != UNLABELLED) & (flat[pixels] != label)]
        if taken.size:
            place = tuple(int(i) for i in np.unravel_index(taken[0], shape)[::-1])
            raise ValueError(
                f"`labels` give the pixel {place} two phases, "
                f"{list(labels)[flat[taken[0]] - 1]!r} and {name!r}; give it one."
            )
        flat[pixels] = label
    return tuple(map(str, labels)), flat


def _pixels(name: str, where: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of the pixels of one phase."""
    data = np.asarray(where.data if hasattr(where, "axes_manager") else where)
    if data.dtype == bool:
        if data.shape != shape:
            raise ValueError(
                f"`labels[{name!r}]` is a mask of the shape {data.shape}; that of the "
                f"map in the array is {shape}."
            )
        return np.flatnonzero(data)
    if data.dtype.kind not in "ui" or data.size == 0:
        raise TypeError(
            f"`labels[{name!r}]` is {where!r}; give a mask of the map, or pixels as a "
            "list of (x, y)."
        )
    places = np.atleast_2d(data)
    if places.ndim != 2 or places.shape[1] != len(shape):
        raise ValueError(
            f"`labels[{name!r}]` has the shape {data.shape}; give one "
            f"({', '.join('xyz'[: len(shape)])}) for each pixel."
        )
    size = np.array(shape[::-1])
    outside = ((places < 0) | (places >= size)).any(axis=1)
    if outside.any():
        first = tuple(int(i) for i in places[outside][0])
        raise ValueError(
            f"`labels[{name!r}]` has the pixel {first}, outside the map of "
            f"{' x '.join(map(str, size))} pixels; they are counted from 0, x first."
        )
    return np.ravel_multi_index(tuple(places.T[::-1]), shape)
