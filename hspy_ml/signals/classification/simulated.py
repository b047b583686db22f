# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of phases whose composition is all that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...physics.acquisition import Acquisition
from ...physics.composition import atomic_number
from ...physics.gmatrix import GMatrix, build_g_matrix
from ...physics.specimen import Specimen
from ...simulation.spectra import Phases
from ..acquisition import acquisition_and_assumptions, warn_of_assumptions

__all__ = ["simulated_xray_shapes"]

GEOMETRY = {"EDS_SEM": "bulk", "EDS_TEM": "film"}
LEAST_COUNTS = 300  # that tell the energy scale and the continuum


def simulated_xray_shapes(
    s: Any,
    phases: Phases,
    total: np.ndarray,
    used_channels: np.ndarray,
    detector: Any = "auto",
) -> tuple[np.ndarray, list[str]]:
    r"""Expected X-ray spectra of phases under the instrument of a signal.

    Lines are those of the physics, of each phase by its own composition. Energy scale,
    resolution and the shape of the continuum are those of the sum of all spectra of
    the signal; a phase has continuum in proportion to its mean atomic number (H. A.
    Kramers, Phil. Mag. 46 (1923) 836).

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
    phases : Phases
        Names and mass fractions.
    total : ndarray, shape (n_channels,)
        Sum of the spectra of `s`.
    used_channels : ndarray of bool, shape (n_channels,)
    detector : Detector or str, default "auto"
        As for ``s.ml_quantify``.

    Returns
    -------
    shapes : ndarray, shape (n_phases, n_channels)
        Expected counts of equal doses.
    notes : list of str
        What was refined.

    Raises
    ------
    ValueError
        If the metadata do not say what the physics needs, or a phase shows no line.
    """
    acquisition, assumed = acquisition_and_assumptions(s, detector)
    warn_of_assumptions(assumed, stacklevel=6)
    geometry = GEOMETRY[acquisition.technique]
    notes = [f"References are simulated: {geometry}, {acquisition.detector.name}."]
    if total[used_channels].sum() >= LEAST_COUNTS:
        acquisition, note = _refined(acquisition, phases, total, used_channels)
        notes.append(note)
    lines = np.array(
        [_lines(acquisition, phase, geometry) for phase in phases.mass_fractions]
    )
    continuum = _matrix(acquisition, _mean(phases), geometry)
    is_continuum = [column.kind == "continuum" for column in continuum.columns]
    columns = continuum.matrix[:, is_continuum]
    charge = np.array([_mean_atomic_number(p) for p in phases.mass_fractions])
    return lines + _continua(lines, columns, charge, total, used_channels), notes


def _refined(
    acquisition: Acquisition, phases: Phases, total: np.ndarray, used: np.ndarray
) -> tuple[Acquisition, str]:
    from ...quantification.energy_scale import refine_energy_scale

    geometry, mean = GEOMETRY[acquisition.technique], _mean(phases)
    scale = refine_energy_scale(
        total, acquisition, lambda a: _matrix(a, mean, geometry), used
    )
    note = (
        f"Energy scale refined: offset {1e3 * scale.offset_keV:+.1f} eV, gain "
        f"{scale.gain:.5f}, resolution {scale.resolution_MnKa_eV:.1f} eV."
    )
    return scale.applied_to(acquisition), note


def _continua(
    lines: np.ndarray,
    columns: np.ndarray,
    charge: np.ndarray,
    total: np.ndarray,
    used: np.ndarray,
) -> np.ndarray:
    """Continuum of each phase, shape (n_phases, n_channels)."""
    from ...quantification.weights import fit_spectrum

    brightness = lines.sum(axis=1)
    parts = np.concatenate([lines / brightness[:, None], columns.T]).T
    fit, present = fit_spectrum(total, parts, used & (parts.sum(axis=1) > 0))
    weights = np.zeros(parts.shape[1])
    weights[present] = fit.weights[0]
    amounts = weights[: len(lines)] / brightness
    if amounts.sum() == 0:  # nothing of any phase: equal amounts are as good as any
        amounts = np.full(len(lines), total[used].sum() / brightness.sum() / len(lines))
    continuum = columns @ weights[len(lines) :]
    return charge[:, None] * continuum / (amounts @ charge)


def _lines(
    acquisition: Acquisition, mass_fractions: Mapping[str, float], geometry: str
) -> np.ndarray:
    g_matrix = _matrix(acquisition, mass_fractions, geometry)
    weights = [mass_fractions.get(column.element, 0.0) for column in g_matrix.columns]
    return g_matrix.matrix @ np.array(weights)


def _matrix(
    acquisition: Acquisition, mass_fractions: Mapping[str, float], geometry: str
) -> GMatrix:
    elements = sorted(mass_fractions, key=atomic_number)
    return build_g_matrix(acquisition, elements, Specimen(mass_fractions, geometry))


def _mean(phases: Phases) -> dict[str, float]:
    mean = phases.weight_percent.mean(axis=0) / 100
    return dict(zip(phases.elements, mean.tolist(), strict=True))


def _mean_atomic_number(mass_fractions: Mapping[str, float]) -> float:
    return sum(f * atomic_number(e) for e, f in mass_fractions.items())
