# SPDX-License-Identifier: GPL-3.0-or-later
"""References and calibration as the arrays of a model file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from .reference_scatter import Scatter
from .references import References
from .unknown import Variation
from .unknown_calibration import Calibration

__all__ = [
    "calibration_from_arrays",
    "calibration_to_arrays",
    "check_sizes",
    "references_from_arrays",
    "references_to_arrays",
    "variation_from_arrays",
    "variation_to_arrays",
]

Arrays = Mapping[str, np.ndarray]


def references_to_arrays(references: References) -> dict[str, np.ndarray]:
    """Arrays by name."""
    return {"shapes": references.shapes, **_parts("scatter", references.scatter)}


def references_from_arrays(names: tuple[str, ...], arrays: Arrays) -> References:
    """What `references_to_arrays` was given; KeyError if an array is not there."""
    return References(names, arrays["shapes"], _whole("scatter", Scatter, arrays))


def calibration_to_arrays(calibration: Calibration) -> dict[str, np.ndarray]:
    """Arrays by name."""
    return _parts("calibration", calibration)


def calibration_from_arrays(arrays: Arrays) -> Calibration:
    """What `calibration_to_arrays` was given; KeyError if an array is not there."""
    return _whole("calibration", Calibration, arrays)


def variation_to_arrays(variation: Variation | None) -> dict[str, np.ndarray]:
    """Arrays by name; none if nothing is known of it."""
    return {} if variation is None else _parts("variation", variation)


def variation_from_arrays(arrays: Arrays) -> Variation | None:
    """What `variation_to_arrays` was given."""
    if not any(name.startswith("variation.") for name in arrays):
        return None
    return _whole("variation", Variation, arrays)


def check_sizes(arrays: Arrays, n_phases: int, n_channels: int) -> None:
    """Check that the arrays of a file fit together.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    n_phases, n_channels : int

    Raises
    ------
    KeyError
        If one is not there.
    ValueError
        If one has another size.
    """
    n_modes = arrays["scatter.variances"].shape[-1]
    expected = {
        "shapes": (n_phases, n_channels),
        "alternatives": (arrays["alternatives"].shape[0], n_channels),
        "prior_shares": (n_phases,),
        "scatter.modes": (n_phases, n_modes, n_channels),
        "scatter.variances": (n_phases, n_modes),
        "calibration.tail": (n_phases, arrays["calibration.tail"].shape[-1]),
    }
    if "variation.departures" in arrays:
        n_departures = arrays["variation.departures"].shape[-1]
        expected["variation.departures"] = (n_phases, n_departures)
        expected["variation.squares"] = (n_phases,)
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(
                f"The model's {name!r} has the shape {arrays[name].shape}, not "
                f"{shape}; it is damaged."
            )


def _parts(name: str, whole: Any) -> dict[str, np.ndarray]:
    return {f"{name}.{f.name}": getattr(whole, f.name) for f in fields(whole)}


def _whole(name: str, kind: type, arrays: Arrays) -> Any:
    return kind(**{f.name: arrays[f"{name}.{f.name}"] for f in fields(kind)})
