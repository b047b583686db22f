# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of line families as a function of the composition, for many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acquisition import Acquisition
from .depth_response import depth_responses
from .xray_columns import counted_lines

__all__ = ["family_intensities"]


def family_intensities(
    families: Sequence[tuple[str, str]],
    elements: tuple[str, ...],
    mass_fractions: np.ndarray,
    geometry: str,
    mass_thickness: float | np.ndarray,
    acquisition: Acquisition,
) -> np.ndarray:
    """Counts of line families per unit of their elements' amount.

    Parameters
    ----------
    families : sequence of (str, str), length n_families
        Symbol and family, such as ``("Fe", "K")``.
    elements : tuple of str
        All elements of the specimens.
    mass_fractions : ndarray, shape (..., n_elements)
        They sum to one over the last axis.
    geometry : {"film", "bulk"}
    mass_thickness : float or ndarray, shape (...)
        Of films, g/cm2.
    acquisition : Acquisition
        With a detector.

    Returns
    -------
    ndarray, shape (..., n_families)
        In the unit of G's columns, cm2/g; lines off the energy axis do not count. Zero
        for a family that the beam does not excite.
    """
    response = depth_responses(
        elements, mass_fractions, geometry, mass_thickness, acquisition
    )
    none = np.zeros(np.shape(mass_fractions)[:-1])
    found = [counted_lines(e, family, response, acquisition) for e, family in families]
    return np.stack(
        [none if f is None else f.counted_on(acquisition.energy) for f in found],
        axis=-1,
    )
