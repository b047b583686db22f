# SPDX-License-Identifier: GPL-3.0-or-later
"""Core-loss spectra of phases: edges on a background that falls as a power."""

from __future__ import annotations

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.composition import atomic_weight
from ..physics.eels_gmatrix import build_eels_g_matrix
from ..physics.eels_window import edges_inside
from ..physics.gmatrix import GMatrix
from ..physics.low_loss import LowLoss
from .phase_spectra import PhaseSpectra
from .spectra import Phases

__all__ = ["JUMP_WINDOW_EV", "core_loss_spectra"]

JUMP_WINDOW_EV = 50.0  # from the onset of the first edge
EXPONENT_STEP = 0.15
#: Mean shares of the three exponents, times how closely phases keep to them.
EXPONENT_SHARES = (4.0, 8.0, 4.0)
BACKGROUND_SPREAD = 0.1  # of its logarithm, between phases of equal mass


def core_loss_spectra(
    phases: Phases,
    acquisition: Acquisition,
    *,
    background_exponent: float = 3.0,
    jump_ratio: float = 1.5,
    low_loss: LowLoss | None = None,
    random_state: int | np.random.Generator | None = None,
) -> PhaseSpectra:
    r"""Spectra of films of phases, of equal mass thickness.

    Edges are those of `build_eels_g_matrix`, hydrogenic or in the dipole
    approximation, without white lines. Below them lies a sum of three powers
    :math:`E^{-r}`, 0.15 from each other, with shares that differ between phases, as
    does their intensity (by 10 %).

    Parameters
    ----------
    phases : Phases
    acquisition : Acquisition
        Technique "EELS", with both angles.
    background_exponent : float, default 3
        r; its phases scatter around it by about 0.05.
    jump_ratio : float, default 1.5
        Counts in the 50 eV from the onset of the first edge on the axis, in an even
        mixture of the phases, over what the background has of them.
    low_loss : LowLoss, optional
        What the edges are convolved with: plural scattering.
    random_state : int or numpy.random.Generator, optional
        Makes the background repeat exactly.

    Returns
    -------
    PhaseSpectra
        Columns of elements have atoms per g of the phase as weights, up to a factor.

    Raises
    ------
    ValueError
        If an element has no edge on the axis, or a parameter makes no sense.
    """
    if not 1.5 <= background_exponent <= 6.5:
        raise ValueError(
            f"`background_exponent` is {background_exponent}; it must be between 1.5 "
            "and 6.5."
        )
    if not 1 < jump_ratio < np.inf:
        raise ValueError(f"`jump_ratio` is {jump_ratio}; it must be above 1.")
    rng = np.random.default_rng(random_state)
    energy = acquisition.energy
    g_matrix = build_eels_g_matrix(
        acquisition,
        phases.elements,
        low_loss=low_loss,
        white_lines=False,
        fit_window=(max(energy[0], 1.0), energy[-1]),
        exponents=background_exponent + EXPONENT_STEP * np.arange(-1, 2),
    )
    weights = _atoms(phases, g_matrix)
    edges = g_matrix.matrix @ weights.mean(axis=1)
    rows = [i for i, c in enumerate(g_matrix.columns) if c.element is None]
    shares = rng.dirichlet(EXPONENT_SHARES, size=len(phases.names)).T
    shares *= np.exp(BACKGROUND_SPREAD * rng.standard_normal(len(phases.names)))
    background = g_matrix.matrix[:, rows] @ shares.mean(axis=1)
    seen = _after_first_onset(phases, energy)
    wanted = edges[seen].sum() / (jump_ratio - 1)
    weights[rows] = shares * wanted / background[seen].sum()
    return PhaseSpectra.of_one_matrix(g_matrix, weights)


def _atoms(phases: Phases, g_matrix: GMatrix) -> np.ndarray:
    """Mols per g of each column's element, shape (n_columns, n_phases)."""
    return np.array(
        [
            [
                phase.get(c.element, 0.0) / atomic_weight(c.element)
                if c.element
                else 0.0
                for phase in phases.mass_fractions
            ]
            for c in g_matrix.columns
        ]
    )


def _after_first_onset(phases: Phases, energy: np.ndarray) -> np.ndarray:
    onsets = [
        edge.onset_eV
        for element in phases.elements
        for edge in edges_inside(element, energy[0], energy[-1])
    ]
    first = min(onsets)
    return (energy >= first) & (energy <= first + JUMP_WINDOW_EV)
