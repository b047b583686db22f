# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of compositions that a user gives with an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...physics.composition import atomic_number, atomic_weight
from ..data import map_shape

__all__ = ["elements_of_maps", "known_fractions"]

LARGEST_DEVIATION = 0.02  # of the sum from 100 %


def elements_of_maps(maps: Any, index: int) -> tuple[str, ...]:
    """The elements that maps are of.

    Parameters
    ----------
    maps : mapping of str to array or signal, or list of signals
    index : int
        Of the pair, for messages.

    Returns
    -------
    tuple of str

    Raises
    ------
    TypeError, ValueError
        If they do not say.
    """
    return tuple(_by_element(maps, index))


def known_fractions(
    maps: Any, elements: tuple[str, ...], s: Any, composition_units: str, index: int
) -> np.ndarray:
    """Atomic fractions of the pixels of an image.

    Parameters
    ----------
    maps : mapping of str to array or signal, or list of signals
        In percent.
    elements : tuple of str
        In the order wanted.
    s : hyperspy.api.signals.Signal1D
        The image.
    composition_units : {"atomic", "weight"}
    index : int
        Of the pair, for messages.

    Returns
    -------
    ndarray, shape (n_pixels, n_elements)
        NaN in pixels that are not known.

    Raises
    ------
    TypeError, ValueError
        If the maps do not fit the image, or are no percentages that sum to 100.
    """
    found = _by_element(maps, index)
    if set(found) != set(elements):
        raise ValueError(
            f"`pairs[{index}]` has maps of {', '.join(found)}, and the first has "
            f"{', '.join(elements)}; give the same elements in all."
        )
    percent = np.stack([_values(found[e], s, e, index) for e in elements], axis=1)
    known = np.isfinite(percent).all(axis=1)
    sums = percent[known].sum(axis=1)
    if not known.any() or (percent[known] < 0).any():
        raise ValueError(
            f"The maps of `pairs[{index}]` hold no pixel that is known in all "
            "elements, or negative percentages; give percent, NaN where unknown."
        )
    if np.abs(sums / 100 - 1).max() > LARGEST_DEVIATION:
        raise ValueError(
            f"The maps of `pairs[{index}]` sum to {sums.min():.4g} to {sums.max():.4g} "
            "in a pixel; give percent of all elements that are there, which sum to 100."
        )
    if composition_units == "weight":
        percent = percent / np.array([atomic_weight(e) for e in elements])
    return percent / percent.sum(axis=1, keepdims=True)


def _by_element(maps: Any, index: int) -> dict[str, Any]:
    if isinstance(maps, Mapping):
        found = dict(maps)
    elif hasattr(maps, "elements") and isinstance(maps, list):
        found = dict(zip(maps.elements, maps, strict=True))
    elif isinstance(maps, list | tuple) and maps:
        found = {_element_of(m, index): m for m in maps}
    else:
        raise TypeError(
            f"The maps of `pairs[{index}]` are {type(maps).__name__}; give a mapping "
            'of symbols to maps, such as {"Fe": fe, "O": o}, or a list of signals as '
            "`s.quantification` returns."
        )
    for element in found:
        atomic_number(element)
    return found


def _element_of(one: Any, index: int) -> str:
    symbols = []
    if hasattr(one, "metadata"):
        symbols = one.metadata.get_item("Sample.elements", [])
    if len(symbols) != 1:
        raise ValueError(
            f"A map of `pairs[{index}]` does not say its element in "
            "`metadata.Sample.elements`; give a mapping of symbols to maps instead."
        )
    return str(symbols[0])


def _values(one: Any, s: Any, element: str, index: int) -> np.ndarray:
    values = np.asarray(getattr(one, "data", one), dtype=float)
    shape = map_shape(s)
    if values.size != int(np.prod(shape)) or values.squeeze().shape != tuple(
        n for n in shape if n > 1
    ):
        raise ValueError(
            f"The map of {element} in `pairs[{index}]` has the shape {values.shape}, "
            f"and the image has {shape}; give one value for each pixel."
        )
    return values.ravel()
