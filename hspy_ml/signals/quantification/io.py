# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantifications as HyperSpy files: the maps, with all else in their metadata."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from os import PathLike
from typing import Any

import numpy as np

from ..frame import SignalFrame
from ..node_io import (
    frame_from_node,
    frame_node,
    g_matrix_from_node,
    g_matrix_node,
    save_with_node,
    to_json,
)
from .result import QuantificationArrays, QuantificationResult, Summary

_NODE = "hspy_ml.ml_quantify"
_FORMAT_VERSION = 1


def save_quantification(
    result: QuantificationResult,
    path: str | PathLike[str],
    overwrite: bool | None = None,
) -> None:
    """Save a result to a file.

    Parameters
    ----------
    result : QuantificationResult
        The result.
    path : str or path
        Ends in ".hspy" or ".zspy". As any file of HyperSpy it loads with ``hs.load``
        too, as a stack of maps.
    overwrite : bool, optional
        Whether to replace a file; by default HyperSpy asks.

    Raises
    ------
    ValueError
        If the path ends in something else.
    """
    title = f"Composition ({result.unit})"
    maps = result.frame.element_maps(result.arrays.composition, title)
    save_with_node(maps, result.frame, _NODE, _node(result), path, overwrite)


def quantification_from_signal(
    signal: Any, node: dict[str, Any], tree: dict[str, Any]
) -> QuantificationResult:
    """Make the result of what was loaded from a file.

    Parameters
    ----------
    signal : hyperspy.api.signals.BaseSignal
        What HyperSpy loaded.
    node : dict
        What `save_quantification` added to its metadata.
    tree : dict
        All of its metadata.

    Returns
    -------
    QuantificationResult
    """
    axes = SignalFrame.axes_of(signal.axes_manager.signal_axes)
    elements = json.loads(node["elements"])
    arrays = {f.name: np.asarray(node[f.name]) for f in _stored_arrays()}
    arrays["composition"] = np.reshape(signal.data, (len(elements), -1)).T
    summary = json.loads(node["summary"])
    summary["notes"] = tuple(summary["notes"])
    return QuantificationResult(
        frame_from_node(node, tree, axes),
        elements,
        QuantificationArrays(**arrays),
        Summary(**summary),
        g_matrix_from_node(node),
    )


def _node(result: QuantificationResult) -> dict[str, Any]:
    values = {
        "format_version": _FORMAT_VERSION,
        "elements": to_json(list(result.elements)),
        "summary": to_json(asdict(result.summary)),
    }
    values |= {f.name: getattr(result.arrays, f.name) for f in _stored_arrays()}
    return values | frame_node(result.frame) | g_matrix_node(result.g_matrix)


def _stored_arrays() -> list:
    return [f for f in fields(QuantificationArrays) if f.name != "composition"]
