# SPDX-License-Identifier: GPL-3.0-or-later
"""Sensitivity of an instrument to an element, from a standard (k-ratios)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.fractions import reference_columns
from .energy_scale import refine_energy_scale
from .reference import SpecimenModel, trusted_channels
from .weights import fit_spectrum

__all__ = ["ELECTRONS_PER_NC", "Sensitivity", "Standard", "number_of_electrons"]

ELECTRONS_PER_NC = 1e-9 / 1.602176634e-19  # SI (2019)


@dataclass(frozen=True)
class Sensitivity:
    """Counts of an element over what G says, for one electron.

    Parameters
    ----------
    value : float
        About the solid angle over 4 pi.
    relative_error : float
        Standard error over the value, from the counts of the standard.
    """

    value: float
    relative_error: float


@dataclass(frozen=True, eq=False)
class Standard:
    """A spectrum of a specimen of known composition, with its dose.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
        Counts.
    acquisition : Acquisition
    model : SpecimenModel
        Its elements and geometry.
    mass_fractions : ndarray, shape (n_elements,)
        Of the elements of `model`; they sum to one.
    electrons : float
        That fell on it while the detector was live.
    """

    spectrum: np.ndarray
    acquisition: Acquisition
    model: SpecimenModel
    mass_fractions: np.ndarray
    electrons: float

    def sensitivity(self, element: str, *, refine: bool = True) -> Sensitivity:
        """What the standard says of one of its elements.

        Parameters
        ----------
        element : str
        refine : bool, default True
            Whether to refine its energy scale first.

        Returns
        -------
        Sensitivity

        Raises
        ------
        ValueError
            If the standard does not hold the element, or its lines have no counts.
        """
        if element not in self.model.elements:
            raise ValueError(
                f"`standards[{element!r}]` is a standard of "
                f"{list(self.model.elements)}, without {element}."
            )
        acquisition, used = self._refined(refine)
        g_matrix = self.model.g_matrix(acquisition, self.mass_fractions)
        column = reference_columns(g_matrix)[element]
        fit, present = fit_spectrum(self.spectrum, g_matrix.matrix, used, column)
        weight = fit.weights[0, np.count_nonzero(present[:column])]
        variance = fit.covariance[0, 0, 0]
        if not weight > 0:
            raise ValueError(
                f"`standards[{element!r}]` shows no counts of {element}; check that "
                "it is the right spectrum."
            )
        share = self.mass_fractions[self.model.elements.index(element)]
        return Sensitivity(
            float(weight / (self.electrons * share)),
            float(np.sqrt(variance) / weight),
        )

    def _refined(self, refine: bool) -> tuple[Acquisition, np.ndarray]:
        def build(acquisition: Acquisition):
            return self.model.g_matrix(acquisition, self.mass_fractions)

        g_matrix = build(self.acquisition)
        elements = self.model.elements
        used = trusted_channels(self.acquisition, elements, g_matrix)
        used &= g_matrix.matrix.sum(axis=1) > 0
        if not refine:
            return self.acquisition, used
        scale = refine_energy_scale(self.spectrum, self.acquisition, build, used)
        return scale.applied_to(self.acquisition), used


def number_of_electrons(acquisition: Acquisition) -> float | None:
    """Electrons of a measurement, or None where current or time is not known."""
    if acquisition.beam_current_nA is None or acquisition.live_time_s is None:
        return None
    return acquisition.beam_current_nA * acquisition.live_time_s * ELECTRONS_PER_NC
