# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under the beam: its composition and its geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Specimen:
    """What the X-rays are generated in and absorbed by.

    Parameters
    ----------
    mass_fractions : mapping of str to float
        Symbols and mass fractions of the whole specimen; they sum to one. Empty
        where nothing is known (then nothing is absorbed).
    geometry : {"film", "bulk"}
        A film thin enough for the beam to lose no energy, or a flat bulk.
    mass_thickness : float
        Density times thickness of a film, g/cm2; 0 means no absorption.
    """

    mass_fractions: Mapping[str, float]
    geometry: str = "film"
    mass_thickness: float = 0.0
