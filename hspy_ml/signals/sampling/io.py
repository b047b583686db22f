# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays of an acquisition as HyperSpy files: the map, with all else beside it."""

from __future__ import annotations

import json
from dataclasses import fields
from os import PathLike
from typing import Any

import numpy as np

from ..frame import SignalFrame
from ..node_io import frame_from_node, frame_node, save_with_node, to_json
from .result import SamplingArrays, SamplingResult

_NODE = "hspy_ml.dynamic_sampling"
_FORMAT_VERSION = 1
_STORED = [f.name for f in fields(SamplingArrays)]


def save_sampling(
    result: SamplingResult,
    path: str | PathLike[str],
    overwrite: bool | None = None,
) -> None:
    """Save a result to a file.

    Parameters
    ----------
    result : SamplingResult
    path : str or path
        Ends in ".hspy" or ".zspy". As any file of HyperSpy it loads with ``hs.load``
        too, as the map of labels.
    overwrite : bool, optional
        Whether to replace a file; by default HyperSpy asks.

    Raises
    ------
    ValueError
        If the path ends in something else.
    """
    node = {
        "format_version": _FORMAT_VERSION,
        "names": to_json(list(result.names)),
        "settings": to_json(result.settings),
        "notes": to_json(list(result.notes)),
    }
    node |= {name: getattr(result.arrays, name) for name in _STORED}
    node |= frame_node(result.frame)
    maps = result.reconstruction.deepcopy()
    save_with_node(maps, result.frame, _NODE, node, path, overwrite)


def sampling_from_signal(
    signal: Any, node: dict[str, Any], tree: dict[str, Any]
) -> SamplingResult:
    """Make the result of what was loaded from a file.

    Parameters
    ----------
    signal : hyperspy.api.signals.BaseSignal
        What HyperSpy loaded.
    node : dict
        What `save_sampling` added to its metadata.
    tree : dict
        All of its metadata.

    Returns
    -------
    SamplingResult
    """
    axes = SignalFrame.axes_of(signal.axes_manager.navigation_axes)
    return SamplingResult(
        frame_from_node(node, tree, axes),
        tuple(json.loads(node["names"])),
        SamplingArrays(**{name: np.asarray(node[name]) for name in _STORED}),
        json.loads(node["settings"]),
        tuple(json.loads(node["notes"])),
    )
