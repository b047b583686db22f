# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines: ratios that are known, conservation of vacancies, mended holes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.ionisation import SUBSHELLS, edge_energy, subshells
from hspy_ml.physics.relaxation import (
    coster_kronig_probability,
    emission_lines,
    fluorescence_yield,
    is_quantitative,
    vacancies_per_ionisation,
)

FAMILIES = [
    (number, family)
    for family, first in (("K", 3), ("L", 20), ("M", 57))
    for number in range(first, 99)
]


def photons_of(number, family, shell):
    lines = emission_lines(number, family)
    return lines.photons_per_ionisation[:, lines.shells.index(shell)].sum()


def energy_of(number, line):
    lines = emission_lines(number, line[0])
    return lines.energy_keV[lines.names.index(line)]


def test_k_beta_to_k_alpha_of_iron():
    lines = emission_lines(26, "K")
    alpha = np.array([name.startswith("KL") for name in lines.names])
    photons = lines.photons(np.ones(1))
    assert 0.130 < photons[~alpha].sum() / photons[alpha].sum() < 0.138


@pytest.mark.parametrize(
    ("number", "line", "energy_keV"),
    [  # J. A. Bearden, Rev. Mod. Phys. 39 (1967) 78
        (14, "KL3", 1.73998),
        (26, "KL3", 6.40384),
        (29, "KL3", 8.04778),
        (78, "L3M5", 9.4423),
        (79, "M5N7", 2.1229),
        (57, "M5N7", 0.833),
        (58, "M5N7", 0.883),
    ],
)
def test_line_energies(number, line, energy_keV):
    assert energy_of(number, line) == pytest.approx(energy_keV, abs=2.5e-3)


@pytest.mark.parametrize(("number", "family"), FAMILIES)
def test_vacancies_end_once(number, family):
    # every vacancy that is made leaves the family by photon or Auger electron
    shells = subshells(number, family)
    passing = vacancies_per_ionisation(number, shells)
    moving = np.array(
        [
            sum(coster_kronig_probability(number, s, t) for t in shells if t > s)
            for s in shells
        ]
    )
    assert np.allclose((1 - moving) @ passing, 1)
    assert np.all(passing >= 0)


@pytest.mark.parametrize(("number", "family"), FAMILIES)
def test_probabilities_of_a_subshell_sum_to_at_most_one(number, family):
    for shell in SUBSHELLS[family]:
        moving = sum(
            coster_kronig_probability(number, shell, t)
            for t in SUBSHELLS[family]
            if t > shell
        )
        assert 0 <= fluorescence_yield(number, shell) + moving < 1 + 1e-12


@pytest.mark.parametrize(("number", "family"), FAMILIES)
def test_rates_of_a_subshell_sum_to_one(number, family):
    # photons after a vacancy in the outermost subshell: its yield, no more, no less
    last = subshells(number, family)[-1]
    total = photons_of(number, family, last)
    assert total == pytest.approx(fluorescence_yield(number, last), rel=0.015)


def test_coster_kronig_moves_vacancies_to_l3():
    lines = emission_lines(79, "L")
    fills_l3 = lines.shell_index == 2
    per_shell = lines.photons_per_ionisation[fills_l3].sum(axis=0)
    f12, f13, f23 = (
        coster_kronig_probability(79, a, b)
        for a, b in (("L1", "L2"), ("L1", "L3"), ("L2", "L3"))
    )
    expected = np.array([f13 + f12 * f23, f23, 1]) * fluorescence_yield(79, "L3")
    assert np.allclose(per_shell, expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("number", "shell"),
    [(75, "L2"), (75, "L3"), (51, "L2"), (51, "L3"), (79, "M2"), (82, "M2")],
)
def test_mended_yields_lie_between_their_neighbours(number, shell):
    below, here, above = (
        fluorescence_yield(z, shell) for z in (number - 1, number, number + 1)
    )
    assert here == pytest.approx(np.sqrt(below * above), rel=0.05)


def test_yields_of_the_outermost_subshells_are_smooth():
    for shell, first in (("K", 6), ("L3", 23), ("M5", 61)):
        yields = [fluorescence_yield(z, shell) for z in range(first, 99)]
        assert np.all(np.abs(np.diff(np.log(yields), 2)) < 0.26)


def test_coster_kronig_of_ytterbium_m4_is_that_of_its_neighbours():
    assert coster_kronig_probability(70, "M4", "M5") == pytest.approx(0.04)


@pytest.mark.parametrize("number", [67, 68, 69])
def test_m1_is_renormalised(number):
    moving = sum(coster_kronig_probability(number, "M1", f"M{i}") for i in range(2, 6))
    assert moving + fluorescence_yield(number, "M1") == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("number", "energy"), [(3, 0.0543), (4, 0.1085)])
def test_lithium_and_beryllium_have_one_line(number, energy):
    lines = emission_lines(number, "K")
    assert lines.energy_keV.tolist() == [energy]
    expected = [fluorescence_yield(number, "K")]
    assert lines.photons(np.ones(1)) == pytest.approx(expected)


def test_l_lines_of_titanium_have_energies():
    # J. A. Bearden (1967): Ll (L3M1) 0.3953 keV; xraylib has no energy for L3N1,
    # which lies just below the L3 edge at 0.454 keV
    assert energy_of(22, "L3M1") == pytest.approx(0.3953, abs=3e-3)
    assert energy_of(22, "L3N1") == pytest.approx(0.454, abs=5e-3)


@pytest.mark.parametrize("number", [94, 95, 98])
def test_m2_of_transuranic_elements_is_filled_from_n4(number):
    lines = emission_lines(number, "M")
    photons = lines.photons_per_ionisation[:, lines.shells.index("M2")]
    into_m2 = np.where(lines.shell_index == 1, photons, 0)
    assert lines.names[into_m2.argmax()] == "M2N4"


@pytest.mark.parametrize("number", [57, 58, 60, 62, 63])
def test_strongest_m_line_of_light_lanthanides_is_m_alpha(number):
    lines = emission_lines(number, "M")
    assert lines.names[lines.photons(np.ones(5)).argmax()] in ("M5N7", "M4N6")
    assert energy_of(number, "M5N7") > energy_of(number, "M5N3") + 0.15


@pytest.mark.parametrize(
    ("number", "family"), [(1, "K"), (2, "K"), (19, "L"), (14, "L"), (56, "M")]
)
def test_families_without_known_lines(number, family):
    assert emission_lines(number, family) is None


def test_which_families_give_concentrations():
    assert is_quantitative(8, "K")
    assert not is_quantitative(26, "L")
    assert is_quantitative(78, "L")
    assert not is_quantitative(58, "M")


@given(st.sampled_from(FAMILIES))
def test_lines_lie_below_the_edges_and_photons_below_one(family):
    lines = emission_lines(*family)
    edges = np.array([edge_energy(family[0], s) for s in lines.shells])
    assert np.all(lines.energy_keV > 0)
    assert np.all(lines.energy_keV < 1.03 * edges[lines.shell_index] + 0.01)
    assert np.all(lines.photons_per_ionisation >= 0)
    assert np.all(lines.photons_per_ionisation.sum(axis=0) < 1)
    assert np.all(np.isfinite(lines.photons_per_ionisation))


def test_photons_are_linear_in_ionisations():
    lines = emission_lines(50, "L")
    a, b = np.array([1.0, 0, 3]), np.array([0.2, 5, 0])
    both = lines.photons(2 * a + b)
    assert np.allclose(both, 2 * lines.photons(a) + lines.photons(b))
