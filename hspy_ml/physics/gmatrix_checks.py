# SPDX-License-Identifier: GPL-3.0-or-later
"""What a G-matrix cannot be built from, and what to say then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acquisition import Acquisition
from .composition import atomic_number
from .ionisation import edge_energy, subshells
from .relaxation import emission_lines

__all__ = ["check_acquisition", "checked_elements", "why_invisible"]

LARGEST_BEAM_ENERGY_KEV = 2000.0
LARGEST_PHOTON_ENERGY_KEV = 500.0


def why_invisible(element: str, acquisition: Acquisition) -> str:
    number = atomic_number(element)
    lines = [_strongest_line(number, family) for family in "KLM"]
    energies = ", ".join(f"{energy:.3g}" for energy in lines if energy)
    if not energies:
        return f"{element!r} in `elements` has no X-ray lines; leave it out."
    edges = [edge_energy(number, s) for f in "KLM" for s in subshells(number, f)]
    beam = acquisition.beam_energy_keV
    if beam <= min(edges):
        return (
            f"`beam_energy_keV` is {beam:g}, below every edge of {element!r} (lowest "
            f"{min(edges):.3g} keV). Check the beam energy in the metadata, in keV."
        )
    low, high = acquisition.energy[[0, -1]]
    return (
        f"{element!r} in `elements` has no line that is seen: its lines are at "
        f"{energies} keV, the energy axis covers {low:.3g} to {high:.3g} keV, the beam "
        f"has {beam:g} keV and the detector is {acquisition.detector.name!r}. Leave "
        "the element out, or check axis, beam energy and detector."
    )


def _strongest_line(number: int, family: str) -> float | None:
    lines = emission_lines(number, family)
    if lines is None:
        return None
    return float(lines.energy_keV[lines.photons_per_ionisation.sum(axis=1).argmax()])


def checked_elements(elements: Sequence[str]) -> list[str]:
    if isinstance(elements, str):
        raise TypeError(
            f"`elements` is the string {elements!r}; give a list, such as "
            f'["{elements}"].'
        )
    unique = list(dict.fromkeys(elements or ()))
    if not unique:
        raise ValueError(
            '`elements` is empty; name them, such as ["Fe", "O"], or call '
            "`s.set_elements([...])`."
        )
    for element in unique:
        atomic_number(element)
    return unique


def check_acquisition(acquisition: Acquisition) -> None:
    if acquisition.technique not in ("EDS_TEM", "EDS_SEM"):
        raise ValueError(
            f"`technique` is {acquisition.technique!r}; X-ray columns need 'EDS_TEM' "
            "or 'EDS_SEM'. Call `s.set_signal_type(...)`."
        )
    if acquisition.detector is None:
        raise ValueError(
            "`detector` is None; give one, such as `make_detector('windowless')`."
        )
    _check_beam_energy(acquisition.beam_energy_keV)
    _check_axis(acquisition.energy)


def _check_beam_energy(beam_energy_keV: float) -> None:
    if not beam_energy_keV or not np.isfinite(beam_energy_keV) or beam_energy_keV < 0:
        raise ValueError(
            f"`beam_energy_keV` is {beam_energy_keV}; a positive energy in keV is "
            "expected. Call `s.set_microscope_parameters(beam_energy=...)`."
        )
    if beam_energy_keV > LARGEST_BEAM_ENERGY_KEV:
        raise ValueError(
            f"`beam_energy_keV` is {beam_energy_keV:g}, which looks like eV; give it "
            "in keV: `s.set_microscope_parameters(beam_energy=...)`."
        )


def _check_axis(energy: np.ndarray) -> None:
    if energy.ndim != 1 or energy.size < 2 or not np.all(np.isfinite(energy)):
        raise ValueError(
            "`energy` must hold the finite centres of two channels or more."
        )
    steps = np.diff(energy)
    if not np.all(steps > 0) or np.ptp(steps) > 1e-3 * steps.mean():
        raise ValueError(
            "`energy` must increase in uniform steps; interpolate the signal on a "
            "uniform axis: `s.interpolate_on_axis(...)`."
        )
    if energy[-1] > LARGEST_PHOTON_ENERGY_KEV:
        raise ValueError(
            f"`energy` ends at {energy[-1]:g}, which looks like eV; keV is expected: "
            "`s.axes_manager[-1].convert_units('keV')`."
        )
