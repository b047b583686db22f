# SPDX-License-Identifier: GPL-3.0-or-later
"""The element that no line measures: by stoichiometry, or by difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..physics.composition import atomic_number, atomic_weight, symbol

__all__ = [
    "VALENCES",
    "Completion",
    "by_difference",
    "by_stoichiometry",
    "measured_only",
]

#: Charge of the commonest ion in oxides, by atomic number; 0 where there is none.
_POSITIVE = {
    1: (1, 3, 11, 19, 29, 37, 47, 55, 81, 87),
    2: (4, 12, 20, 25, 26, 27, 28, 30, 38, 48, 56, 78, 80, 82, 88),
    3: (5, 13, 21, 24, 31, 33, 39, 44, 45, 49, 51, 57, 59, 60, 61, 62, 63, 64, 65)
    + (66, 67, 68, 69, 70, 71, 79, 83, 89),
    4: (6, 14, 22, 32, 34, 40, 43, 46, 50, 52, 58, 72, 75, 76, 77, 90, 92),
    5: (7, 15, 23, 41, 73, 91),
    6: (16, 42, 74),
}
_NEGATIVE = {-1: (9, 17, 35, 53)}

#: Valence of each element in an oxide: iron and manganese 2, sulphur 6; halogens
#: take the place of oxygen. Give your own where yours differ.
VALENCES: dict[str, int] = {
    symbol(number): charge
    for charge, numbers in (_POSITIVE | _NEGATIVE).items()
    for number in numbers
}


@dataclass(frozen=True, eq=False)
class Completion:
    """From the amounts that lines measure to those of all elements: linear.

    Parameters
    ----------
    elements : tuple of str
        All elements.
    transfer : ndarray, shape (n_elements, n_measured)
        Amounts of all elements for one unit of each measured one.
    constant : ndarray, shape (n_elements,)
        What is added whatever was measured.
    """

    elements: tuple[str, ...]
    transfer: np.ndarray
    constant: np.ndarray

    def amounts(self, measured: np.ndarray) -> np.ndarray:
        """Amounts of all elements, not below zero; shape (..., n_elements)."""
        return np.maximum(measured @ self.transfer.T + self.constant, 0.0)

    def covariance(self, measured: np.ndarray) -> np.ndarray:
        """Covariance of all amounts; shape (..., n_elements, n_elements)."""
        return self.transfer @ measured @ self.transfer.T


def measured_only(elements: Sequence[str]) -> Completion:
    """Every element has its line.

    Parameters
    ----------
    elements : sequence of str

    Returns
    -------
    Completion
    """
    n = len(elements)
    return Completion(tuple(elements), np.eye(n), np.zeros(n))


def by_stoichiometry(
    elements: Sequence[str],
    element: str,
    concentration: str,
    valences: Mapping[str, float] | None = None,
) -> Completion:
    """An element that balances the charges of all others.

    Parameters
    ----------
    elements : sequence of str
        All elements, with `element`.
    element : str
        Most often "O"; its own valence is negative (-2 for oxygen).
    concentration : {"mass", "atomic"}
        What amounts count.
    valences : mapping of str to float, optional
        Charges of ions, where they differ from `VALENCES`.

    Returns
    -------
    Completion

    Raises
    ------
    ValueError
        If an element has no valence, the balancing one does not oppose the others,
        or no element is left to be measured.
    """
    charges = {"O": -2.0, **VALENCES, **(valences or {})}
    measured = _others(elements, element)
    unknown = [e for e in (*measured, element) if e not in charges]
    if unknown:
        raise ValueError(
            f"`valences` has no entry for {', '.join(unknown)}; give it, such as "
            f"`valences={{{unknown[0]!r}: 2}}`, with `by_stoichiometry`."
        )
    if charges[element] >= 0:
        raise ValueError(
            f"`by_stoichiometry` is {element!r}, whose valence is "
            f"{charges[element]:g}; the element that balances the others has a "
            "negative one, such as oxygen, or say so with `valences`."
        )
    weights = np.ones(len(measured)), 1.0
    if concentration == "mass":
        weights = np.array([atomic_weight(e) for e in measured]), atomic_weight(element)
    charge = np.array([charges[e] for e in measured]) / weights[0]
    row = charge / -charges[element] * weights[1]
    return Completion(
        tuple(elements),
        _transfer(elements, element, row),
        np.zeros(len(elements)),
    )


def by_difference(
    elements: Sequence[str], element: str, total_amount: float
) -> Completion:
    """An element that is all that the others are not.

    Parameters
    ----------
    elements : sequence of str
        All elements, with `element`.
    element : str
    total_amount : float
        What the amounts of all elements sum to.

    Returns
    -------
    Completion
    """
    measured = _others(elements, element)
    constant = np.where(np.array(elements) == element, total_amount, 0.0)
    row = np.full(len(measured), -1.0)
    return Completion(tuple(elements), _transfer(elements, element, row), constant)


def _others(elements: Sequence[str], element: str) -> list[str]:
    atomic_number(element)
    others = [e for e in elements if e != element]
    if not others:
        raise ValueError(
            f"{element!r} is the only element; at least one other has to be measured."
        )
    return others


def _transfer(elements: Sequence[str], element: str, row: np.ndarray) -> np.ndarray:
    transfer = np.zeros((len(elements), row.size))
    is_it = np.array(elements) == element
    transfer[~is_it] = np.eye(row.size)
    transfer[is_it] = row
    return transfer
