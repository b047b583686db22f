# SPDX-License-Identifier: GPL-3.0-or-later
"""Core-loss spectra of phases whose composition is all that is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...physics.composition import atomic_number, atomic_weight
from ...physics.fractions import reference_columns
from ...physics.gmatrix import GMatrix
from ...simulation.spectra import Phases
from ..eels_gmatrix import eels_g_matrix

__all__ = ["simulated_edge_shapes"]

LEAST_AMOUNT = 1e-3  # of what the phases let expect: below, an edge is not measured


def simulated_edge_shapes(
    s: Any, phases: Phases, total: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    r"""Expected core-loss spectra of phases of equal mass thickness.

    Edges are those of the physics in proportion to the atoms of each phase, with the
    white lines that the sum of all spectra shows; below them lies the background of
    that sum, in proportion to the mass.

    Parameters
    ----------
    s : EELSSpectrum
    phases : Phases
        Names and mass fractions.
    total : ndarray, shape (n_channels,)
        Sum of the spectra of `s`.

    Returns
    -------
    shapes : ndarray, shape (n_phases, n_channels)
        Zero outside the energies of the edges.
    notes : list of str

    Raises
    ------
    ValueError
        If the metadata do not say what the physics needs, or an element has no edge
        on the axis.
    """
    from scipy.optimize import nnls

    from ...quantification.weights import fit_spectrum

    elements = sorted(phases.elements, key=atomic_number)
    g_matrix = eels_g_matrix(s, elements)
    inside = g_matrix.matrix.sum(axis=1) > 0
    fit, present = fit_spectrum(total, g_matrix.matrix, inside)
    weights = np.zeros(len(g_matrix.columns))
    weights[present] = fit.weights[0]
    atoms = _atoms_per_mass(phases, elements)
    reference = reference_columns(g_matrix)
    measured = weights[[reference[e] for e in elements]]
    masses = nnls(atoms.T, measured)[0]
    if masses.sum() == 0:
        raise ValueError(
            "`references` are compositions of which the sum of all spectra shows no "
            "edge. Check the elements and the energy axis, or label pixels."
        )
    expected = masses @ atoms
    edges = np.array(
        [
            _edge_per_atom(g_matrix, e, weights, reference[e], LEAST_AMOUNT * amount)
            for e, amount in zip(elements, expected, strict=True)
        ]
    )
    is_background = np.array([c.element is None for c in g_matrix.columns])
    background = g_matrix.matrix[:, is_background] @ weights[is_background]
    shapes = atoms @ edges + background / masses.sum()
    return shapes, ["References are simulated: edges, with the background of the sum."]


def _edge_per_atom(
    g_matrix: GMatrix,
    element: str,
    weights: np.ndarray,
    reference: int,
    least_amount: float,
) -> np.ndarray:
    """Edge of an element with its white lines, if it is seen."""
    if weights[reference] <= least_amount:
        return g_matrix.matrix[:, reference]
    own = np.array([column.element == element for column in g_matrix.columns])
    return g_matrix.matrix[:, own] @ weights[own] / weights[reference]


def _atoms_per_mass(phases: Phases, elements: list[str]) -> np.ndarray:
    """Mols per g, shape (n_phases, n_elements)."""
    return np.array(
        [
            [phase.get(e, 0.0) / atomic_weight(e) for e in elements]
            for phase in phases.mass_fractions
        ]
    )
