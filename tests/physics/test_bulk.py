# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk response: checked values, limits, and conservation."""

from __future__ import annotations

import numpy as np
import pytest

from hspy_ml.physics.absorption import mixture_mass_absorption_coefficient
from hspy_ml.physics.bulk import BulkResponse
from hspy_ml.physics.composition import atomic_number
from hspy_ml.physics.fluorescence import continuum_photons
from hspy_ml.physics.ionisation import edge_energy, ionisation_cross_section
from hspy_ml.physics.stopping import (
    backscatter_coefficient,
    backscatter_loss_factor,
    medium_of,
    stopping_power,
)
from hspy_ml.physics.xpp import depth_distribution, ionisation_exponent

# NIST SRM 470, glass K412, weight percent.
K412 = dict(O=42.758, Mg=11.657, Al=4.906, Si=21.198, Ca=10.899, Fe=7.742)
LINE_KEV = dict(O=0.5249, Mg=1.2536, Al=1.4867, Si=1.7397, Ca=3.6905, Fe=6.4)


def bulk(composition: dict, beam_energy_keV: float = 20.0) -> BulkResponse:
    amounts = np.array(list(composition.values()))
    return BulkResponse(
        tuple(composition), amounts / amounts.sum(), beam_energy_keV, 35.0
    )


def distribution(response: BulkResponse, element: str):
    number = atomic_number(element)
    return depth_distribution(
        response.medium,
        response.beam_energy_keV,
        edge_energy(number, "K"),
        ionisation_exponent(number, "K"),
    )


# Closed form against an independent implementation of XPP (20 keV, 35 degrees).
REFERENCE = {
    "O": (0.1448, 1.5217),
    "Mg": (0.3945, 1.3355),
    "Al": (0.444, 1.292),
    "Si": (0.5333, 1.2484),
    "Ca": (0.8663, 0.9950),
    "Fe": (0.9574, 0.7422),
}


@pytest.mark.parametrize("element", REFERENCE)
def test_k412_has_the_published_depth_distribution(element):
    response = bulk(K412)
    depth = distribution(response, element)
    fractions = dict(zip(response.elements, response.mass_fractions, strict=True))
    mu = mixture_mass_absorption_coefficient(fractions, LINE_KEV[element])
    leaving, area = REFERENCE[element]
    chi = mu / np.sin(np.radians(35))
    assert depth.leaving_fraction(chi) == pytest.approx(leaving, rel=2e-3)
    assert 1e3 * depth.area == pytest.approx(area, rel=5e-4)


def test_generation_in_k412():
    response = bulk(K412)
    assert response.generation(14, "K") == pytest.approx(8.55e-24, rel=2e-3)
    assert response.generation(26, "K") == pytest.approx(4.84e-25, rel=2e-3)


@pytest.mark.parametrize("element", ["O", "Si", "Fe"])
def test_closed_forms_are_integrals_of_the_curve(element):
    depth = distribution(bulk(K412), element)
    mass_depth = np.linspace(0, 40 / depth.slow, 200_001)
    curve = depth.at_depth(mass_depth)
    assert np.trapezoid(curve, mass_depth) == pytest.approx(depth.area, rel=1e-5)
    for chi in (50.0, 2000.0):
        leaving = np.trapezoid(curve * np.exp(-chi * mass_depth), mass_depth)
        assert depth.leaving_fraction(chi) == pytest.approx(
            leaving / depth.area, rel=1e-4
        )
    assert curve[0] == pytest.approx(depth.surface)


@pytest.mark.parametrize("beam", [5.0, 15.0, 30.0])
@pytest.mark.parametrize("element", ["C", "Si", "Cu", "Ag", "Au"])
def test_leaving_fraction_falls_from_one_to_nothing(element, beam):
    medium = medium_of([element], np.ones(1))
    depth = depth_distribution(medium, beam, np.array(1.84), 0.86)
    leaving = depth.leaving_fraction(np.array([0.0, 10.0, 1e3, 1e5, 1e8]))
    assert leaving[0] == pytest.approx(1)
    assert np.all(np.diff(leaving) < 0)
    assert 0 <= leaving[-1] < 1e-3


def test_strong_absorption_shows_the_surface_only():
    depth = distribution(bulk(K412), "Si")
    chi = 1e9
    expected = depth.surface / (chi * depth.area)
    assert depth.leaving_fraction(chi) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("element", ["C", "Al", "Cu", "Ag", "Au"])
def test_electrons_lose_energy_about_as_bethe_says(element):
    """78500 Z / (A E) ln(1.166 E / J) within a tenth from 10 to 20 keV (Bethe 1930).

    The expression of XPP is a fit, lower than Bethe's below 10 keV.
    """
    medium = medium_of([element], np.ones(1))
    for energy in (10.0, 15.0, 20.0):
        logarithm = np.log(1.166 * energy / medium.ionisation_potential_keV)
        bethe = 78_500 * medium.electrons_per_mass / energy * logarithm
        assert stopping_power(medium, np.array(energy)) == pytest.approx(bethe, rel=0.1)


