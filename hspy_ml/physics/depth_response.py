# SPDX-License-Identifier: GPL-3.0-or-later
"""What a specimen does to the X-rays, behind one signature for film and bulk."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .absorption import FilmResponse
from .acquisition import Acquisition
from .bulk import BulkResponse
from .specimen import Specimen

__all__ = ["DepthResponse", "depth_response", "depth_responses"]


class DepthResponse(Protocol):
    """What the geometry of the specimen does to the X-rays.

    Whether film or bulk, weights that multiply the columns made from it are
    proportional to mass fractions.
    """

    def generation(self, atomic_number: int, shell: str) -> float:
        """Ionisations of a subshell by one electron, per atom.

        cm2 for a film (times atoms per cm2 of the element: ionisations); cm2 g/cm2
        for a bulk (times atoms per g of the specimen).
        """

    def absorption(
        self, atomic_number: int, shell: str, energy_keV: np.ndarray
    ) -> np.ndarray:
        """Fraction of a subshell's photons that leave towards the detector."""

    def continuum(self, energy_keV: np.ndarray) -> np.ndarray:
        """Fraction of the bremsstrahlung that leaves towards the detector."""


def depth_response(specimen: Specimen, acquisition: Acquisition) -> DepthResponse:
    """Depth response of a specimen under a beam.

    Parameters
    ----------
    specimen : Specimen
        Its `geometry` chooses between film and bulk.
    acquisition : Acquisition
        Beam energy and take-off angle.

    Returns
    -------
    DepthResponse

    Raises
    ------
    ValueError
        If the take-off angle is not above 0 and up to 90 degrees, or a bulk has no
        composition.
    """
    if specimen.geometry == "bulk" and not specimen.mass_fractions:
        raise ValueError(
            "`specimen` is a bulk without a composition, which decides how electrons "
            "are slowed down and X-rays absorbed; give it, such as "
            '`Specimen({"Si": 0.467, "O": 0.533}, geometry="bulk")`.'
        )
    fractions = np.array(list(specimen.mass_fractions.values()))
    return depth_responses(
        tuple(specimen.mass_fractions),
        fractions,
        specimen.geometry,
        specimen.mass_thickness,
        acquisition,
    )


def depth_responses(
    elements: tuple[str, ...],
    mass_fractions: np.ndarray,
    geometry: str,
    mass_thickness: float | np.ndarray,
    acquisition: Acquisition,
) -> DepthResponse:
    """Depth response of many specimens of the same elements at once.

    Parameters
    ----------
    elements : tuple of str
    mass_fractions : ndarray, shape (..., n_elements)
        They sum to one over the last axis.
    geometry : {"film", "bulk"}
    mass_thickness : float or ndarray, shape (...)
        Of films, g/cm2.
    acquisition : Acquisition
        Beam energy and take-off angle.

    Returns
    -------
    DepthResponse
        Its results have the shape of the compositions in front.

    Raises
    ------
    ValueError
        If the take-off angle is not above 0 and up to 90 degrees.
    """
    beam, angle = acquisition.beam_energy_keV, acquisition.take_off_angle
    if not 0 < angle <= 90:
        raise ValueError(
            f"`take_off_angle` is {angle} degrees; it must be above 0 and at most 90. "
            "Check the detector's elevation and azimuth and the stage's tilt."
        )
    if geometry == "bulk":
        return BulkResponse(elements, mass_fractions, beam, angle)
    return FilmResponse(elements, mass_fractions, mass_thickness, beam, angle)
