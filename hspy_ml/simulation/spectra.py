# SPDX-License-Identifier: GPL-3.0-or-later
"""What the phases are made of, and the spectra they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..physics.composition import (
    atomic_to_mass_fractions,
    formula_mass_fractions,
    mass_to_atomic_fractions,
)
from ..physics.gmatrix import GMatrix

__all__ = [
    "Composition",
    "Phases",
    "continuum_mix",
    "mean_mass_fractions",
    "phase_weights",
    "read_phases",
]

Composition = str | Mapping[str, float]

CONTINUUM_SPREAD = 0.1  # of the logarithms of its columns' weights between phases
CONTINUUM_SPAN = 60.0  # of its energies: 0.3 to 20 keV


@dataclass(frozen=True)
class Phases:
    """Names and compositions.

    Parameters
    ----------
    names : tuple of str
    mass_fractions : tuple of dict of str to float
        For each phase, symbols and mass fractions, which sum to one.
    """

    names: tuple[str, ...]
    mass_fractions: tuple[dict[str, float], ...]

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of all phases, each once, by alphabet as HyperSpy has them."""
        return tuple(sorted({e for phase in self.mass_fractions for e in phase}))

    @property
    def weight_percent(self) -> np.ndarray:
        """Percent of the mass, shape (n_phases, n_elements)."""
        return 100 * _table(self.mass_fractions, self.elements)

    @property
    def atomic_percent(self) -> np.ndarray:
        """Percent of the atoms, shape (n_phases, n_elements)."""
        atoms = [mass_to_atomic_fractions(phase) for phase in self.mass_fractions]
        return 100 * _table(atoms, self.elements)


def read_phases(phases: Mapping[str, Composition] | Sequence[Composition]) -> Phases:
    """Read phases from formulas or atomic fractions.

    Parameters
    ----------
    phases : mapping of str to composition, or sequence of compositions
        Compositions by name. Each is a formula such as "Mg0.9Fe0.1SiO3", or numbers
        of atoms by symbol, such as ``{"Fe": 1, "O": 1.5}``. Without names the
        formulas are the names.

    Returns
    -------
    Phases

    Raises
    ------
    TypeError
        If `phases` is a string, or a composition is neither text nor mapping.
    ValueError
        If there is no phase, or a composition cannot be read.
    """
    if isinstance(phases, str):
        raise TypeError(
            f"`phases` is the string {phases!r}; give a mapping of names to "
            f"formulas, or a list such as [{phases!r}]."
        )
    if not phases:
        raise ValueError("`phases` is empty; give one composition or more.")
    if not isinstance(phases, Mapping):
        phases = {_name(c, i): c for i, c in enumerate(phases)}
    fractions = [_mass_fractions(name, c) for name, c in phases.items()]
    return Phases(tuple(map(str, phases)), tuple(fractions))


def mean_mass_fractions(phases: Phases, shares: np.ndarray) -> dict[str, float]:
    """Composition of the whole film.

    Parameters
    ----------
    phases : Phases
    shares : ndarray, shape (n_phases,)
        Shares of the mass; their sum does not matter.

    Returns
    -------
    dict of str to float
        Mass fractions.
    """
    mean = shares @ phases.weight_percent
    return dict(zip(phases.elements, (mean / mean.sum()).tolist(), strict=True))


