# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantification of an EDS signal whose specimen decides the response."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...physics.composition import atomic_number
from ..acquisition import acquisition_and_assumptions, warn_of_assumptions
from ..elements import elements_from_signal
from ..options import check_choice
from ..progress import progress_bar
from ..unexplained import warn_of_peaks
from .build import FittedSignal, TotalScale, result_of
from .cautions import coincidences, low_overvoltage, warn_of
from .plan import (
    Scale,
    completion_of,
    electrons_of,
    unmeasured_element,
    with_element,
)
from .result import QuantificationResult
from .specimen_fit import fit_pixels
from .standards import sensitivities
from .task import SpecimenTask, named_part, oxygen_rule, read_task

if TYPE_CHECKING:
    from ...physics.gmatrix import GMatrix
    from ...quantification.reference import Reference

_LEFT_OUT = (
    "Their channels are left out of the fit, but not out of the goodness of fit. Name "
    "what is there with `s.add_elements([...])` or `elements=`, or leave the channels "
    "out with `signal_mask`."
)
_OXYGEN_NOTE = (
    "Oxygen is by stoichiometry, since its line fits an oxide; "
    "`by_stoichiometry=None` measures it by its line, which is uncertain by tens of "
    "percent without a standard."
)
_NOTHING_NOTE = (
    "None of the elements given is found in the counts, so that there is no "
    "composition; `hspy_ml.suggest_elements(s)` says what the spectrum shows."
)
_OXYGEN_LINE_NOTE = (
    "Oxygen is measured by its line, which is uncertain by tens of percent in a bulk "
    'without a standard. For an oxide, `by_stoichiometry="O"` balances it by valence; '
    "`by_stoichiometry=None` says that the line is wanted. Leave the carbon of a "
    "coating out of the elements."
)


def quantify_specimen(
    s: Any,
    *,
    elements: Any,
    geometry: str | None,
    mass_thickness: float,
    detector: Any,
    by_stoichiometry: str | None,
    by_difference: str | None,
    valences: Any,
    standards: Any,
    electrons: float | None,
    solid_angle_sr: float | None,
    refine_energy_scale: bool,
    continuum_degree: int | None,
    navigation_mask: Any,
    signal_mask: Any,
    composition_units: str,
    show_progressbar: bool | None,
    num_workers: int | None,
) -> QuantificationResult:
    """See :func:`hspy_ml.signals.methods.ml_quantify`; arguments as there."""
    from ...quantification.reference import SpecimenModel

    acquisition, assumed = acquisition_and_assumptions(s, detector)
    symbols = _ordered(elements_from_signal(s, elements), elements)
    if geometry is None:
        geometry = "bulk" if acquisition.technique == "EDS_SEM" else "film"
    check_choice("geometry", geometry, ("film", "bulk"))
    open_question = by_stoichiometry == "auto" and by_difference is None
    open_question = open_question and "O" in symbols
    if by_stoichiometry == "auto":
        by_stoichiometry = None
    unmeasured = unmeasured_element(symbols, by_stoichiometry, by_difference, valences)
    symbols = with_element(symbols, unmeasured.element)
    model = SpecimenModel(
        symbols, unmeasured.element, geometry, float(mass_thickness), continuum_degree
    )
    task = read_task(
        s, acquisition, model, navigation_mask, signal_mask, refine_energy_scale
    )
    warn_of_assumptions(assumed, stacklevel=5)
    scale = Scale(
        _measured_on_standards(standards, task, detector, refine_energy_scale),
        electrons_of(s, acquisition, electrons),
        solid_angle_sr,
    )
    notes = []
    if open_question and "O" not in scale.sensitivities:
        unmeasured = oxygen_rule(task, scale, valences)
        if unmeasured.element:
            task = replace(task, model=replace(model, unmeasured="O"))
            notes.append(_OXYGEN_NOTE)
        elif geometry == "bulk" and set(symbols) > {"O"}:
            notes.append(_OXYGEN_LINE_NOTE)
    completion = completion_of(symbols, unmeasured, "mass", scale)
    named = named_part(task, completion)
    reference = named.reference
    n_pixels = task.counts.n_pixels
    with progress_bar(show_progressbar, "ml_quantify", "pixels", n_pixels) as progress:
        fitted, columns = fit_pixels(
            task, completion, named, scale, num_workers, progress
        )
    notes += _notes(task, fitted, columns, reference)
    warn_of(notes, stacklevel=5)
    warn_of_peaks(named.peaks, _LEFT_OUT, stacklevel=5)
    settings = {
        "method": "likelihood",
        "geometry": geometry,
        "mass_thickness": float(mass_thickness),
        "detector": acquisition.detector.name,
        "beam_energy_keV": acquisition.beam_energy_keV,
        "take_off_angle": acquisition.take_off_angle,
        "unmeasured_element": unmeasured.element or "",
        "rule": unmeasured.rule or "",
        "standards": sorted(scale.sensitivities),
        "electrons": scale.electrons or 0.0,
        "solid_angle_sr": solid_angle_sr or 0.0,
        "continuum_degree": -1 if continuum_degree is None else continuum_degree,
        "assumed": assumed,
    }
    return result_of(
        s,
        fitted,
        _total_scale(geometry, scale),
        composition_units,
        settings,
        notes,
        reference.energy_scale,
    )


