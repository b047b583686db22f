# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of all elements as a detector counts them, for random spectra."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.depth_response import depth_response
from ..physics.detector import make_detector
from ..physics.escape import with_escape_peaks
from ..physics.specimen import Specimen
from ..physics.xray_columns import continuum_columns, counted_lines

__all__ = ["COLUMNS_KEV", "MICROSCOPES", "ElementLines", "Microscope", "microscopes"]

MICROSCOPES = (
    ("EDS_TEM", 200.0, "windowless"),
    ("EDS_TEM", 300.0, "polymer"),
    ("EDS_TEM", 80.0, "Si(Li)"),
    ("EDS_SEM", 30.0, "beryllium"),
    ("EDS_SEM", 20.0, "polymer"),
    ("EDS_SEM", 15.0, "silicon nitride"),
    ("EDS_SEM", 8.0, "polymer"),
)
"""Technique, beam energy (keV) and window."""
LIGHTEST, HEAVIEST = 4, 92
COLUMNS_KEV = np.arange(0.005, 41.0, 0.01)
"""Energies at which the continuum is computed."""
WEAKEST_FAMILY = 1e-3  # of an element's counts
FEWEST_COUNTED = 1e-4  # of the photons of an element


@dataclass(frozen=True, eq=False)
class ElementLines:
    """Lines and escape peaks of an element.

    Parameters
    ----------
    energy_keV, counts, family : ndarray, shape (n_lines,)
        The counts of all lines sum to one; families are numbered from 0.
    """

    energy_keV: np.ndarray
    counts: np.ndarray
    family: np.ndarray

    @cached_property
    def strongest_keV(self) -> float:
        """Energy of the strongest line."""
        return float(self.energy_keV[self.counts.argmax()])


@dataclass(frozen=True, eq=False)
class Microscope:
    """What a beam excites, and a detector counts.

    Parameters
    ----------
    elements : tuple of ElementLines
        Those with lines that are seen.
    continuum : ndarray, shape (n_columns, n_energies)
        Columns of the bremsstrahlung at `COLUMNS_KEV`.
    """

    elements: tuple[ElementLines, ...]
    continuum: np.ndarray

    @cached_property
    def strongest_keV(self) -> np.ndarray:
        """Energy of the strongest line of each element."""
        return np.array([lines.strongest_keV for lines in self.elements])


@lru_cache(maxsize=1)
def microscopes() -> tuple[Microscope, ...]:
    """The microscopes of `MICROSCOPES`.

    Returns
    -------
    tuple of Microscope
        Films that do not absorb; escape peaks of silicon.
    """
    return tuple(_microscope(*described) for described in MICROSCOPES)


def _microscope(technique: str, beam_energy_keV: float, window: str) -> Microscope:
    from xraylib import AtomicNumberToSymbol

    acquisition = Acquisition(
        COLUMNS_KEV, technique, beam_energy_keV, 40.0, make_detector(window)
    )
    symbols = [AtomicNumberToSymbol(z) for z in range(LIGHTEST, HEAVIEST + 1)]
    found = [_lines(symbol, acquisition) for symbol in symbols]
    film = depth_response(Specimen({}, "film"), acquisition)
    return Microscope(
        tuple(lines for lines in found if lines is not None),
        continuum_columns(film, acquisition, 3).T,
    )


def _lines(symbol: str, acquisition: Acquisition) -> ElementLines | None:
    film = depth_response(Specimen({}, "film"), acquisition)
    parts, emitted = [], 0.0
    for number, family in enumerate("KLM"):
        lines = counted_lines(symbol, family, film, acquisition)
        if lines is None:
            continue
        emitted += lines.generated.sum()
        energy, counts = with_escape_peaks(
            acquisition.detector, lines.energy_keV, lines.counted
        )
        parts.append((energy, counts, np.full(energy.size, number)))
    counted = sum(counts.sum() for _, counts, _ in parts)
    if counted <= FEWEST_COUNTED * emitted:
        return None
    kept = [part for part in parts if part[1].sum() > WEAKEST_FAMILY * counted]
    energy, counts, family = map(np.concatenate, zip(*kept, strict=True))
    return ElementLines(energy, counts / counts.sum(), family)
