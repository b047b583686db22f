# SPDX-License-Identifier: GPL-3.0-or-later
"""Symbols, atomic numbers, and the fractions that compositions are given in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

__all__ = [
    "AVOGADRO",
    "atomic_number",
    "atomic_to_mass_fractions",
    "atomic_weight",
    "formula_mass_fractions",
    "mass_to_atomic_fractions",
    "symbol",
]


#: Per mol; exact by definition of the SI (2019).
AVOGADRO = 6.02214076e23


@lru_cache(maxsize=256)
def atomic_number(element: str) -> int:
    """Atomic number of a symbol.

    Parameters
    ----------
    element : str
        Symbol such as "Fe".

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If no element has this symbol.
    """
    import xraylib

    try:
        return xraylib.SymbolToAtomicNumber(element)
    except (ValueError, TypeError):
        raise ValueError(
            f"`elements` holds {element!r}, which is no symbol of an element; "
            'symbols are written like "Fe".'
        ) from None


@lru_cache(maxsize=256)
def symbol(atomic_number: int) -> str:
    """Symbol of an atomic number, such as "Fe" of 26."""
    import xraylib

    return xraylib.AtomicNumberToSymbol(int(atomic_number))


@lru_cache(maxsize=256)
def atomic_weight(element: str) -> float:
    """Standard atomic weight of a symbol, g/mol (xraylib's)."""
    import xraylib

    return xraylib.AtomicWeight(atomic_number(element))


def mass_to_atomic_fractions(mass_fractions: Mapping[str, float]) -> dict[str, float]:
    """Atomic fractions of a composition given in mass.

    Parameters
    ----------
    mass_fractions : mapping of str to float
        Masses by symbol, in any unit.

    Returns
    -------
    dict of str to float
        Atomic fractions, in the same order; they sum to one.
    """
    return _normalised({e: m / atomic_weight(e) for e, m in mass_fractions.items()})


def atomic_to_mass_fractions(
    atomic_fractions: Mapping[str, float],
) -> dict[str, float]:
    """Mass fractions of a composition given in atoms.

    Parameters
    ----------
    atomic_fractions : mapping of str to float
        Numbers of atoms by symbol, in any unit.

    Returns
    -------
    dict of str to float
        Mass fractions, in the same order; they sum to one.
    """
    return _normalised({e: n * atomic_weight(e) for e, n in atomic_fractions.items()})


def formula_mass_fractions(formula: str) -> dict[str, float]:
    """Mass fractions of a chemical formula.

    Parameters
    ----------
    formula : str
        Such as "SiO2" or "Ca(OH)2".

    Returns
    -------
    dict of str to float
        Mass fractions by symbol, which sum to one.

    Raises
    ------
    ValueError
        If the formula cannot be read.
    """
    import xraylib

    try:
        compound = xraylib.CompoundParser(formula)
    except (ValueError, TypeError):
        raise ValueError(
            f"`formula` {formula!r} cannot be read; formulas are written like "
            '"SiO2" or "Ca(OH)2".'
        ) from None
    numbers, fractions = compound["Elements"], compound["massFractions"]
    return {symbol(z): f for z, f in zip(numbers, fractions, strict=True)}


def _normalised(amounts: dict[str, float]) -> dict[str, float]:
    total = sum(amounts.values())
    if not total > 0 or min(amounts.values()) < 0:
        raise ValueError(
            "a composition needs amounts that are not negative, at least one above "
            f"zero; {amounts} was given."
        )
    return {element: amount / total for element, amount in amounts.items()}