def phase_weights(
    phases: Phases,
    g_matrix: GMatrix,
    *,
    continuum_share: float = 0.3,
    equal_brightness: bool = False,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    r"""Weights of the columns of G for each phase.

    Elements have their mass fractions as weights, so that :math:`G W` counts photons
    for equal mass thickness. The continuum holds a share of the counts, with a shape
    close to 1/E as it is counted that differs a little between phases.

    Parameters
    ----------
    phases : Phases
    g_matrix : GMatrix
        Of all their elements, per mass.
    continuum_share : float, default 0.3
        Share of the counts of each phase that is bremsstrahlung, from 0 to below 1; it
        must be 0 for a matrix without continuum.
    equal_brightness : bool, default False
        Whether the phases are scaled to give equal counts.
    random_state : int or numpy.random.Generator, optional
        Makes the shape of the continuum repeat exactly.

    Returns
    -------
    ndarray, shape (n_columns, n_phases)

    Raises
    ------
    ValueError
        If the share is not allowed.
    """
    rows = [i for i, c in enumerate(g_matrix.columns) if c.kind == "continuum"]
    _check_continuum_share(continuum_share, len(rows))
    weights = _element_weights(phases, g_matrix)
    counts = g_matrix.matrix.sum(axis=0)
    if continuum_share > 0:
        rng = np.random.default_rng(random_state)
        of_elements = counts @ weights
        shape = continuum_mix(len(rows))[:, None] * np.exp(
            CONTINUUM_SPREAD * rng.standard_normal((len(rows), len(phases.names)))
        )
        wanted = of_elements * continuum_share / (1 - continuum_share)
        weights[rows] = shape * wanted / (counts[rows] @ shape)
    return weights / (counts @ weights) if equal_brightness else weights


def continuum_mix(n_columns: int, span: float = CONTINUUM_SPAN) -> np.ndarray:
    r"""Weights of normalised Bernstein columns that together are close to 1/E.

    That is the law of Kramers for photons of far less energy than the beam. All
    polynomials of a degree sum to one, so that over E they sum to 1/E; the integrals

    .. math:: \int_a^1 \binom{n}{k} u^{k-1} (1-u)^{n-k} du \approx
              \begin{cases} \ln(1/a) - \sum_{j=1}^n 1/j & k = 0 \\
              1/k & k > 0 \end{cases}

    are what each column holds of it; below `a` nothing passes the detector's contacts.

    Parameters
    ----------
    n_columns : int
        n + 1.
    span : float, default 60
        Highest over lowest energy, 1/a.

    Returns
    -------
    ndarray, shape (n_columns,)
        They sum to one.

    References
    ----------
    H. A. Kramers, Phil. Mag. 46 (1923) 836.
    """
    inverse = 1 / np.arange(1, n_columns)
    held = np.array([np.log(span) - inverse.sum(), *inverse])
    return held / held.sum()


def _check_continuum_share(share: float, n_columns: int) -> None:
    if not 0 <= share < 1 or (share > 0 and n_columns == 0):
        raise ValueError(
            f"`continuum_share` is {share}; it must be from 0 to below 1, and 0 for a "
            "G-matrix without continuum."
        )


def _element_weights(phases: Phases, g_matrix: GMatrix) -> np.ndarray:
    return np.array(
        [
            [phase.get(column.element, 0.0) for phase in phases.mass_fractions]
            for column in g_matrix.columns
        ]
    )


def _table(
    phases: Sequence[Mapping[str, float]], elements: Sequence[str]
) -> np.ndarray:
    return np.array([[phase.get(e, 0.0) for e in elements] for phase in phases])


def _name(composition: Composition, index: int) -> str:
    return composition if isinstance(composition, str) else f"phase {index}"


def _mass_fractions(name: str, composition: Composition) -> dict[str, float]:
    try:
        fractions = _read(composition)
    except (TypeError, ValueError) as error:
        raise type(error)(f"phase {name!r} in `phases`: {error}") from error
    return {element: value for element, value in fractions.items() if value > 0}


def _read(composition: Composition) -> dict[str, float]:
    if isinstance(composition, str):
        return formula_mass_fractions(composition)
    if not isinstance(composition, Mapping):
        raise TypeError(
            f"{composition!r} is no composition; give a formula such as "
            '"SiO2", or numbers of atoms such as {"Si": 1, "O": 2}.'
        )
    if not all(np.isfinite(amount) for amount in composition.values()):
        raise ValueError(f"{dict(composition)} holds amounts that are not finite.")
    return atomic_to_mass_fractions(composition)
