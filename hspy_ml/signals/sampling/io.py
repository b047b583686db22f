# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays of an acquisition as HyperSpy files: the map, with all else beside it."""

from __future__ import annotations

from dataclasses import fields
from os import PathLike
from typing import Any

from ..frame import SignalFrame
from ..node_io import frame_from_node, named_node, named_parts, save_with_node
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
    node = named_node(result, _STORED, _FORMAT_VERSION)
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
    parts, arrays = named_parts(node, _STORED)
    frame = frame_from_node(node, tree, axes)
    return SamplingResult(frame, arrays=SamplingArrays(**arrays), **parts)
