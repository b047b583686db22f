# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under the beam: its composition and its geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

GEOMETRIES = ("film", "bulk")
SUM_TOLERANCE = 1e-3


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

    Raises
    ------
    ValueError
        If the fractions are negative or do not sum to one, the geometry is unknown,
        or the mass thickness is negative or not finite.
    """

    mass_fractions: Mapping[str, float]
    geometry: str = "film"
    mass_thickness: float = 0.0

    def __post_init__(self) -> None:
        fractions = {e: float(f) for e, f in self.mass_fractions.items()}
        object.__setattr__(self, "mass_fractions", fractions)
        if self.geometry not in GEOMETRIES:
            raise ValueError(
                f"`geometry` is {self.geometry!r}; it is 'film' or 'bulk'."
            )
        if not (np.isfinite(self.mass_thickness) and self.mass_thickness >= 0):
            raise ValueError(
                f"`mass_thickness` is {self.mass_thickness}; density times thickness "
                "in g/cm2 is expected, 0 for no absorption."
            )
        if fractions:
            _check_fractions(fractions)


def _check_fractions(fractions: dict[str, float]) -> None:
    total = sum(fractions.values())
    if min(fractions.values()) < 0 or not abs(total - 1) <= SUM_TOLERANCE:
        raise ValueError(
            f"`mass_fractions` sum to {total:g}; fractions that are not negative and "
            "sum to one are expected. `atomic_to_mass_fractions` converts atoms."
        )
