# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements that a spectrum may hold, and how each would show itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import symbol
from hspy_ml.physics.depth_response import depth_response
from hspy_ml.physics.specimen import Specimen
from hspy_ml.physics.xray_columns import CountedLines, element_column, visible_families

__all__ = ["Candidate", "candidate_elements", "unknown_specimen"]

#: Noble gases and elements without long-lived isotopes: real, but seldom there.
UNLIKELY = frozenset(
    "Ne Ar Kr Tc Xe Pm Po At Rn Fr Ra Ac Pa Np Pu".split()  # no H and He: no lines
)
#: Seldom the reason of a peak, where a common element explains it about as well.
RARE = frozenset(
    "Be Sc Br Rb Ru Rh I Cs Pr Eu Tb Dy Ho Er Tm Yb Lu Re Os Ir Tl Th U".split()
)
LAST_ATOMIC_NUMBER = 94
# Measured intensities of L and M lines are known to a factor of three to K lines, and
# absorption weakens the softer family: it may be this much stronger than predicted.
MOST_ABOVE_PREDICTED = 8.0
# Of an element's counts, so that its harder families have to be seen.
LEAST_HARD_SHARE = 0.1
# What stops the electrons of a bulk of which nothing is known yet: a silicate.
UNKNOWN_BULK = {"O": 0.45, "Mg": 0.1, "Si": 0.25, "Ca": 0.1, "Fe": 0.1}


@dataclass(frozen=True, eq=False)
class Candidate:
    """An element and its families of lines that would be seen.

    Parameters
    ----------
    element : str
    families : tuple of str
        From the hardest to the softest, such as ("K", "L").
    lines : tuple of CountedLines
        Of each family.
    """

    element: str
    families: tuple[str, ...]
    lines: tuple[CountedLines, ...]

    @property
    def rarity(self) -> float:
        """By how much more than another it must explain to be believed: 1 or more."""
        if self.element in UNLIKELY:
            return 2.0
        return 1.3 if self.element in RARE else 1.0

    def spectra(self, acquisition: Acquisition) -> np.ndarray:
        """Spectrum of each family, as predicted for the same amount.

        Parameters
        ----------
        acquisition : Acquisition

        Returns
        -------
        ndarray, shape (n_families, n_channels)
        """
        return np.array([element_column(lines, acquisition) for lines in self.lines])

    def mixing(self) -> np.ndarray:
        """How the families of a column that may be in a spectrum are mixed.

        A family may be much weaker than predicted beside a harder one, but not much
        stronger: with its softer lines an element needs its harder ones. Weights of
        zero or more of these columns give the allowed intensities.

        Returns
        -------
        ndarray, shape (n_families, n_families)
            Column by family.
        """
        n = len(self.families)
        return np.tril(np.full((n, n), 1 / MOST_ABOVE_PREDICTED), -1) + np.eye(n)

    def without_hard_families(self) -> np.ndarray | None:
        """As :meth:`mixing`, without the families by which it is to be recognised.

        The soft lines of neighbouring elements are alike, and their shapes less well
        known. So an element that should show harder lines is recognised by these.

        Returns
        -------
        ndarray, shape (n_families - 1, n_families), or None
            None if its softest family is what identifies it.
        """
        counts = np.array([lines.counted.sum() for lines in self.lines])
        if len(counts) < 2 or counts[:-1].sum() < LEAST_HARD_SHARE * counts.sum():
            return None
        return np.eye(len(counts))[-1:]

    def on_channels(self, energy: np.ndarray) -> Candidate:
        """The same with those families only whose strongest line can be seen.

        Parameters
        ----------
        energy : ndarray, shape (n_channels,)
            Centres of the channels that are used, keV.

        Returns
        -------
        Candidate
            Without families, if none can be seen.
        """
        half_width = 0.51 * np.diff(energy).min(initial=np.inf)
        lowest = energy[0] + half_width
        seen = [
            (family, lines)
            for family, lines in zip(self.families, self.lines, strict=True)
            if (line := self.line_energy_keV(family)) >= lowest
            and abs(energy - line).min() <= half_width
        ]
        families, lines = zip(*seen, strict=True) if seen else ((), ())
        return Candidate(self.element, families, lines)

    def line_energy_keV(self, family: str) -> float:
        """Energy of the strongest line of a family."""
        lines = self.lines[self.families.index(family)]
        return float(lines.energy_keV[lines.counted.argmax()])


def unknown_specimen(technique: str) -> Specimen:
    """What to begin with: a film that absorbs nothing, or a bulk silicate.

    Parameters
    ----------
    technique : {"EDS_TEM", "EDS_SEM"}

    Returns
    -------
    Specimen
    """
    if technique == "EDS_SEM":
        return Specimen(UNKNOWN_BULK, "bulk")
    return Specimen({})


def candidate_elements(acquisition: Acquisition, specimen: Specimen) -> list[Candidate]:
    """All elements whose lines would be seen.

    Parameters
    ----------
    acquisition : Acquisition
        Technique "EDS_TEM" or "EDS_SEM", with a detector.
    specimen : Specimen
        What slows the electrons down and absorbs.

    Returns
    -------
    list of Candidate
        In the order of the atomic numbers, from beryllium to plutonium.
    """
    response = depth_response(specimen, acquisition)
    found = []
    for number in range(4, LAST_ATOMIC_NUMBER + 1):
        families = visible_families(symbol(number), response, acquisition)
        if families:
            lines = tuple(families.values())
            found.append(Candidate(symbol(number), tuple(families), lines))
    return found
