# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of a signal filled in from the pixels that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...sampling.inpainting import inpaint

if TYPE_CHECKING:
    from .result import SamplingResult


def inpainted(result: SamplingResult, maps: Any) -> Any:
    """See :meth:`SamplingResult.inpaint`.

    Parameters
    ----------
    result : SamplingResult
    maps : signal, or list of signals

    Returns
    -------
    signal, or list of signals
    """
    if hasattr(maps, "axes_manager"):
        return _filled(result, [maps])[0]
    if not isinstance(maps, Sequence) or isinstance(maps, str):
        raise TypeError(
            f"`maps` is a {type(maps).__name__}; give a signal, or a list of them, "
            "such as those of `s.get_lines_intensity()`."
        )
    return _filled(result, list(maps))


def _filled(result: SamplingResult, maps: list[Any]) -> list[Any]:
    shape = result.arrays.reconstruction.shape
    values = np.stack([_measured(result, m, shape) for m in maps], axis=1)
    filled = inpaint(
        shape, result.arrays.positions, values, result.arrays.reconstruction
    )
    found = []
    for index, given in enumerate(maps):
        signal = given.deepcopy()
        signal.data = filled[..., index].reshape(given.data.shape)
        found.append(signal)
    return found


def _measured(result: SamplingResult, given: Any, shape: tuple[int, int]) -> np.ndarray:
    """Values of a map in the measured pixels."""
    if not hasattr(given, "axes_manager"):
        raise TypeError(
            f"`maps` holds a {type(given).__name__}; give signals, such as those of "
            "`s.get_lines_intensity()`."
        )
    data = np.asarray(given.data)
    if data.size != shape[0] * shape[1]:
        raise ValueError(
            f"`maps` holds {given.metadata.General.title!r} of the shape {data.shape}; "
            f"that of the map is {result.frame.map_shape}, one number for each pixel."
        )
    values = data.reshape(shape)[tuple(result.arrays.positions.T)]
    return values.astype(float)
