# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross sections: reference values, continuity, thresholds."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.ionisation import (
    edge_energy,
    ionisation_cross_section,
    subshells,
)
from hspy_ml.tables import bote_salvat

REFERENCE = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/tables/reference_cross_sections.csv"
)
ALL_SUBSHELLS = sorted(bote_salvat())


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs ../shared")
def test_reference_values():
    with REFERENCE.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        energy_keV = float(row["E0_eV"]) / 1e3
        found = ionisation_cross_section(int(row["Z"]), row["shell"], energy_keV)
        assert found == pytest.approx(float(row["sigma_cm2"]), rel=1e-5)
    assert len(rows) == 40


def test_iron_k_at_200_keV_by_hand():
    # both terms of the formula at U = 200 keV / 7.111 keV, written out once more
    c = bote_salvat()[26, "K"]
    rest, energy = 510998.95, 200e3
    gamma = 1 + energy / rest
    x = np.sqrt(gamma**2 - 1)
    beta2 = 1 - 1 / gamma**2
    braces = (np.log(x**2) - beta2) * (1 + c.g1 / x)
    braces += c.g2 + c.g3 * gamma**-0.5 + c.g4 / x
    u = energy / c.edge_energy_eV
    expected = u / (u + c.Be) * 4 * np.pi * (5.29177210903e-9) ** 2
    expected *= c.Anlj / beta2 * braces
    assert ionisation_cross_section(26, "K", 200.0) == pytest.approx(expected, rel=1e-9)


def test_formulas_meet_at_overvoltage_16():
    jumps = []
    for number, shell in ALL_SUBSHELLS:
        meet = 16 * edge_energy(number, shell)
        below, above = ionisation_cross_section(
            number, shell, meet * np.array([1 - 1e-9, 1 + 1e-9])
        )
        jumps.append(abs(above / below - 1))
    assert len(jumps) == 731
    assert max(jumps) < 2e-3


@pytest.mark.parametrize(("number", "shell"), [(1, "K"), (26, "L3"), (92, "M5")])
def test_nothing_at_and_below_the_edge(number, shell):
    edge = edge_energy(number, shell)
    sigma = ionisation_cross_section(number, shell, [0, 0.3 * edge, edge, 1.01 * edge])
    assert np.array_equal(sigma[:3], np.zeros(3))
    assert sigma[3] > 0


def test_shape_follows_energy():
    assert isinstance(ionisation_cross_section(8, "K", 5.0), float)
    energies = np.geomspace(0.1, 300, 15).reshape(3, 5)
    sigma = ionisation_cross_section(8, "K", energies)
    assert sigma.shape == (3, 5)
    assert sigma[1, 2] == ionisation_cross_section(8, "K", energies[1, 2])


def test_subshells_with_known_cross_sections():
    assert subshells(26, "K") == ("K",)
    assert subshells(11, "L") == ("L1",)
    assert subshells(26, "M") == ("M1", "M2", "M3")
    assert subshells(6, "M") == ()


@given(
    subshell=st.sampled_from(ALL_SUBSHELLS),
    energy_keV=st.floats(0, 1000, allow_subnormal=False),
)
def test_finite_not_negative_and_continuous(subshell, energy_keV):
    sigma = ionisation_cross_section(*subshell, [energy_keV, energy_keV * (1 + 1e-7)])
    assert np.all(np.isfinite(sigma))
    assert np.all(sigma >= 0)
    largest = ionisation_cross_section(
        *subshell, edge_energy(*subshell) * np.linspace(2, 6, 9)
    ).max()
    assert abs(sigma[1] - sigma[0]) < 2e-3 * largest


@given(subshell=st.sampled_from(ALL_SUBSHELLS), overvoltage=st.floats(1.001, 2.0))
def test_rises_from_the_edge(subshell, overvoltage):
    edge = edge_energy(*subshell)
    sigma = ionisation_cross_section(
        *subshell, edge * np.array([overvoltage, overvoltage + 0.05])
    )
    assert sigma[1] > sigma[0] > 0


def test_unknown_subshell_is_named():
    with pytest.raises(ValueError, match=r"`atomic_number` 6, `shell` 'M5'"):
        ionisation_cross_section(6, "M5", 10.0)


@pytest.mark.parametrize("energy", [-1.0, np.nan, np.inf, [1.0, np.nan]])
def test_impossible_energy(energy):
    with pytest.raises(ValueError, match="`energy_keV`"):
        ionisation_cross_section(6, "K", energy)
