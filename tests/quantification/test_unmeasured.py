# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements by stoichiometry and by difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.composition import atomic_weight, formula_mass_fractions
from hspy_ml.quantification.unmeasured import (
    VALENCES,
    by_difference,
    by_stoichiometry,
    measured_only,
)


@pytest.mark.parametrize(
    "formula", ["MgO", "Al2O3", "SiO2", "TiO2", "Fe0O0FeO", "Mg2SiO4", "CaTiO3", "P2O5"]
)
def test_oxides_get_the_oxygen_of_their_formula(formula):
    formula = formula.replace("Fe0O0", "")
    fractions = formula_mass_fractions(formula)
    elements = tuple(fractions)
    completion = by_stoichiometry(elements, "O", "mass")
    measured = np.array([fractions[e] for e in elements if e != "O"])
    np.testing.assert_allclose(
        completion.amounts(measured), list(fractions.values()), rtol=1e-6
    )


def test_atoms_are_counted_without_their_weights():
    completion = by_stoichiometry(("Al", "O"), "O", "atomic")
    np.testing.assert_allclose(completion.amounts(np.array([2.0])), [2.0, 3.0])


def test_own_valences_win():
    ferric = by_stoichiometry(("Fe", "O"), "O", "atomic", {"Fe": 3})
    np.testing.assert_allclose(ferric.amounts(np.array([2.0])), [2.0, 3.0])


def test_fluorine_takes_the_place_of_oxygen():
    """CaF2 needs no oxygen; an excess of fluorine cannot make it negative."""
    completion = by_stoichiometry(("Ca", "F", "O"), "O", "atomic")
    np.testing.assert_allclose(completion.amounts(np.array([1.0, 2.0])), [1, 2, 0])
    np.testing.assert_allclose(completion.amounts(np.array([1.0, 3.0])), [1, 3, 0])


def test_another_anion_can_balance():
    sulphide = by_stoichiometry(("Zn", "S"), "S", "mass", {"S": -2})
    amounts = sulphide.amounts(np.array([atomic_weight("Zn")]))
    np.testing.assert_allclose(amounts[1], atomic_weight("S"))


def test_difference_fills_what_is_left():
    completion = by_difference(("Fe", "C"), "C", 2.0)
    np.testing.assert_allclose(completion.amounts(np.array([1.5])), [1.5, 0.5])
    np.testing.assert_allclose(completion.amounts(np.array([2.5])), [2.5, 0.0])


@given(st.lists(st.floats(0, 10), min_size=3, max_size=3))
def test_covariance_is_that_of_a_linear_map(errors):
    completion = by_stoichiometry(("Si", "Al", "Fe", "O"), "O", "mass")
    covariance = np.diag(np.square(errors))
    whole = completion.covariance(covariance)
    np.testing.assert_allclose(whole[:3, :3], covariance)
    row = completion.transfer[3]
    assert whole[3, 3] == pytest.approx(row @ covariance @ row)


def test_nothing_is_added_to_measured_elements():
    amounts = np.array([[0.2, 0.8], [3.0, 0.0]])
    np.testing.assert_array_equal(measured_only(("Fe", "O")).amounts(amounts), amounts)


@pytest.mark.parametrize(
    ("elements", "element", "message"),
    [
        (("Fe", "O"), "Fe", "valence is 2"),
        (("Ne", "O"), "O", "no entry for Ne"),
        (("O",), "O", "only element"),
        (("Fe", "Xx"), "Xx", "'Xx'"),
    ],
)
def test_impossible_stoichiometry_is_refused(elements, element, message):
    with pytest.raises(ValueError, match=message):
        by_stoichiometry(elements, element, "mass")


def test_valences_cover_what_minerals_hold():
    common = "Na Mg Al Si P S K Ca Ti V Cr Mn Fe Co Ni Cu Zn Sr Y Zr Nb Mo Ba La Ce Nd"
    assert set(common.split()) <= set(VALENCES)
    assert all(-1 <= charge <= 6 and charge for charge in VALENCES.values())
