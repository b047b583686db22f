# SPDX-License-Identifier: GPL-3.0-or-later
"""Symbols and fractions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.composition import (
    atomic_number,
    atomic_to_mass_fractions,
    atomic_weight,
    formula_mass_fractions,
    mass_to_atomic_fractions,
    symbol,
)


@given(st.integers(1, 99))
def test_symbols_and_numbers_are_inverse(number):
    assert atomic_number(symbol(number)) == number


@pytest.mark.parametrize("bad", ["Xx", "fe", "", "26", "Iron"])
def test_unknown_symbol_is_named(bad):
    with pytest.raises(ValueError, match=f"`elements` holds {bad!r}"):
        atomic_number(bad)


def test_quartz():
    mass = formula_mass_fractions("SiO2")
    assert mass["Si"] == pytest.approx(0.46743, abs=1e-4)
    atoms = mass_to_atomic_fractions(mass)
    assert atoms == pytest.approx({"O": 2 / 3, "Si": 1 / 3})


def test_equiatomic_iron_platinum():
    mass = atomic_to_mass_fractions({"Fe": 1, "Pt": 1})
    assert mass["Pt"] == pytest.approx(195.08 / (195.08 + 55.845), abs=1e-4)
    assert list(mass) == ["Fe", "Pt"]
    assert atomic_weight("Fe") == pytest.approx(55.845, abs=0.01)


@given(
    st.dictionaries(
        st.integers(1, 98).map(symbol), st.floats(1e-3, 1e3), min_size=1, max_size=7
    )
)
def test_fractions_sum_to_one_and_come_back(amounts):
    mass = atomic_to_mass_fractions(amounts)
    assert sum(mass.values()) == pytest.approx(1)
    total = sum(amounts.values())
    back = mass_to_atomic_fractions(mass)
    assert back == pytest.approx({e: a / total for e, a in amounts.items()})


@pytest.mark.parametrize("bad", [{}, {"Fe": 0.0}, {"Fe": 2.0, "O": -1.0}])
def test_impossible_amounts(bad):
    with pytest.raises(ValueError, match="not negative"):
        mass_to_atomic_fractions(bad)


def test_unreadable_formula():
    with pytest.raises(ValueError, match="`formula` 'si o2'"):
        formula_mass_fractions("si o2")
