# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards: signals of specimens of known composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...physics.composition import formula_mass_fractions
from ..acquisition import acquisition_from_signal, how_to_set_dose
from ..data import signal_array

if TYPE_CHECKING:
    from ...physics.acquisition import Acquisition, Detector
    from ...quantification.standards import Sensitivity, Standard

_BEAM_ENERGY_TOLERANCE_KEV = 0.05
_ANGLE_TOLERANCE_DEGREES = 1.0


def sensitivities(
    standards: Mapping[str, tuple[Any, Any]],
    measured: Sequence[str],
    acquisition: Acquisition,
    geometry: str,
    detector: Detector | str,
    *,
    refine: bool = True,
) -> dict[str, Sensitivity]:
    """Measure the sensitivity to elements on standards.

    Parameters
    ----------
    standards : mapping of str to (signal, composition)
        For each element a spectrum and what was measured: a formula such as "SiO2",
        or a mapping of symbols to mass fractions (any sum).
    measured : sequence of str
        Elements that may have a standard.
    acquisition : Acquisition
        Of the unknown, which the standards have to match.
    geometry : {"film", "bulk"}
    detector : Detector or str
        As for :func:`hspy_ml.signals.acquisition.acquisition_from_signal`.
    refine : bool, default True
        Whether to refine their energy scales.

    Returns
    -------
    dict of str to Sensitivity

    Raises
    ------
    TypeError, ValueError
        If a standard is not such a pair, was measured under other conditions or with
        an unknown dose, or does not hold its element.
    """
    _check_mapping(standards, measured)
    found = {}
    for element, (signal, composition) in standards.items():
        standard = _standard(
            element, signal, composition, acquisition, geometry, detector
        )
        found[element] = standard.sensitivity(element, refine=refine)
    return found


def _check_mapping(standards: Any, measured: Sequence[str]) -> None:
    if not isinstance(standards, Mapping):
        raise TypeError(
            f"`standards` is of the type {type(standards).__name__}; give a mapping, "
            'such as `{"Si": (s_sio2, "SiO2")}`.'
        )
    for element, pair in standards.items():
        if element not in measured:
            raise ValueError(
                f"`standards` holds {element!r}, which is not among the elements that "
                f"lines measure, {list(measured)}."
            )
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
            raise TypeError(
                f"`standards[{element!r}]` is no pair of a signal and a composition, "
                'such as `(s_sio2, "SiO2")`.'
            )


def _standard(
    element: str,
    signal: Any,
    composition: Any,
    acquisition: Acquisition,
    geometry: str,
    detector: Detector | str,
) -> Standard:
    from ...quantification.reference import SpecimenModel
    from ...quantification.standards import Standard, number_of_electrons

    own = acquisition_from_signal(signal, detector)
    _check_conditions(element, own, acquisition)
    electrons = number_of_electrons(own)
    if electrons is None:
        raise ValueError(
            f"The dose of `standards[{element!r}]` is not known. {how_to_set_dose(own)}"
        )
    fractions = _mass_fractions(element, composition)
    spectrum = np.asarray(signal_array(signal).sum(axis=0), dtype=np.float64)
    return Standard(
        spectrum,
        own,
        SpecimenModel(tuple(fractions), None, geometry),
        np.array(list(fractions.values())),
        electrons,
    )


def _mass_fractions(element: str, composition: Any) -> dict[str, float]:
    if isinstance(composition, str):
        return formula_mass_fractions(composition)
    if not isinstance(composition, Mapping) or not composition:
        raise TypeError(
            f"The composition in `standards[{element!r}]` is {composition!r}; give a "
            'formula such as "SiO2", or a mapping of symbols to mass fractions.'
        )
    amounts = {symbol: float(value) for symbol, value in composition.items()}
    total = sum(amounts.values())
    if not (0 < total < np.inf and min(amounts.values()) >= 0):
        raise ValueError(
            f"The composition in `standards[{element!r}]` is {dict(composition)}; mass "
            "fractions of zero or more are expected."
        )
    return {symbol: value / total for symbol, value in amounts.items()}


def _check_conditions(element: str, own: Acquisition, other: Acquisition) -> None:
    if own.technique != other.technique:
        raise ValueError(
            f"`standards[{element!r}]` is an {own.technique} signal, the unknown an "
            f"{other.technique} one; set the same signal type."
        )
    if abs(own.beam_energy_keV - other.beam_energy_keV) > _BEAM_ENERGY_TOLERANCE_KEV:
        raise ValueError(
            f"`standards[{element!r}]` was measured at {own.beam_energy_keV:g} keV, "
            f"the unknown at {other.beam_energy_keV:g} keV; a standard has to be "
            "measured at the same beam energy."
        )
    if abs(own.take_off_angle - other.take_off_angle) > _ANGLE_TOLERANCE_DEGREES:
        raise ValueError(
            f"`standards[{element!r}]` was measured under a take-off angle of "
            f"{own.take_off_angle:g} degrees, the unknown under "
            f"{other.take_off_angle:g}; measure it under the same, or set the angles "
            "with `s.set_microscope_parameters(...)`."
        )
