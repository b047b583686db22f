# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as HyperSpy files: the abundances, with all else in their metadata."""

from __future__ import annotations

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..factorization.factorization import Factorization
from ..physics.acquisition import Acquisition, Detector, Layer
from ..physics.gmatrix import Column, GMatrix
from ..physics.specimen import Specimen
from .frame import SignalFrame
from .plain import plain_json
from .result import PhysicsNMFResult

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
    if Path(path).suffix not in (".hspy", ".zspy"):
        raise ValueError(f"`path` is {str(path)!r}; it must end in '.hspy' or '.zspy'.")
    signal = result.abundances.deepcopy()
    signal.metadata.add_dictionary(result.frame.metadata)
    signal.metadata.set_item(_NODE, _node(result))
    signal.save(path, overwrite=overwrite)


def load_result(path: str | PathLike[str]) -> PhysicsNMFResult:
    """Load a result that ``result.save(path)`` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    PhysicsNMFResult

    Raises
    ------
    ValueError
        If the file holds no such result, or one of a later version.
    """
    import hyperspy.api as hs

    signal = hs.load(path)
    tree = signal.metadata.as_dictionary() if hasattr(signal, "metadata") else {}
    node = tree.get("hspy_ml", {}).get("physics_nmf")
    if node is None:
        raise ValueError(f"`path` is {str(path)!r}, which holds no result to load.")
    if node["format_version"] > _FORMAT_VERSION:
        raise ValueError(
            f"`path` is {str(path)!r}, which a later version of hspy_ml has written; "
            "update hspy_ml to load it."
        )
    return PhysicsNMFResult(
        frame=_load_frame(signal, node, tree),
        factorization=_load_factorization(signal, node),
        g_matrix=_load_g_matrix(node),
        **{name: _array(node[name]) for name in _OPTIONAL_ARRAYS if name in node},
    )


def _node(result: PhysicsNMFResult) -> dict[str, Any]:
    found, frame, g_matrix = result.factorization, result.frame, result.g_matrix
    values = {
        "format_version": _FORMAT_VERSION,
        "frame": _to_json(
            {
                "title": frame.title,
                "signal_type": frame.signal_type,
                "energy_axis": frame.energy_axis,
                "metadata_nodes": list(frame.metadata),
            }
        ),
        "weights": found.weights,
        "pixel_scale": found.pixel_scale,
        "loss": found.loss,
        "solver": _to_json(
            {
                "converged": bool(found.converged),
                "n_iterations": int(found.n_iterations),
                "settings": found.settings,
            }
        ),
        "matrix": g_matrix.matrix,
        "columns": _to_json([asdict(column) for column in g_matrix.columns]),
        "concentration": g_matrix.concentration,
        "specimen": _to_json(g_matrix.specimen and _fields(g_matrix.specimen)),
    }
    acquisition = g_matrix.acquisition
    if acquisition is not None:
        # the energies as an array, which keeps every digit
        values["energy"] = acquisition.energy
        values["acquisition"] = _to_json({**asdict(acquisition), "energy": None})
    arrays = {name: getattr(result, name) for name in _OPTIONAL_ARRAYS}
    return values | {name: a for name, a in arrays.items() if a is not None}


def _load_frame(signal: Any, node: dict[str, Any], tree: dict[str, Any]) -> SignalFrame:
    values = json.loads(node["frame"])
    of_maps = SignalFrame.axes_of(signal.axes_manager.signal_axes)
    nodes = values.pop("metadata_nodes")
    return SignalFrame(
        map_axes=of_maps, metadata={name: tree[name] for name in nodes}, **values
    )


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


def _load_g_matrix(node: dict[str, Any]) -> GMatrix:
    specimen = json.loads(node["specimen"])
    return GMatrix(
        matrix=_array(node["matrix"]),
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
    return Acquisition(**{**values, "energy": _array(node["energy"])})


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


def _to_json(value: Any) -> str:
    return json.dumps(value, default=plain_json)


def _array(stored: Any) -> np.ndarray:
    return np.asarray(stored)
