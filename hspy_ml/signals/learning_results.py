# SPDX-License-Identifier: GPL-3.0-or-later
"""A result where HyperSpy keeps its own, so that its plots and models work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .plain import plain_json

if TYPE_CHECKING:
    from .result import PhysicsNMFResult


def fill_learning_results(s: Any, result: PhysicsNMFResult) -> None:
    """Store a result in ``s.learning_results``.

    ``s.get_decomposition_model()`` is then the model in counts. Loadings are NaN
    in pixels that the navigation mask excludes, as for ``s.decomposition()``, and
    zero in pixels without counts.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        The signal; earlier learning results of it are replaced.
    result : PhysicsNMFResult
        What was found for it.
    """
    found = result.factorization
    target = type(s.learning_results)()
    target.factors = result.g_matrix.matrix @ found.weights
    target.loadings = _loadings(result)
    target.output_dimension = result.n_phases
    target.decomposition_algorithm = "physics_nmf"
    target.poissonian_noise_normalized = False
    target.unfolded = False
    target.original_shape = s.data.shape
    target.navigation_mask = _in_shape(result.navigation_mask, result.frame.map_shape)
    target.signal_mask = _in_shape(result.signal_mask, (result.frame.n_channels,))
    target.nmf_weights = found.weights
    target.nmf_columns = list(result.g_matrix.names)
    target.nmf_pixel_scale = found.pixel_scale
    target.nmf_loss = found.loss
    target.nmf_settings = json.dumps(found.settings, default=plain_json)
    s.learning_results = target


def _loadings(result: PhysicsNMFResult) -> np.ndarray:
    found = result.factorization
    loadings = np.nan_to_num(found.pixel_scale[:, None] * found.abundances)
    if result.navigation_mask is not None:
        loadings[result.navigation_mask] = np.nan
    return loadings


def _in_shape(mask: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
    return None if mask is None or not mask.any() else mask.reshape(shape)
