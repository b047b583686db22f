# SPDX-License-Identifier: GPL-3.0-or-later
"""From vacancies to photons: Coster-Kronig transitions, yields, line intensities.

Atomic data come from xraylib; `fluorescence_yield`, `coster_kronig_probability` and
`emission_lines` mend its holes, which `MENDED_YIELDS` and its companions list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .ionisation import SUBSHELLS, subshells

__all__ = [
    "EmissionLines",
    "coster_kronig_probability",
    "emission_lines",
    "fluorescence_yield",
    "is_quantitative",
]

#: First element whose L (M) lines are modelled: the L yields of lighter elements
#: scatter by orders of magnitude between neighbours; below La no 4f electron fills
#: the M4 and M5 shells, and their yields are not known.
FIRST_ELEMENT = {"K": 3, "L": 20, "M": 57}

#: First element whose family gives concentrations. Measured L intensities of lighter
#: elements are 0.2 to 0.8 of the predicted ones; M yields and rates below Tb are
#: extrapolated.
FIRST_QUANTITATIVE_ELEMENT = {"K": 3, "L": 40, "M": 65}

#: Yields of xraylib 4.3 that break the trend between neighbours. Re, Sb: values of
#: Elam, Ravel and Sieber (2002) as distributed with xraydb. Ir to Pb: M2, where the
#: value of Au is ten times its neighbours' and spoils those interpolated from it:
#: geometric interpolation between Os and Bi. La to Pr: M5, that of Nd, as M4 is
#: constant there too.
MENDED_YIELDS = {
    (51, "L2"): 0.069,
    (51, "L3"): 0.069,
    (75, "L1"): 0.144,
    (75, "L2"): 0.283,
    (75, "L3"): 0.268,
    **{(z, "M5"): 0.0032 for z in (57, 58, 59)},
    **{(z, "M2"): 0.00325 * 2.006 ** ((z - 76) / 7) for z in range(77, 83)},
}

#: Coster-Kronig probabilities that break the trend between neighbours.
MENDED_COSTER_KRONIG = {(70, "M4", "M5"): 0.04}

#: Radiative rates taken from a neighbour: those into M4 and M5 lack the 4f electrons
#: between La and Eu, those into M2 are nearly all 6d electrons beyond U.
BORROWED_RATES = {
    **{(z, shell): 64 for z in range(57, 64) for shell in ("M4", "M5")},
    **{(z, "M2"): 92 for z in range(93, 100)},
}

#: Li and Be: one line each, keV (exspy's line list).
LIGHTEST_LINES_KEV = {3: 0.0543, 4: 0.1085}

SMALLEST_RATE_OF_UNLISTED_LINE = 1e-3


@dataclass(frozen=True, eq=False)
class EmissionLines:
    """The lines of one family of one element.

    Parameters
    ----------
    shells : tuple of str
        Subshells that are ionised, from the innermost.
    names : tuple of str
        IUPAC names of the lines, such as "KL3".
    energy_keV : ndarray, shape (n_lines,)
        Photon energies.
    shell_index : ndarray of int, shape (n_lines,)
        The subshell that each line fills.
    photons_per_ionisation : ndarray, shape (n_lines, n_shells)
        Photons of a line after one ionisation of a subshell, Coster-Kronig
        transitions included.
    """

    shells: tuple[str, ...]
    names: tuple[str, ...]
    energy_keV: np.ndarray
    shell_index: np.ndarray
    photons_per_ionisation: np.ndarray

    def photons(self, ionisations: np.ndarray) -> np.ndarray:
        """Photons of each line.

        Parameters
        ----------
        ionisations : ndarray, shape (n_shells,)
            Ionisations, or cross sections, of `shells`.

        Returns
        -------
        ndarray, shape (n_lines,)
            In the unit of `ionisations`.
        """
        return self.photons_per_ionisation @ ionisations


def is_quantitative(atomic_number: int, family: str) -> bool:
    """Whether the intensity of a family is known well enough for concentrations."""
    return atomic_number >= FIRST_QUANTITATIVE_ELEMENT[family]


def fluorescence_yield(atomic_number: int, shell: str) -> float:
    """Probability that a vacancy is filled with emission of a photon.

    Parameters
    ----------
    atomic_number : int
    shell : str
        "K", "L1" to "L3" or "M1" to "M5".

    Returns
    -------
    float
        0 where xraylib has no value.

    References
    ----------
    T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776 (xraylib).
    W. T. Elam, B. D. Ravel, J. R. Sieber, Radiat. Phys. Chem. 63 (2002) 121.
    """
    import xraylib

    if (atomic_number, shell) in MENDED_YIELDS:
        return MENDED_YIELDS[atomic_number, shell]
    return _or_zero(xraylib.FluorYield, atomic_number, _shell_number(shell))


def coster_kronig_probability(atomic_number: int, shell: str, filled_by: str) -> float:
    """Probability that a vacancy moves to a higher subshell of the same shell.

    Radiative transitions between L1 and L3 are included. Where a subshell's
    probabilities and yield sum to more than one, the former are scaled down.

    Parameters
    ----------
    atomic_number : int
    shell, filled_by : str
        The vacancy's subshell before and after, such as "L1" and "L3".

    Returns
    -------
    float
        0 where xraylib has no value.

    References
    ----------
    T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776 (xraylib).
    """
    higher = [s for s in SUBSHELLS[shell[0]] if s > shell]
    total = sum(_listed_coster_kronig(atomic_number, shell, s) for s in higher)
    room = 1 - fluorescence_yield(atomic_number, shell)
    scale = min(1.0, room / total) if total else 1.0
    return scale * _listed_coster_kronig(atomic_number, shell, filled_by)


def vacancies_per_ionisation(atomic_number: int, shells: tuple[str, ...]) -> np.ndarray:
    """Vacancies that pass through each subshell after one ionisation of another.

    Solves :math:`V_s = n_s + \\sum_{s' < s} V_{s'} f_{s' s}`.

    Parameters
    ----------
    atomic_number : int
    shells : tuple of str
        Subshells of one family, from the innermost.

    Returns
    -------
    ndarray, shape (n_shells, n_shells)
        Row: the subshell that has the vacancy; column: the one that was ionised.
    """
    moves = np.zeros((len(shells), len(shells)))
    for i, before in enumerate(shells):
        for j, after in enumerate(shells[i + 1 :], start=i + 1):
            moves[j, i] = coster_kronig_probability(atomic_number, before, after)
    return np.linalg.inv(np.eye(len(shells)) - moves)


@lru_cache(maxsize=512)
def emission_lines(atomic_number: int, family: str) -> EmissionLines | None:
    """The lines of a family, and the photons that they emit.

    Parameters
    ----------
    atomic_number : int
    family : {"K", "L", "M"}

    Returns
    -------
    EmissionLines or None
        None where the family has no lines that are known: H, He; L below Ca; M
        below La.

    Notes
    -----
    A line `l` that fills the subshell `s` emits :math:`V_s \\omega_s R_l` photons,
    with the vacancies `V` of `vacancies_per_ionisation`, the fluorescence yield
    :math:`\\omega` and the radiative rate `R`; the rates of a subshell sum to one.
    Lines without an energy in xraylib get the difference of the edges, and are left
    out below a rate of 0.001.

    References
    ----------
    T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776 (xraylib).
    """
    if atomic_number < FIRST_ELEMENT[family]:
        return None
    shells = subshells(atomic_number, family)
    found = [
        (name, energy, index, rate)
        for index, shell in enumerate(shells)
        for name, energy, rate in _lines_into(atomic_number, shell)
    ]
    if not found:
        return None
    names, energies, indices, rates = zip(*found, strict=True)
    index = np.array(indices)
    yields = np.array([fluorescence_yield(atomic_number, s) for s in shells])
    per_vacancy = yields[index] * np.array(rates)
    vacancies = vacancies_per_ionisation(atomic_number, shells)
    photons = per_vacancy[:, None] * vacancies[index]
    return EmissionLines(shells, names, np.array(energies), index, photons)


def _lines_into(atomic_number: int, shell: str) -> list[tuple[str, float, float]]:
    """Name, energy (keV) and radiative rate of the lines that fill a subshell."""
    import xraylib

    if atomic_number in LIGHTEST_LINES_KEV:
        return [("K", LIGHTEST_LINES_KEV[atomic_number], 1.0)]
    source = BORROWED_RATES.get((atomic_number, shell), atomic_number)
    lines = []
    for name, code in _line_codes(shell):
        rate = _or_zero(xraylib.RadRate, source, code)
        energy = _or_zero(xraylib.LineEnergy, atomic_number, code)
        if rate >= SMALLEST_RATE_OF_UNLISTED_LINE:
            energy = energy or _edge_difference(atomic_number, name)
        if rate > 0 and energy > 0:
            lines.append((name, energy, rate))
    return lines


@lru_cache(maxsize=16)
def _line_codes(shell: str) -> tuple[tuple[str, int], ...]:
    """xraylib's lines into a subshell; each electron shell is counted once."""
    import xraylib

    line = re.compile(rf"({shell}(?:[LMNOPQ]\d+|[OP]))_LINE")
    matches = filter(None, map(line.fullmatch, dir(xraylib)))
    return tuple((m[1], getattr(xraylib, m[0])) for m in matches)


