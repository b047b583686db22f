# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether oxygen is measured by its line, where the user leaves it open."""

from __future__ import annotations

import numpy as np

from ...quantification.unmeasured import VALENCES, Completion

#: Oxygen of its line over oxygen by stoichiometry, by mass, in what is taken for an
#: oxide. Calibrated detectors show 0.6 to 0.75 of the line in oxides and glasses.
_OXIDE = (0.45, 1.35)


def could_be_an_oxide(elements: tuple[str, ...], geometry: str) -> bool:
    """Whether stoichiometry is a question at all.

    Parameters
    ----------
    elements : tuple of str
    geometry : {"film", "bulk"}

    Returns
    -------
    bool
        For a bulk of oxygen and other elements with known valences, none of them
        lighter than oxygen.
    """
    others = [e for e in elements if e != "O"]
    light = {"H", "B", "C", "N"}
    known = all(e in VALENCES for e in others)
    cations = any(VALENCES.get(e, 0) > 0 for e in others)
    return (
        geometry == "bulk"
        and "O" in elements
        and known
        and cations
        and not light & set(others)
    )


def is_an_oxide(mass_fractions: np.ndarray, oxide: Completion) -> bool:
    """Whether the oxygen of the line is about that of an oxide.

    Parameters
    ----------
    mass_fractions : ndarray, shape (n_elements,)
        With oxygen by its line, in the order of `oxide.elements`.
    oxide : Completion
        Oxygen by stoichiometry.

    Returns
    -------
    bool
    """
    is_oxygen = np.array(oxide.elements) == "O"
    balanced = oxide.amounts(mass_fractions[~is_oxygen])[is_oxygen][0]
    measured = mass_fractions[is_oxygen][0]
    return bool(_OXIDE[0] * balanced < measured < _OXIDE[1] * balanced)
