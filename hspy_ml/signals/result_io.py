# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as HyperSpy files: the abundances, with all else in their metadata."""

from __future__ import annotations

import json
from os import PathLike
from typing import Any

import numpy as np

from ..factorization.factorization import Factorization
from .classification.io import classification_from_signal
from .classification.result import ClassificationResult
from .frame import SignalFrame
from .node_io import (
    frame_from_node,
    frame_node,
    g_matrix_from_node,
    g_matrix_node,
    save_with_node,
    to_json,
)
from .quantification.io import quantification_from_signal
from .quantification.result import QuantificationResult
from .result import PhysicsNMFResult
from .sampling.io import sampling_from_signal
from .sampling.result import SamplingResult

Result = PhysicsNMFResult | QuantificationResult | ClassificationResult | SamplingResult

_NODE = "hspy_ml.physics_nmf"
_FORMAT_VERSION = 1
_OPTIONAL_ARRAYS = (
    "navigation_mask",
    "signal_mask",
    "weights_covariance",
    "abundance_covariance",
    "pixel_deviance",
    "channel_deviance",
)


def save_result(
    result: PhysicsNMFResult,
    path: str | PathLike[str],
    overwrite: bool | None = None,
) -> None:
    """Save a result to a file.

    Parameters
    ----------
    result : PhysicsNMFResult
        The result.
    path : str or path
        Ends in ".hspy" or ".zspy".
    overwrite : bool, optional
        Whether to replace a file; by default HyperSpy asks.

    Raises
    ------
    ValueError
        If the path ends in something else.
    """
    maps = result.abundances.deepcopy()
    save_with_node(maps, result.frame, _NODE, _node(result), path, overwrite)


def load_result(path: str | PathLike[str]) -> Result:
    """Load a result that ``result.save(path)`` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    PhysicsNMFResult, QuantificationResult, ClassificationResult or SamplingResult
        What was saved.

    Raises
    ------
    ValueError
        If the file holds no such result, or one of a later version.
    """
    import hyperspy.api as hs

    signal = hs.load(path)
    tree = signal.metadata.as_dictionary() if hasattr(signal, "metadata") else {}
    for name, load in _LOADERS.items():
        node = tree.get("hspy_ml", {}).get(name)
        if node is not None:
            _check_version(path, node)
            return load(signal, node, tree)
    raise ValueError(f"`path` is {str(path)!r}, which holds no result to load.")


def _check_version(path: str | PathLike[str], node: dict[str, Any]) -> None:
    if node["format_version"] > _FORMAT_VERSION:
        raise ValueError(
            f"`path` is {str(path)!r}, which a later version of hspy_ml has written; "
            "update hspy_ml to load it."
        )


def _phases_from_signal(
    signal: Any, node: dict[str, Any], tree: dict[str, Any]
) -> PhysicsNMFResult:
    axes = SignalFrame.axes_of(signal.axes_manager.signal_axes)
    return PhysicsNMFResult(
        frame=frame_from_node(node, tree, axes),
        factorization=_load_factorization(signal, node),
        g_matrix=g_matrix_from_node(node),
        **{name: _array(node[name]) for name in _OPTIONAL_ARRAYS if name in node},
    )


_LOADERS = {
    "physics_nmf": _phases_from_signal,
    "ml_quantify": quantification_from_signal,
    "classify_phases": classification_from_signal,
    "dynamic_sampling": sampling_from_signal,
}


def _node(result: PhysicsNMFResult) -> dict[str, Any]:
    found = result.factorization
    values = {
        "format_version": _FORMAT_VERSION,
        "weights": found.weights,
        "pixel_scale": found.pixel_scale,
        "loss": found.loss,
        "solver": to_json(
            {
                "converged": bool(found.converged),
                "n_iterations": int(found.n_iterations),
                "settings": found.settings,
            }
        ),
    }
    values |= frame_node(result.frame) | g_matrix_node(result.g_matrix)
    arrays = {name: getattr(result, name) for name in _OPTIONAL_ARRAYS}
    return values | {name: a for name, a in arrays.items() if a is not None}


def _load_factorization(signal: Any, node: dict[str, Any]) -> Factorization:
    weights = _array(node["weights"])
    n_phases = weights.shape[1]
    return Factorization(
        weights=weights,
        abundances=signal.data.reshape(n_phases, -1).T,
        pixel_scale=_array(node["pixel_scale"]),
        loss=_array(node["loss"]),
        **json.loads(node["solver"]),
    )


def _array(stored: Any) -> np.ndarray:
    return np.asarray(stored)
