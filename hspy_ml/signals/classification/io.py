# SPDX-License-Identifier: GPL-3.0-or-later
"""Classifications as HyperSpy files: the probabilities, with all else beside them."""

from __future__ import annotations

from dataclasses import fields
from os import PathLike
from typing import Any

import numpy as np

from ..frame import SignalFrame
from ..node_io import frame_from_node, named_node, named_parts, save_with_node
from .result import ClassificationResult, PhaseArrays

_NODE = "hspy_ml.classify_phases"
_FORMAT_VERSION = 1
_STORED = [f.name for f in fields(PhaseArrays) if f.name != "probabilities"]


def save_classification(
    result: ClassificationResult,
    path: str | PathLike[str],
    overwrite: bool | None = None,
) -> None:
    """Save a result to a file.

    Parameters
    ----------
    result : ClassificationResult
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
    maps = result.probabilities.deepcopy()
    node = named_node(result, _STORED, _FORMAT_VERSION)
    save_with_node(maps, result.frame, _NODE, node, path, overwrite)


def classification_from_signal(
    signal: Any, node: dict[str, Any], tree: dict[str, Any]
) -> ClassificationResult:
    """Make the result of what was loaded from a file.

    Parameters
    ----------
    signal : hyperspy.api.signals.BaseSignal
        What HyperSpy loaded.
    node : dict
        What `save_classification` added to its metadata.
    tree : dict
        All of its metadata.

    Returns
    -------
    ClassificationResult
    """
    axes = SignalFrame.axes_of(signal.axes_manager.signal_axes)
    parts, arrays = named_parts(node, _STORED)
    n_phases = len(parts["names"])
    arrays["probabilities"] = np.reshape(signal.data, (n_phases, -1)).T
    frame = frame_from_node(node, tree, axes)
    return ClassificationResult(frame, arrays=PhaseArrays(**arrays), **parts)