def _ordered(symbols: tuple[str, ...], given: Any) -> tuple[str, ...]:
    """By atomic number, unless the user gave an order: that of exspy's is none."""
    return symbols if given is not None else tuple(sorted(symbols, key=atomic_number))


def bulk_g_matrix(
    s: Any,
    elements: Any = None,
    *,
    detector: Any = "auto",
    continuum_degree: int | None = 3,
) -> GMatrix:
    """The G-matrix of a bulk whose composition its own sum spectrum tells.

    Parameters
    ----------
    s : EDSSEMSpectrum or EDSTEMSpectrum
    elements, detector, continuum_degree
        As for :func:`hspy_ml.signals.methods.ml_quantify`.

    Returns
    -------
    GMatrix
        With the energy scale refined; its `specimen` holds the composition.

    Raises
    ------
    ValueError, TypeError
        If the signal or its metadata do not allow it.
    """
    from ...quantification.reference import SpecimenModel

    acquisition, assumed = acquisition_and_assumptions(s, detector)
    symbols = elements_from_signal(s, elements)
    model = SpecimenModel(symbols, None, "bulk", 0.0, continuum_degree)
    task = read_task(s, acquisition, model, None, None, True)
    warn_of_assumptions(assumed, stacklevel=4)
    scale = Scale({}, None, None)
    unmeasured = oxygen_rule(task, scale, None)
    task = replace(task, model=replace(model, unmeasured=unmeasured.element))
    completion = completion_of(symbols, unmeasured, "mass", scale)
    return named_part(task, completion).reference.g_matrix


def _measured_on_standards(
    standards: Any, task: SpecimenTask, detector: Any, refine: bool
) -> dict:
    if standards is None:
        return {}
    found = sensitivities(
        standards,
        task.model.measured,
        task.acquisition,
        task.model.geometry,
        detector,
        refine=refine,
    )
    if (
        task.model.geometry == "film"
        and len({id(p[0]) for p in standards.values()}) > 1
    ):
        raise ValueError(
            "`standards` of a film are several signals, whose thicknesses are not "
            "known; give one signal that holds all the elements."
        )
    return found


def _notes(
    task: SpecimenTask, fitted: FittedSignal, columns: list[int], reference: Reference
) -> list[str]:
    notes = low_overvoltage(fitted.g_matrix, columns, task.acquisition)
    fit = fitted.matrix @ fitted.weights_sum
    as_fitted = replace(fitted.g_matrix, matrix=fitted.matrix, acquisition=None)
    notes += coincidences(as_fitted, columns, fit)
    filled = fitted.found.totals > 0
    if not filled.any():
        return [*notes, _NOTHING_NOTE]
    lost = int(np.count_nonzero(filled & ~fitted.found.converged))
    if lost or not reference.converged:
        notes.append(
            f"The composition did not settle to 1e-5 in {max(lost, 1)} of "
            f"{filled.size} pixels; see `result.converged`."
        )
    return notes


def _total_scale(geometry: str, scale: Scale) -> TotalScale:
    if geometry == "bulk":
        if scale.whole is None:
            return TotalScale("Total of the elements (relative)")
        return TotalScale("Analytical total (%)", scale.whole, 100.0)
    if scale.whole is None or scale.sensitivities:
        return TotalScale("Mass thickness (relative)")
    return TotalScale("Mass thickness (g/cm2)", scale.whole)