def _edge_difference(atomic_number: int, line: str) -> float:
    """Energy of a line as the difference of its edges, keV; 0 if one is unknown."""
    inner, outer = re.fullmatch(r"(K|[LM]\d)([LMNOPQ]\d?)\d*", line).groups()
    if not outer[-1].isdigit():
        outer += "1"
    inner_edge = _edge(atomic_number, inner)
    return max(0.0, inner_edge - _edge(atomic_number, outer)) if inner_edge else 0.0


def _edge(atomic_number: int, shell: str) -> float:
    import xraylib

    return _or_zero(xraylib.EdgeEnergy, atomic_number, _shell_number(shell))


def _shell_number(shell: str) -> int:
    import xraylib

    return getattr(xraylib, f"{shell}_SHELL")


def _listed_coster_kronig(atomic_number: int, shell: str, filled_by: str) -> float:
    import xraylib

    mended = MENDED_COSTER_KRONIG.get((atomic_number, shell, filled_by))
    if mended is not None:
        return mended
    name = f"F{{}}{shell[1:]}{filled_by[1:]}_TRANS"
    codes = [
        getattr(xraylib, name.format(kind), None) for kind in (shell[0], f"{shell[0]}P")
    ]
    return sum(
        _or_zero(xraylib.CosKronTransProb, atomic_number, code)
        for code in codes
        if code is not None
    )


def _or_zero(function: Callable[..., float], *arguments: int) -> float:
    """xraylib raises where it has no value; this gives 0."""
    try:
        return function(*arguments)
    except ValueError:
        return 0.0
