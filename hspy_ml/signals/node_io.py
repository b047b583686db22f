# SPDX-License-Identifier: GPL-3.0-or-later
"""A G-matrix, and the frame of a signal, as nodes of a HyperSpy file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..physics.acquisition import Acquisition, Detector, Layer
from ..physics.gmatrix import Column, GMatrix
from ..physics.specimen import Specimen
from .frame import SignalFrame
from .plain import plain_json


def save_with_node(
    signal: Any,
    frame: SignalFrame,
    name: str,
    node: dict[str, Any],
    path: str | PathLike[str],
    overwrite: bool | None,
) -> None:
    """Save maps as a HyperSpy file, with all else of a result in their metadata.

    Raises
    ------
    ValueError
        If the path ends in something else than ".hspy" or ".zspy".
    """
    if Path(path).suffix not in (".hspy", ".zspy"):
        raise ValueError(f"`path` is {str(path)!r}; it must end in '.hspy' or '.zspy'.")
    signal.metadata.add_dictionary(frame.metadata)
    signal.metadata.set_item(name, node)
    signal.save(path, overwrite=overwrite)


def to_json(value: Any) -> str:
    """Text of plain values, which any file format can hold."""
    return json.dumps(value, default=plain_json)


def frame_node(frame: SignalFrame) -> dict[str, Any]:
    """What a file has to hold of a frame beside its map axes and metadata."""
    return {
        "frame": to_json(
            {
                "title": frame.title,
                "signal_type": frame.signal_type,
                "energy_axis": frame.energy_axis,
                "metadata_nodes": list(frame.metadata),
            }
        )
    }


def frame_from_node(
    node: dict[str, Any], tree: dict[str, Any], map_axes: tuple[dict[str, Any], ...]
) -> SignalFrame:
    """The frame of what `frame_node` wrote."""
    values = json.loads(node["frame"])
    nodes = values.pop("metadata_nodes")
    return SignalFrame(
        map_axes=map_axes, metadata={name: tree[name] for name in nodes}, **values
    )


def named_node(
    result: Any, stored: Sequence[str], format_version: int
) -> dict[str, Any]:
    """What a file has to hold of a result that names phases.

    Parameters
    ----------
    result : ClassificationResult or SamplingResult
    stored : sequence of str
        Which of its arrays are to be kept beside the maps.
    format_version : int

    Returns
    -------
    dict
    """
    return {
        "format_version": format_version,
        "names": to_json(list(result.names)),
        "settings": to_json(result.settings),
        "notes": to_json(list(result.notes)),
        **{name: getattr(result.arrays, name) for name in stored},
        **frame_node(result.frame),
    }


def named_parts(
    node: dict[str, Any], stored: Sequence[str]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Names, settings and notes, and the arrays, of what `named_node` wrote."""
    parts = {
        "names": tuple(json.loads(node["names"])),
        "settings": json.loads(node["settings"]),
        "notes": tuple(json.loads(node["notes"])),
    }
    return parts, {name: np.asarray(node[name]) for name in stored}


def g_matrix_node(g_matrix: GMatrix) -> dict[str, Any]:
    """What a file has to hold of a G-matrix."""
    values = {
        "matrix": g_matrix.matrix,
        "columns": to_json([asdict(column) for column in g_matrix.columns]),
        "concentration": g_matrix.concentration,
        "specimen": to_json(g_matrix.specimen and _fields(g_matrix.specimen)),
    }
    acquisition = g_matrix.acquisition
    if acquisition is not None:
        # the energies as an array, which keeps every digit
        values["energy"] = acquisition.energy
        values["acquisition"] = to_json({**asdict(acquisition), "energy": None})
    return values


def g_matrix_from_node(node: dict[str, Any]) -> GMatrix:
    """The G-matrix of what `g_matrix_node` wrote."""
    specimen = json.loads(node["specimen"])
    return GMatrix(
        matrix=np.asarray(node["matrix"]),
        columns=tuple(Column(**column) for column in json.loads(node["columns"])),
        acquisition=_load_acquisition(node),
        specimen=specimen and Specimen(**specimen),
        concentration=node["concentration"],
    )


def _load_acquisition(node: dict[str, Any]) -> Acquisition | None:
    if "acquisition" not in node:
        return None
    values = json.loads(node["acquisition"])
    if values["detector"] is not None:
        values["detector"] = _load_detector(values["detector"])
    return Acquisition(**{**values, "energy": np.asarray(node["energy"])})


def _load_detector(values: dict[str, Any]) -> Detector:
    layers = tuple(_load_layer(layer) for layer in values["layers"])
    active_layer = _load_layer(values["active_layer"])
    return Detector(**{**values, "layers": layers, "active_layer": active_layer})


def _load_layer(values: dict[str, Any]) -> Layer:
    composition = tuple((symbol, mass) for symbol, mass in values["composition"])
    return Layer(**{**values, "composition": composition})


def _fields(specimen: Specimen) -> dict[str, Any]:
    return {
        "mass_fractions": dict(specimen.mass_fractions),
        "geometry": specimen.geometry,
        "mass_thickness": specimen.mass_thickness,
    }
