# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of flat bulk phases, each by the response of its own composition."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.gmatrix import Column, GMatrix, build_g_matrix
from ..physics.specimen import Specimen
from .phase_spectra import PhaseSpectra
from .random_continuum import continuum_mixes
from .spectra import Phases

__all__ = [
    "BulkMatrix",
    "bulk_matrix",
    "bulk_phase_spectra",
    "solid_solution_spectra",
]

#: Makes the G-matrix of a bulk from conditions and mass fractions.
BulkMatrix = Callable[[Acquisition, Mapping[str, float]], GMatrix]


def bulk_matrix(
    acquisition: Acquisition, mass_fractions: Mapping[str, float]
) -> GMatrix:
    """The G-matrix of a bulk, by depth distributions (XPP).

    Parameters
    ----------
    acquisition : Acquisition
        Technique "EDS_SEM", with a detector.
    mass_fractions : mapping of str to float
        They sum to one.

    Returns
    -------
    GMatrix
    """
    specimen = Specimen(mass_fractions, "bulk")
    return build_g_matrix(acquisition, list(mass_fractions), specimen)


def bulk_phase_spectra(
    phases: Phases,
    acquisition: Acquisition,
    *,
    continuum_share: float = 0.5,
    matrix_of: BulkMatrix = bulk_matrix,
    random_state: int | np.random.Generator | None = None,
) -> PhaseSpectra:
    """Spectra of phases, each of which is larger than the electrons' range.

    Parameters
    ----------
    phases : Phases
    acquisition : Acquisition
        Technique "EDS_SEM", with a detector.
    continuum_share : float, default 0.5
        Share of the counts of each phase that is bremsstrahlung, from 0 to below 1.
        Its shape is near the laws of Kramers and of Small et al., and differs between
        phases (`continuum_mixes`).
    matrix_of : callable, default `bulk_matrix`
        Makes the G-matrix of a composition.
    random_state : int or numpy.random.Generator, optional
        Makes the shape of the continuum repeat exactly.

    Returns
    -------
    PhaseSpectra
        Counts of equal numbers of electrons; columns of elements have their mass
        fractions as weights.

    Raises
    ------
    ValueError
        If the share is not allowed, or a phase has an element without a line.
    """
    if not 0 <= continuum_share < 1:
        raise ValueError(
            f"`continuum_share` is {continuum_share}; it must be from 0 to below 1."
        )
    rng = np.random.default_rng(random_state)
    matrices = [matrix_of(acquisition, phase) for phase in phases.mass_fractions]
    found = [
        _weights(g_matrix, phase, continuum_share, rng)
        for g_matrix, phase in zip(matrices, phases.mass_fractions, strict=True)
    ]
    columns = _all_columns(matrices, phases.elements)
    weights = np.zeros((len(columns), len(found)))
    for phase, (g_matrix, values) in enumerate(zip(matrices, found, strict=True)):
        weights[[columns.index(name) for name in g_matrix.names], phase] = values
    spectra = [g.matrix @ values for g, values in zip(matrices, found, strict=True)]
    return PhaseSpectra(columns, weights, np.array(spectra), np.ones(len(found)))


def solid_solution_spectra(
    phases: Phases,
    of_phases: PhaseSpectra,
    shares: np.ndarray,
    acquisition: Acquisition,
    *,
    matrix_of: BulkMatrix = bulk_matrix,
) -> np.ndarray:
    """Spectra of homogeneous mixtures of phases.

    Parameters
    ----------
    phases : Phases
    of_phases : PhaseSpectra
        See `bulk_phase_spectra`.
    shares : ndarray, shape (n_mixtures, n_phases)
        Abundances, which sum to one.
    acquisition : Acquisition
        Technique "EDS_SEM", with a detector.
    matrix_of : callable, default `bulk_matrix`
        Makes the G-matrix of a composition.

    Returns
    -------
    ndarray, shape (n_mixtures, n_channels)
        Each by the response of its own composition.
    """
    mass = (shares * of_phases.mass) @ phases.weight_percent
    weights = shares @ of_phases.weights.T
    spectra = []
    for amounts, of_columns in zip(mass, weights, strict=True):
        fractions = dict(zip(phases.elements, amounts / amounts.sum(), strict=True))
        g_matrix = matrix_of(acquisition, {e: f for e, f in fractions.items() if f > 0})
        known = dict(zip(of_phases.columns, of_columns, strict=True))
        spectra.append(g_matrix.matrix @ [known.get(n, 0.0) for n in g_matrix.names])
    return np.array(spectra)


def _weights(
    g_matrix: GMatrix,
    mass_fractions: Mapping[str, float],
    continuum_share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    weights = np.array([mass_fractions.get(c.element, 0.0) for c in g_matrix.columns])
    counts = g_matrix.matrix.sum(axis=0)
    rows = [i for i, c in enumerate(g_matrix.columns) if c.kind == "continuum"]
    wanted = (counts @ weights) * continuum_share / (1 - continuum_share)
    weights[rows] = wanted * continuum_mixes(g_matrix, 1, rng)[0] / counts[rows]
    return weights


def _all_columns(matrices: list[GMatrix], elements: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns of all phases, elements first."""

    def place(column: Column) -> tuple:
        if column.element is None:
            return (len(elements), column.name)
        return (elements.index(column.element), column.name)

    columns = {column for g_matrix in matrices for column in g_matrix.columns}
    return tuple(dict.fromkeys(c.name for c in sorted(columns, key=place)))
