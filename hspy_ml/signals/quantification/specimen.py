# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantification of an EDS signal whose specimen decides the response."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import acquisition_and_assumptions, warn_of_assumptions
from ..elements import elements_from_signal
from ..progress import progress_bar
from ..unexplained import warn_of_peaks
from .build import FittedSignal, TotalScale, result_of
from .cautions import coincidences, low_overvoltage, warn_of
from .plan import (
    Scale,
    completion_of,
)
from .result import QuantificationResult
from .specimen_fit import fit_pixels
from .specimen_reading import read_specimen, settings_of
from .task import (
    SpecimenTask,
    likelihood_channels,
    named_part,
    oxygen_rule,
    read_task,
)

if TYPE_CHECKING:
    from ...physics.gmatrix import GMatrix
    from ...quantification.reference import Reference

_LEFT_OUT = (
    "Their channels are left out of the fit, but not out of the goodness of fit. Name "
    "what is there with `s.add_elements([...])` or `elements=`, or leave the channels "
    "out with `signal_mask`."
)
_NOTHING_NOTE = (
    "None of the elements given is found in the counts, so that there is no "
    "composition; `hspy_ml.suggest_elements(s)` says what the spectrum shows."
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
    read = read_specimen(
        s,
        likelihood_channels,
        elements=elements,
        geometry=geometry,
        mass_thickness=mass_thickness,
        detector=detector,
        by_stoichiometry=by_stoichiometry,
        by_difference=by_difference,
        valences=valences,
        standards=standards,
        electrons=electrons,
        solid_angle_sr=solid_angle_sr,
        refine_energy_scale=refine_energy_scale,
        continuum_degree=continuum_degree,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
    )
    task, named, scale = read.task, read.named, read.scale
    reference, geometry = named.reference, task.model.geometry
    n_pixels = task.counts.n_pixels
    with progress_bar(show_progressbar, "ml_quantify", "pixels", n_pixels) as progress:
        fitted, columns = fit_pixels(
            task, read.completion, named, scale, num_workers, progress
        )
    notes = [*read.notes, *_notes(task, fitted, columns, reference)]
    warn_of(notes, stacklevel=6)
    warn_of_peaks(named.peaks, _LEFT_OUT, stacklevel=6)
    settings = {
        "method": "likelihood",
        "standards": sorted(scale.sensitivities),
        "electrons": scale.electrons or 0.0,
        "solid_angle_sr": solid_angle_sr or 0.0,
    }
    return result_of(
        s,
        fitted,
        _total_scale(geometry, scale),
        composition_units,
        settings | settings_of(read),
        notes,
        reference.energy_scale,
    )


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
    task = read_task(s, acquisition, model, None, None, True, likelihood_channels)
    warn_of_assumptions(assumed, stacklevel=4)
    scale = Scale({}, None, None)
    unmeasured = oxygen_rule(task, scale, None)
    task = replace(task, model=replace(model, unmeasured=unmeasured.element))
    completion = completion_of(symbols, unmeasured, "mass", scale)
    return named_part(task, completion).reference.g_matrix


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
