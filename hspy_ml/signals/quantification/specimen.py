# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantification of an EDS signal whose specimen decides the response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import acquisition_and_assumptions, warn_of_assumptions
from ..counted_image import check_scale
from ..data import signal_array
from ..elements import elements_from_signal
from ..masks import flat_navigation_mask, flat_signal_mask
from ..options import check_choice
from ..progress import progress_bar
from ..unexplained import warn_of_peaks
from .build import FittedSignal, TotalScale, result_of
from .cautions import coincidences, low_overvoltage, warn_of
from .oxygen import could_be_an_oxide, is_an_oxide
from .plan import (
    Scale,
    UnmeasuredElement,
    completion_of,
    electrons_of,
    unmeasured_element,
    with_element,
)
from .result import QuantificationResult
from .standards import sensitivities

if TYPE_CHECKING:
    from ...counts import Counts
    from ...physics.acquisition import Acquisition
    from ...physics.gmatrix import GMatrix
    from ...quantification.quantify import Quantification
    from ...quantification.reference import Reference, SpecimenModel
    from ...quantification.unmeasured import Completion
    from ...quantification.unnamed import NamedPart

_LEAST_SHARE = 0.02
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


@dataclass(frozen=True, eq=False)
class _Task:
    """What stays the same while the composition is looked for."""

    acquisition: Acquisition
    model: SpecimenModel
    counts: Counts
    spectrum: np.ndarray
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray
    refine: bool


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
    symbols = elements_from_signal(s, elements)
    if geometry is None:
        geometry = "bulk" if acquisition.technique == "EDS_SEM" else "film"
    check_choice("geometry", geometry, ("film", "bulk"))
    open_question = by_stoichiometry == "auto" and by_difference is None
    if by_stoichiometry == "auto":
        by_stoichiometry = None
    unmeasured = unmeasured_element(symbols, by_stoichiometry, by_difference, valences)
    symbols = with_element(symbols, unmeasured.element)
    model = SpecimenModel(
        symbols, unmeasured.element, geometry, float(mass_thickness), continuum_degree
    )
    task = _read(
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
        unmeasured = _oxygen(task, scale, valences)
        if unmeasured.element:
            task = replace(task, model=replace(model, unmeasured="O"))
            notes.append(_OXYGEN_NOTE)
    completion = completion_of(symbols, unmeasured, "mass", scale)
    named = _named_part(task, completion)
    reference = named.reference
    n_pixels = task.counts.n_pixels
    with progress_bar(show_progressbar, "ml_quantify", "pixels", n_pixels) as progress:
        fitted, columns = _fit(task, completion, named, scale, num_workers, progress)
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
    task = _read(s, acquisition, model, None, None, True)
    warn_of_assumptions(assumed, stacklevel=4)
    scale = Scale({}, None, None)
    unmeasured = _oxygen(task, scale, None)
    task = replace(task, model=replace(model, unmeasured=unmeasured.element))
    completion = completion_of(symbols, unmeasured, "mass", scale)
    return _named_part(task, completion).reference.g_matrix


def _read(
    s: Any,
    acquisition: Acquisition,
    model: SpecimenModel,
    navigation_mask: Any,
    signal_mask: Any,
    refine: bool,
) -> _Task:
    from ...counts.building import counts_from_array
    from ...quantification.reference import trusted_channels

    pixels = flat_navigation_mask(s, navigation_mask)
    channels = flat_signal_mask(s, signal_mask)
    equal = np.full(len(model.elements), 1 / len(model.elements))
    g_matrix = model.g_matrix(acquisition, equal)
    channels = channels | (g_matrix.matrix.sum(axis=1) <= 0)
    if signal_mask is None:
        seen = [e for e in model.elements if e in g_matrix.elements]
        channels = channels | ~trusted_channels(acquisition, seen, g_matrix)
    counts = counts_from_array(
        signal_array(s), excluded_pixels=pixels, excluded_channels=channels
    )
    check_scale(counts)
    spectrum = np.zeros(channels.size)
    spectrum[~channels] = counts.channel_totals
    return _Task(acquisition, model, counts, spectrum, pixels, channels, refine)


def _measured_on_standards(
    standards: Any, task: _Task, detector: Any, refine: bool
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


def _used_channels(task: _Task) -> np.ndarray:
    """Channels to fit: what the lines need that measure."""
    from ...quantification.reference import trusted_channels

    model = task.model
    equal = np.full(len(model.elements), 1 / len(model.elements))
    g_matrix = model.g_matrix(task.acquisition, equal)
    return ~task.excluded_channels & trusted_channels(
        task.acquisition, model.measured, g_matrix
    )


def _oxygen(task: _Task, scale: Scale, valences: Any) -> UnmeasuredElement:
    """Stoichiometry for what shows as much oxygen as an oxide has."""
    elements = task.model.elements
    if not could_be_an_oxide(elements, task.model.geometry):
        return UnmeasuredElement()
    by_line = completion_of(elements, UnmeasuredElement(), "mass", scale)
    reference = _named_part(task, by_line).reference
    rule = UnmeasuredElement("O", "stoichiometry", valences)
    oxide = completion_of(elements, rule, "mass", Scale({}, None, None))
    fits = is_an_oxide(reference.mass_fractions, oxide)
    return rule if fits else UnmeasuredElement()


def _named_part(task: _Task, completion: Completion) -> NamedPart:
    from ...quantification.unnamed import find_named_part

    return find_named_part(
        task.spectrum,
        task.acquisition,
        task.model,
        completion,
        _used_channels(task),
        refine=task.refine,
    )


def _fit(
    task: _Task,
    completion: Completion,
    named: NamedPart,
    scale: Scale,
    num_workers: int | None,
    progress: Any,
) -> tuple[FittedSignal, list[int]]:
    from ...physics.fractions import reference_columns
    from ...quantification.quantify import quantify
    from ...quantification.reference import matrix_effects

    reference, used = named.reference, named.used_channels
    whole = reference.g_matrix
    chosen = reference_columns(whole)
    matrix = _rows(whole.matrix, used, task)
    present = matrix.sum(axis=0) > 0
    left = np.where(used[:, None], whole.matrix, 0).sum(axis=0)
    share = left / np.maximum(whole.matrix.sum(axis=0), 1e-300)
    _check_present(whole, [chosen[e] for e in task.model.measured], share)
    places = np.cumsum(present) - 1
    columns = [int(places[chosen[e]]) for e in task.model.measured]
    kept = tuple(c for c, p in zip(whole.columns, present, strict=True) if p)
    g_matrix = replace(whole, matrix=whole.matrix[:, present], columns=kept)
    found = quantify(
        task.counts,
        matrix[:, present],
        columns,
        completion,
        effects=matrix_effects(whole, task.model, completion),
        reference=reference.mass_fractions,
        relative_errors=scale.relative_errors(task.model.measured),
        num_workers=num_workers,
        progress=progress,
    )
    if named.peaks:
        offered = _rows(whole.matrix[:, present], named.offered_channels, task)
        found = _judged_by(found, task.counts, offered, num_workers)
    fitted = FittedSignal(
        found,
        task.counts,
        matrix[:, present],
        g_matrix,
        task.excluded_pixels,
        task.excluded_channels,
    )
    return fitted, columns


def _rows(matrix: np.ndarray, used: np.ndarray, task: _Task) -> np.ndarray:
    """The channels that were read, with zeros where they are not used."""
    return np.where(used[:, None], matrix, 0)[~task.excluded_channels]


def _judged_by(
    found: Quantification, counts: Counts, matrix: np.ndarray, num_workers: int | None
) -> Quantification:
    """The same amounts, with the goodness of a fit to more channels."""
    from ...quantification.weights import fit_weights

    fit = fit_weights(counts, matrix, reported=[0], num_workers=num_workers)
    return replace(found, fit=replace(found.fit, goodness=fit.goodness))


def _check_present(g_matrix: GMatrix, columns: list[int], share: np.ndarray) -> None:
    gone = [g_matrix.names[i] for i in columns if share[i] < _LEAST_SHARE]
    if gone:
        raise ValueError(
            f"The channels that are fitted hold none of {', '.join(gone)}; leave some "
            "of them in with `signal_mask`, or leave the element out of `elements`."
        )


def _notes(
    task: _Task, fitted: FittedSignal, columns: list[int], reference: Reference
) -> list[str]:
    notes = low_overvoltage(fitted.g_matrix, columns, task.acquisition)
    fit = fitted.matrix @ fitted.weights_sum
    as_fitted = replace(fitted.g_matrix, matrix=fitted.matrix, acquisition=None)
    notes += coincidences(as_fitted, columns, fit)
    filled = fitted.found.totals > 0
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
