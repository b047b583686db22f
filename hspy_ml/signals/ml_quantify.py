# SPDX-License-Identifier: GPL-3.0-or-later
"""`ml_quantify` on a signal by likelihood: read, fit, put the result into signals."""

from __future__ import annotations

from typing import Any

from .acquisition import technique_of
from .options import check_amount, check_choice, check_number
from .quantification.columns import quantify_columns
from .quantification.result import QuantificationResult
from .quantification.specimen import quantify_specimen

METHODS = ("likelihood", "network")
UNITS = ("atomic", "weight")


def ml_quantify(
    s: Any,
    *,
    method: str = "likelihood",
    elements: Any = None,
    g_matrix: Any = None,
    geometry: str | None = None,
    mass_thickness: float = 0.0,
    detector: Any = "auto",
    by_stoichiometry: str | None = "auto",
    by_difference: str | None = None,
    valences: Any = None,
    standards: Any = None,
    electrons: float | None = None,
    solid_angle_sr: float | None = None,
    low_loss: Any = None,
    refine_energy_scale: bool = True,
    continuum_degree: int | None = 3,
    navigation_mask: Any = None,
    signal_mask: Any = None,
    composition_units: str = "atomic",
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> QuantificationResult:
    """See :func:`hspy_ml.signals.methods.ml_quantify`, which users call."""
    technique = technique_of(s)
    check_choice("method", method, METHODS)
    if method == "network":
        raise NotImplementedError(
            '`method="network"` is coming; `method="likelihood"` is the exact one.'
        )
    check_choice("composition_units", composition_units, UNITS)
    check_number("mass_thickness", mass_thickness, zero=True)
    if solid_angle_sr is not None:
        check_number("solid_angle_sr", solid_angle_sr)
    if num_workers is not None:
        check_amount("num_workers", num_workers)
    shared = {
        "elements": elements,
        "by_stoichiometry": by_stoichiometry,
        "by_difference": by_difference,
        "valences": valences,
        "electrons": electrons,
        "solid_angle_sr": solid_angle_sr,
        "navigation_mask": navigation_mask,
        "signal_mask": signal_mask,
        "composition_units": composition_units,
        "show_progressbar": show_progressbar,
        "num_workers": num_workers,
    }
    of_specimen = {
        "geometry": geometry,
        "mass_thickness": mass_thickness,
        "detector": detector,
        "standards": standards,
        "refine_energy_scale": refine_energy_scale,
        "continuum_degree": continuum_degree,
    }
    if technique != "EELS" and g_matrix is None:
        if low_loss is not None:
            raise ValueError("`low_loss` is for EELS; leave it out for an EDS signal.")
        return quantify_specimen(s, **shared, **of_specimen)
    _check_unused(of_specimen, technique)
    return quantify_columns(s, g_matrix=g_matrix, low_loss=low_loss, **shared)


_DEFAULTS = {
    "geometry": None,
    "mass_thickness": 0.0,
    "detector": "auto",
    "standards": None,
}


def _check_unused(given: dict[str, Any], technique: str) -> None:
    """Refuse what has no meaning with a G-matrix that is given, or for EELS."""
    why = (
        "are for EDS" if technique == "EELS" else "are in the `g_matrix` that was given"
    )
    used = [name for name, default in _DEFAULTS.items() if given[name] != default]
    if used:
        names = ", ".join(f"`{name}`" for name in used)
        raise ValueError(f"{names} cannot be used here: they {why}. Leave them out.")