def test_backscattering_rises_with_the_atomic_number():
    coefficients = [
        backscatter_coefficient(medium_of([e], np.ones(1)))
        for e in ("C", "Al", "Cu", "Ag", "Au")
    ]
    assert np.all(np.diff(coefficients) > 0)
    # Heinrich (1966) at 20 keV: Cu 0.31, Au 0.50
    assert coefficients[2] == pytest.approx(0.31, abs=0.02)
    assert coefficients[4] == pytest.approx(0.50, abs=0.02)


def test_no_ionisation_is_lost_at_threshold():
    medium = medium_of(["Cu"], np.ones(1))
    factors = backscatter_loss_factor(medium, np.array([1.001, 1.5, 3.0, 10.0]))
    assert factors[0] == pytest.approx(1, abs=1e-3)
    assert np.all(np.diff(factors) < 0)
    assert factors[-1] > 1 - backscatter_coefficient(medium)


def test_many_compositions_at_once_are_each_alone():
    elements = ("O", "Si", "Fe")
    many = np.array([[[0.5, 0.4, 0.1], [0.2, 0.2, 0.6]], [[0.1, 0.9, 0], [0, 0, 1]]])
    together = BulkResponse(elements, many, 15.0, 40.0)
    lines = np.array([6.4, 7.06])
    assert together.generation(26, "K").shape == (2, 2)
    assert together.absorption(26, "K", lines).shape == (2, 2, 2)
    for index in np.ndindex(2, 2):
        alone = BulkResponse(elements, many[index], 15.0, 40.0)
        np.testing.assert_allclose(
            together.generation(26, "K")[index], alone.generation(26, "K")
        )
        np.testing.assert_allclose(
            together.absorption(26, "K", lines)[index],
            alone.absorption(26, "K", lines),
        )
        np.testing.assert_allclose(
            together.continuum(lines)[index], alone.continuum(lines)
        )


def test_splitting_an_element_in_two_changes_nothing():
    once = bulk({"Fe": 0.4, "Si": 0.6})
    absent = bulk({"Fe": 0.4, "Si": 0.6, "Au": 0.0})
    energy = np.array([1.74])
    np.testing.assert_allclose(
        once.absorption(14, "K", energy), absent.absorption(14, "K", energy)
    )


def fluorescence(composition: dict, element: str, line_keV: float) -> float:
    """Fluorescence over what is emitted without it."""
    response = bulk(composition)
    number = atomic_number(element)
    depth = distribution(response, element)
    fractions = dict(zip(response.elements, response.mass_fractions, strict=True))
    mu = mixture_mass_absorption_coefficient(fractions, line_keV)
    direct = depth.leaving_fraction(mu / np.sin(np.radians(35)))
    return float(response.absorption(number, "K", np.array([line_keV]))[0] / direct - 1)


def test_iron_and_nickel_make_chromium_fluoresce():
    """In stainless steel Cr K gains a fifth: Reed's formula gives 19 % from lines.

    Reed (1965) takes the intensities from a power of the overvoltage; ours come from
    cross sections, and a few percent of the continuum are added.
    """
    gain = fluorescence({"Fe": 0.74, "Cr": 0.18, "Ni": 0.08}, "Cr", 5.41)
    assert 0.16 < gain < 0.22


def test_the_continuum_makes_the_heaviest_element_fluoresce():
    """No line of K412 ionises Fe K; the continuum adds a few percent (Reed 1993)."""
    assert 0.02 < fluorescence(K412, "Fe", 6.40) < 0.06


def test_fluorescence_fades_with_the_element_that_causes_it():
    gains = [
        fluorescence({"Fe": f, "Cr": 0.9 - f, "Si": 0.1}, "Cr", 5.41)
        for f in (0.0, 0.2, 0.6)
    ]
    assert gains[0] < gains[1] < gains[2]


def test_continuum_efficiency_is_that_of_compton_and_allison():
    """All bremsstrahlung over the beam's energy: 1.1e-9 Z E0 / eV, within a quarter.

    Small's exponent is not Kramers' 1, which the constant belongs to; the constant
    itself is known to 0.2e-9.
    """
    energy = np.linspace(0.06, 20, 40_001)
    photons = continuum_photons(np.array(26.0), 20.0, energy)
    efficiency = np.trapezoid(photons * energy, energy) / 20.0
    assert efficiency == pytest.approx(1.1e-9 * 26 * 20e3, rel=0.25)


def test_a_shell_beyond_the_beam_is_silent():
    response = bulk({"Fe": 1.0}, beam_energy_keV=6.0)
    assert response.generation(26, "K") == 0
    assert response.absorption(26, "K", np.array([6.4])) == 0


def test_generation_is_the_integral_along_the_path():
    response = bulk({"Si": 1.0})
    energy = np.linspace(edge_energy(14, "K"), 20.0, 20_001)[1:]
    slowed = ionisation_cross_section(14, "K", energy)
    slowed = slowed / stopping_power(response.medium, energy)
    factor = backscatter_loss_factor(response.medium, 20.0 / edge_energy(14, "K"))
    expected = factor * np.trapezoid(slowed, energy)
    assert response.generation(14, "K") == pytest.approx(expected, rel=1e-3)
