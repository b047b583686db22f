# SPDX-License-Identifier: GPL-3.0-or-later
"""The specimen of an EDS signal: what its metadata and its sum of spectra tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...physics.composition import atomic_number
from ..acquisition import acquisition_and_assumptions, warn_of_assumptions
from ..elements import elements_from_signal
from ..options import check_choice
from .plan import (
    Scale,
    UnmeasuredElement,
    completion_of,
    electrons_of,
    unmeasured_element,
    with_element,
)
from .standards import sensitivities
from .task import SpecimenTask, named_part, oxygen_rule, read_task

if TYPE_CHECKING:
    from ...physics.acquisition import Acquisition
    from ...quantification.reference import SpecimenModel
    from ...quantification.unmeasured import Completion
    from ...quantification.unnamed import NamedPart

_OXYGEN_NOTE = (
    "Oxygen is by stoichiometry, since its line fits an oxide; "
    "`by_stoichiometry=None` measures it by its line, which is uncertain by tens of "
    "percent without a standard."
)
_OXYGEN_LINE_NOTE = (
    "Oxygen is measured by its line, which is uncertain by tens of percent in a bulk "
    'without a standard. For an oxide, `by_stoichiometry="O"` balances it by valence; '
    "`by_stoichiometry=None` says that the line is wanted. Leave the carbon of a "
    "coating out of the elements."
)


@dataclass(frozen=True, eq=False)
class SpecimenReading:
    """An EDS signal read, and the mean composition of its specimen found.

    Parameters
    ----------
    task : SpecimenTask
    unmeasured : UnmeasuredElement
    completion : Completion
    named : NamedPart
        The reference, and the peaks that nobody named.
    scale : Scale
    notes : list of str
    assumed : dict of str to str
        What the metadata do not say.
    """

    task: SpecimenTask
    unmeasured: UnmeasuredElement
    completion: Completion
    named: NamedPart
    scale: Scale
    notes: list[str]
    assumed: Any


def read_specimen(
    s: Any,
    choose_channels: Callable[[Acquisition, SpecimenModel], np.ndarray],
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
) -> SpecimenReading:
    """Read a signal and find the mean composition of its specimen.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
    choose_channels : callable
        Which channels to read if the user did not choose: `likelihood_channels` or
        `network_channels`.
    elements, geometry, mass_thickness, detector, by_stoichiometry, by_difference, \
    valences, standards, electrons, solid_angle_sr, refine_energy_scale, \
    continuum_degree, navigation_mask, signal_mask
        As for :func:`hspy_ml.signals.methods.ml_quantify`.

    Returns
    -------
    SpecimenReading

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or an argument do not allow it.
    """
    from ...quantification.reference import SpecimenModel

    acquisition, assumed = acquisition_and_assumptions(s, detector)
    symbols = ordered(elements_from_signal(s, elements), elements)
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
        s,
        acquisition,
        model,
        navigation_mask,
        signal_mask,
        refine_energy_scale,
        choose_channels,
    )
    warn_of_assumptions(assumed, stacklevel=7)
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
    return SpecimenReading(task, unmeasured, completion, named, scale, notes, assumed)


def settings_of(read: SpecimenReading) -> dict[str, Any]:
    """What was settled on, as plain values for the result.

    Parameters
    ----------
    read : SpecimenReading

    Returns
    -------
    dict
    """
    model, acquisition = read.task.model, read.task.acquisition
    degree = model.continuum_degree
    return {
        "geometry": model.geometry,
        "mass_thickness": model.mass_thickness,
        "detector": acquisition.detector.name,
        "beam_energy_keV": acquisition.beam_energy_keV,
        "take_off_angle": acquisition.take_off_angle,
        "unmeasured_element": read.unmeasured.element or "",
        "rule": read.unmeasured.rule or "",
        "continuum_degree": -1 if degree is None else degree,
        "assumed": read.assumed,
    }


def ordered(symbols: tuple[str, ...], given: Any) -> tuple[str, ...]:
    """By atomic number, unless the user gave an order: that of exspy's is none."""
    return symbols if given is not None else tuple(sorted(symbols, key=atomic_number))


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
