# SPDX-License-Identifier: GPL-3.0-or-later
"""`ml_quantify` on a signal: choose the method, check, and hand over."""

from __future__ import annotations

from typing import Any

from .acquisition import technique_of
from .options import check_amount, check_choice, check_number
from .quantification.columns import quantify_columns
from .quantification.eels_network import quantify_core_losses
from .quantification.method import (
    check_arguments,
    check_specimen_arguments,
    choose_method,
)
from .quantification.network import quantify_network
from .quantification.result import QuantificationResult
from .quantification.specimen import quantify_specimen

METHODS = ("auto", "likelihood", "network")
UNITS = ("atomic", "weight")


def ml_quantify(
    s: Any,
    *,
    method: str = "auto",
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
    model: Any = None,
    prior: str = "neighbours",
    fewest_counts: int | None = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> QuantificationResult:
    """See :func:`hspy_ml.signals.methods.ml_quantify`, which users call."""
    given = dict(locals())
    technique = technique_of(s)
    check_choice("method", method, METHODS)
    check_choice("composition_units", composition_units, UNITS)
    check_number("mass_thickness", mass_thickness, zero=True)
    if solid_angle_sr is not None:
        check_number("solid_angle_sr", solid_angle_sr)
    for name in ("num_workers", "random_state", "fewest_counts"):
        if given[name] is not None:
            check_amount(name, given[name], zero=name != "num_workers")
    method, reason = (method, "") if method != "auto" else choose_method(s, given)
    check_arguments(method, technique, given)
    run = {"likelihood": _by_likelihood, "network": _by_network}[method]
    arguments = {n: v for n, v in given.items() if n not in ("s", "method")}
    result = run(s, technique, arguments)
    return result.with_note(reason) if reason else result


_OUTPUT = ("composition_units", "show_progressbar", "num_workers")
_OF_ALL = (
    "elements",
    "by_stoichiometry",
    "by_difference",
    "valences",
    "electrons",
    "solid_angle_sr",
    "navigation_mask",
    "signal_mask",
)
_OF_SPECIMEN = (
    "geometry",
    "mass_thickness",
    "detector",
    "standards",
    "refine_energy_scale",
    "continuum_degree",
)
_OF_NETWORK = ("model", "prior", "fewest_counts", "random_state")
_OF_CORE_LOSSES = ("elements", "low_loss", "navigation_mask", "signal_mask")


def _by_likelihood(s: Any, technique: str, given: dict[str, Any]) -> Any:
    shared = {name: given[name] for name in (*_OF_ALL, *_OUTPUT)}
    of_specimen = {name: given[name] for name in _OF_SPECIMEN}
    if technique != "EELS" and given["g_matrix"] is None:
        if given["low_loss"] is not None:
            raise ValueError("`low_loss` is for EELS; leave it out for an EDS signal.")
        return quantify_specimen(s, **shared, **of_specimen)
    check_specimen_arguments(of_specimen, technique)
    columns = {name: given[name] for name in ("g_matrix", "low_loss")}
    return quantify_columns(s, **columns, **shared)


def _by_network(s: Any, technique: str, given: dict[str, Any]) -> Any:
    if technique != "EELS":
        names = (*_OF_NETWORK, *_OUTPUT, *_OF_ALL, *_OF_SPECIMEN)
        return quantify_network(s, **{name: given[name] for name in names})
    check_specimen_arguments({name: given[name] for name in _OF_SPECIMEN}, technique)
    names = (*_OF_NETWORK, *_OUTPUT, *_OF_CORE_LOSSES)
    return quantify_core_losses(s, **{name: given[name] for name in names})
