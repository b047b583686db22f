# SPDX-License-Identifier: GPL-3.0-or-later
"""Which edge stands for which element, and from where to where spectra are fitted.

The background follows a power law over a limited range of energies only (Egerton 2011,
Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed., section 4.4).
So the edges of all elements are chosen within a factor of 2.5, if there is a choice.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from .edges import SHELLS, Edge, edges_of

__all__ = ["checked_window", "choose_edges", "default_window", "edges_inside"]

LARGEST_RANGE = 2.5
_WARNING_RANGE = 4.0
_BEFORE_SHARE, _AFTER_SHARE, _LEAST_AFTER_EV = 0.15, 0.3, 100.0
_LEAST_BACKGROUND_EV, _LEAST_SIGNAL_EV = 5.0, 20.0
_COINCIDENT_EV = 8.0


def choose_edges(
    elements: Sequence[str], low_eV: float, high_eV: float
) -> dict[str, Edge]:
    """Choose the edge by which each element is quantified.

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    low_eV, high_eV : float
        The energies that were measured, or are to be fitted.

    Returns
    -------
    dict of str to Edge
        For each element an edge with 5 eV of background before and 20 eV of signal
        after its onset; inner shells before outer ones, but such that all lie within
        a factor of 2.5 in energy, or as nearly as is possible.

    Raises
    ------
    ValueError
        If an element has no such edge.

    Warns
    -----
    UserWarning
        If the edges of two elements begin within 8 eV of each other.
    """
    candidates = {e: edges_inside(e, low_eV, high_eV) for e in elements}
    for element, edges in candidates.items():
        if not edges:
            raise ValueError(_no_edge(element, low_eV, high_eV))
    onsets = sorted({e.onset_eV for edges in candidates.values() for e in edges})
    selections = [_selection_from(candidates, lowest) for lowest in onsets]
    chosen = min(filter(None, selections), key=_cost)
    _warn_if_coincident(chosen)
    return chosen


def edges_inside(element: str, low_eV: float, high_eV: float) -> list[Edge]:
    """Return the edges of an element that can be seen between two energies.

    Parameters
    ----------
    element : str
        Symbol.
    low_eV, high_eV : float
        Energies.

    Returns
    -------
    list of Edge
        Those with 5 eV before and 20 eV after the onset; inner shells first.
    """
    first, last = low_eV + _LEAST_BACKGROUND_EV, high_eV - _LEAST_SIGNAL_EV
    return [edge for edge in edges_of(element) if first <= edge.onset_eV <= last]


def default_window(edges: Sequence[Edge], energy_eV: np.ndarray) -> tuple[float, float]:
    """Where to fit.

    Parameters
    ----------
    edges : sequence of Edge
        One for each element.
    energy_eV : ndarray, shape (n_channels,)
        The energy axis.

    Returns
    -------
    low, high : float
        eV: from 15 % below the first onset to 30 %, but at least 100 eV, above the
        last, as far as there are channels.

    Warns
    -----
    UserWarning
        If that is more than a factor of 4.
    """
    onsets = [edge.onset_eV for edge in edges]
    first, last = min(onsets), max(onsets)
    low = max((1 - _BEFORE_SHARE) * first, energy_eV[0])
    after = max(_AFTER_SHARE * last, _LEAST_AFTER_EV)
    high = min(last + after, energy_eV[-1])
    if high > _WARNING_RANGE * low:
        warnings.warn(
            f"The edges of the elements range from {first:.4g} to {last:.4g} eV, over "
            "which the background is not one power law: expect errors of several "
            "at.%. Quantify elements in groups, each within a factor of "
            f"{LARGEST_RANGE:g} in energy.",
            UserWarning,
            stacklevel=3,
        )
    return low, high


def checked_window(
    fit_window: tuple[float, float], energy_eV: np.ndarray
) -> tuple[float, float]:
    """Check a window that the user gave.

    Parameters
    ----------
    fit_window : tuple of float
        Lowest and highest energy loss, eV.
    energy_eV : ndarray, shape (n_channels,)
        The energy axis.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If it is no pair of rising energies above zero with ten channels between.
    """
    try:
        low, high = (float(border) for border in fit_window)
    except (TypeError, ValueError):
        raise ValueError(
            f"`fit_window` is {fit_window!r}; give the lowest and the highest energy "
            "loss in eV, such as (400, 850)."
        ) from None
    inside = (energy_eV >= max(low, 0)) & (energy_eV <= high)
    if not 0 < low < high or np.count_nonzero(inside) < 10:
        raise ValueError(
            f"`fit_window` is {fit_window!r} eV, which holds fewer than ten channels "
            f"of an axis from {energy_eV[0]:.4g} to {energy_eV[-1]:.4g} eV."
        )
    return low, high


def _selection_from(
    candidates: dict[str, list[Edge]], lowest_eV: float
) -> dict[str, Edge] | None:
    """The best edge of each element among those from an energy on."""
    chosen = {}
    for element, edges in candidates.items():
        above = [edge for edge in edges if edge.onset_eV >= lowest_eV]
        near = [e for e in above if e.onset_eV <= LARGEST_RANGE * lowest_eV]
        if not above:
            return None
        chosen[element] = near[0] if near else min(above, key=lambda e: e.onset_eV)
    return chosen


def _cost(chosen: dict[str, Edge]) -> tuple[float, int]:
    onsets = [edge.onset_eV for edge in chosen.values()]
    excess = max(max(onsets) / min(onsets) - LARGEST_RANGE, 0.0)
    return excess, sum(SHELLS.index(edge.shell) for edge in chosen.values())


def _warn_if_coincident(chosen: dict[str, Edge]) -> None:
    edges = sorted(chosen.values(), key=lambda edge: edge.onset_eV)
    for one, other in zip(edges, edges[1:], strict=False):
        if other.onset_eV - one.onset_eV < _COINCIDENT_EV:
            warnings.warn(
                f"{one.name} and {other.name} begin at {one.onset_eV:g} and "
                f"{other.onset_eV:g} eV, so that hardly anything but their shapes "
                "tells them apart: their amounts are uncertain, and strongly "
                "correlated. Leave out what is not in the specimen.",
                UserWarning,
                stacklevel=4,
            )


def _no_edge(element: str, low_eV: float, high_eV: float) -> str:
    edges = ", ".join(f"{e.name} {e.onset_eV:g} eV" for e in edges_of(element))
    if not edges:
        return f"{element!r} in `elements` has no core-loss edge; leave it out."
    return (
        f"{element!r} in `elements` has no edge between {low_eV:.4g} and {high_eV:.4g} "
        f"eV, with some background before it; its edges are {edges}. Leave the element "
        "out, or measure (or fit) other energies."
    )
