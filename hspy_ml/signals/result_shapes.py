# SPDX-License-Identifier: GPL-3.0-or-later
"""That the parts of a result fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .result import PhysicsNMFResult


def check_shapes(result: PhysicsNMFResult) -> None:
    """Check the shape of every array of a result.

    Parameters
    ----------
    result : PhysicsNMFResult
        The result.

    Raises
    ------
    ValueError
        If an array does not have the shape that the others ask for.
    """
    n_channels, n_columns = result.g_matrix.matrix.shape
    n_pixels, n_phases = result.frame.n_pixels, result.n_phases
    _check("matrix", result.g_matrix.matrix, (result.frame.n_channels, n_columns))
    _check("weights", result.factorization.weights, (n_columns, n_phases))
    _check("abundances", result.factorization.abundances, (n_pixels, n_phases))
    _check("pixel_scale", result.factorization.pixel_scale, (n_pixels,))
    expected = {
        "navigation_mask": (n_pixels,),
        "signal_mask": (n_channels,),
        "weights_covariance": (n_phases, n_columns, n_columns),
        "abundance_covariance": (n_pixels, n_phases, n_phases),
        "pixel_deviance": (n_pixels,),
        "channel_deviance": (n_channels,),
    }
    for name, shape in expected.items():
        _check(name, getattr(result, name), shape)


def _check(name: str, array: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if array is not None and array.shape != shape:
        raise ValueError(f"`{name}` has the shape {array.shape}; it must be {shape}.")
