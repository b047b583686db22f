# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks of elements that nobody named: found, and left out of the fit.

What no column explains, others bend to explain: a grid's copper raises the continuum
until weak lines beside it vanish. So the channels of such peaks are not fitted, and
the user is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.detector import resolution
from ..physics.unexplained import UnexplainedPeak, unexplained_peaks
from .reference import Reference, SpecimenModel, column_weights, find_reference
from .unmeasured import Completion

__all__ = ["NamedPart", "find_named_part"]

MOST_ROUNDS = 6
RESOLUTIONS_LEFT_OUT = 1.2


@dataclass(frozen=True, eq=False)
class NamedPart:
    """A reference made from what the named elements explain.

    Parameters
    ----------
    reference : Reference
    used_channels, offered_channels : ndarray of bool, shape (n_channels,)
        What was fitted, and what with the peaks.
    peaks : list of UnexplainedPeak
        What was left out.
    """

    reference: Reference
    used_channels: np.ndarray
    offered_channels: np.ndarray
    peaks: list[UnexplainedPeak]


def find_named_part(
    spectrum: np.ndarray,
    acquisition: Acquisition,
    model: SpecimenModel,
    completion: Completion,
    used_channels: np.ndarray,
    *,
    refine: bool = True,
) -> NamedPart:
    """Find the composition without the peaks of elements that are not in the model.

    Parameters
    ----------
    spectrum, acquisition, model, completion, used_channels, refine
        As for `find_reference`.

    Returns
    -------
    NamedPart
        A peak where a named element has its line stays in the fit, whatever is left
        over there.
    """
    used, peaks = used_channels.copy(), []
    for _ in range(MOST_ROUNDS):
        reference = find_reference(
            spectrum, acquisition, model, completion, used, refine=refine
        )
        found = _unnamed_peaks(spectrum, reference, used, model)
        if not found:
            break
        for peak in found:
            used &= ~_around(peak.energy_keV, reference.g_matrix.acquisition)
        peaks += found
    return NamedPart(reference, used, used_channels, peaks)


def _unnamed_peaks(
    spectrum: np.ndarray, reference: Reference, used: np.ndarray, model: SpecimenModel
) -> list[UnexplainedPeak]:
    g_matrix = reference.g_matrix
    weights = column_weights(spectrum, g_matrix, used)
    of_elements = np.array([c.element is not None for c in g_matrix.columns])
    parts = np.stack(
        [spectrum, g_matrix.matrix @ weights, g_matrix.matrix @ (weights * of_elements)]
    )
    parts = np.where(used, parts, np.nan)
    found = unexplained_peaks(*parts, g_matrix.acquisition)
    return [p for p in found if not set(p.candidates) & set(model.elements)]


def _around(energy_keV: float, acquisition: Acquisition) -> np.ndarray:
    width = float(resolution(acquisition.detector, energy_keV))
    return np.abs(acquisition.energy - energy_keV) < RESOLUTIONS_LEFT_OUT * width
