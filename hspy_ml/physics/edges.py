# SPDX-License-Identifier: GPL-3.0-or-later
"""Core-loss edges: where they are, and how likely an atom loses that energy.

K and L edges are hydrogenic, by exspy; M and N edges, and the few L edges that
exspy's model lacks, follow from photoabsorption. Both have the continuum only: what
unoccupied states add just above an onset (white lines) is no part of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike

import numpy as np

from .acquisition import Acquisition
from .composition import atomic_number
from .edges_dipole import dipole_cross_section
from .edges_exspy import (
    HYDROGENIC,
    has_hydrogenic,
    hydrogenic_cross_section,
    tabulated_cross_section,
)

__all__ = ["Edge", "edge_cross_section", "edges_of"]

SHELLS = "KLMN"
_SAMPLES_PER_CHANNEL = 8


@dataclass(frozen=True)
class Edge:
    """The edges of one shell of an element, which rise and fall together.

    Parameters
    ----------
    element : str
        Symbol.
    shell : {"K", "L", "M", "N"}
        Principal quantum number of the electron that is excited.
    subshells : tuple of (str, float)
        Subshells and their onsets in eV, the lowest first, as exspy tabulates them.
    sharp_onsets_eV : tuple of float
        Onsets of the major subshells, at which white lines may be.
    """

    element: str
    shell: str
    subshells: tuple[tuple[str, float], ...]
    sharp_onsets_eV: tuple[float, ...]

    @property
    def name(self) -> str:
        """Such as "Fe L"."""
        return f"{self.element} {self.shell}"

    @property
    def onset_eV(self) -> float:
        """Where the edge begins, eV."""
        return self.sharp_onsets_eV[0]


@lru_cache(maxsize=128)
def edges_of(element: str) -> tuple[Edge, ...]:
    """Return the edges of an element.

    Parameters
    ----------
    element : str
        Symbol.

    Returns
    -------
    tuple of Edge
        Of the shells K, L, M and N for which exspy tabulates a major edge, the
        innermost first.

    Raises
    ------
    ValueError
        If no element has this symbol.

    References
    ----------
    Onsets: ``exspy.material.elements``.
    """
    from exspy.material import elements

    atomic_number(element)
    properties = elements[element].Atomic_properties.as_dictionary()
    table = properties.get("Binding_energies", {})
    found = (_edge(element, shell, table) for shell in SHELLS)
    return tuple(edge for edge in found if edge is not None)


def _edge(element: str, shell: str, table: dict[str, dict]) -> Edge | None:
    own = {k: v for k, v in table.items() if k[0] == shell and not k.endswith("a")}
    onsets = sorted((float(v["onset_energy (eV)"]), k) for k, v in own.items())
    sharp = tuple(e for e, k in onsets if own[k].get("relevance") == "Major")
    if not sharp and shell != "K":
        return None
    subshells = tuple((k, e) for e, k in onsets if e >= (sharp or (0,))[0])
    sharp = sharp or tuple(e for _, e in subshells)
    return Edge(element, shell, subshells, sharp) if sharp else None


def edge_cross_section(
    edge: Edge,
    energy_eV: np.ndarray,
    acquisition: Acquisition,
    gos: str | PathLike[str] = HYDROGENIC,
) -> np.ndarray:
    """Energy-differential cross section of an edge, averaged over each channel.

    Parameters
    ----------
    edge : Edge
        One of :func:`edges_of`.
    energy_eV : ndarray, shape (n_channels,)
        Uniform centres of channels; they may lie below the onset, or below zero.
    acquisition : Acquisition
        Beam energy and the two semi-angles, which must be known.
    gos : {"hydrogenic", "dipole", "dft", "dirac"} or path, default "hydrogenic"
        The generalised oscillator strength. "hydrogenic": exspy's model of K and L
        shells, and the dipole approximation for all that it lacks. "dipole":
        photoabsorption for all. "dft", "dirac" or the path of a ``.gosh`` file:
        exspy's tables, see
        :func:`~hspy_ml.physics.edges_exspy.tabulated_cross_section`.

    Returns
    -------
    ndarray, shape (n_channels,)
        barn/eV for one atom, into the collection aperture.

    Raises
    ------
    ValueError, FileNotFoundError
        If `gos` is none of these, or its table is missing or lacks the edge.
    """
    width = float(energy_eV[1] - energy_eV[0])
    fine = (np.arange(_SAMPLES_PER_CHANNEL) + 0.5) / _SAMPLES_PER_CHANNEL - 0.5
    energies = (energy_eV[:, None] + width * fine).ravel()
    above = energies >= edge.onset_eV
    values = np.zeros(energies.size)
    if above.any():
        values[above] = _route(edge, gos)(energies[above], acquisition)
    return values.reshape(-1, fine.size).mean(axis=1).clip(0)


Route = Callable[[np.ndarray, Acquisition], np.ndarray]


def _route(edge: Edge, gos: str | PathLike[str]) -> Route:
    """Choose how a cross section is computed."""
    names = dict(edge.subshells)
    if gos == HYDROGENIC and has_hydrogenic(edge.element, edge.shell):
        subshell = "K" if edge.shell == "K" else "L3"
        return lambda e, a: hydrogenic_cross_section(edge.element, subshell, e, a)
    if gos in (HYDROGENIC, "dipole"):
        shell, element = edge.shell, edge.element
        return lambda e, a: dipole_cross_section(element, shell, names, e, a)
    return lambda e, a: sum(
        tabulated_cross_section(edge.element, name, e, a, gos) for name in names
    )
