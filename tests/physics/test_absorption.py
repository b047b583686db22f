# SPDX-License-Identifier: GPL-3.0-or-later
"""Absorption: limits of the film, mixtures, edges, geometry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.absorption import (
    film_absorption_factor,
    mass_absorption_coefficient,
    mixture_mass_absorption_coefficient,
)
from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import symbol
from hspy_ml.physics.depth_response import depth_response
from hspy_ml.physics.ionisation import ionisation_cross_section
from hspy_ml.physics.specimen import Specimen


def acquisition(take_off_angle=22.0):
    return Acquisition(np.linspace(0, 20, 11), "EDS_TEM", 200.0, take_off_angle)


def test_film_factor_limits():
    assert film_absorption_factor(0.0) == 1.0
    assert film_absorption_factor(1e-12) == pytest.approx(1, abs=1e-11)
    assert film_absorption_factor(1e-3) == pytest.approx(1 - 0.5e-3, abs=2e-7)
    assert film_absorption_factor(1e4) == pytest.approx(1e-4, rel=1e-9)


@given(st.floats(0, 1e6, allow_subnormal=False))
def test_film_factor_is_the_mean_transmission(depth):
    # mean of exp(-depth x) over x in [0, 1], by Gauss-Legendre where it resolves it
    factor = film_absorption_factor(depth)
    assert 0 < factor <= 1
    if depth < 30:
        nodes, weights = np.polynomial.legendre.leggauss(24)
        mean = weights @ np.exp(-depth * (nodes + 1) / 2) / 2
        assert factor == pytest.approx(mean, rel=1e-9)


def test_film_factor_falls_without_steps():
    factor = film_absorption_factor(np.geomspace(1e-14, 1e3, 501))
    assert np.all(np.diff(factor) <= 1e-15)


def test_iron_jumps_at_its_k_edge():
    # J. H. Hubbell and S. M. Seltzer, NIST (1995): 53.2 and 407.6 cm2/g at 7.112 keV
    below, above = mass_absorption_coefficient("Fe", [7.10, 7.12])
    assert below == pytest.approx(53.2, rel=0.05)
    assert above == pytest.approx(407.6, rel=0.05)


def test_below_the_tables_it_rises_as_the_third_power():
    at_end, below = mass_absorption_coefficient("C", [0.1, 0.05])
    assert below == pytest.approx(8 * at_end)
    assert mass_absorption_coefficient("C", 2e3) == mass_absorption_coefficient(
        "C", 800
    )


def test_mixture_is_weighted_by_mass():
    energy = np.array([0.5, 2.0, 9.0])
    expected = 0.3 * mass_absorption_coefficient("Fe", energy)
    expected += 0.7 * mass_absorption_coefficient("O", energy)
    found = mixture_mass_absorption_coefficient({"Fe": 0.3, "O": 0.7}, energy)
    assert np.allclose(found, expected, rtol=1e-12)
    assert mixture_mass_absorption_coefficient({}, energy).tolist() == [0, 0, 0]


@given(st.integers(1, 98).map(symbol), st.floats(1e-3, 1e3))
def test_absorption_of_any_element_is_finite_and_positive(element, energy):
    coefficient = mass_absorption_coefficient(element, energy)
    assert np.isfinite(coefficient)
    assert coefficient > 0


@pytest.mark.parametrize("energy", [0.0, -1.0, np.nan])
def test_no_absorption_without_energy(energy):
    with pytest.raises(ValueError, match="`energy_keV`"):
        mass_absorption_coefficient("Fe", energy)


def test_element_without_tables_is_named():
    with pytest.raises(ValueError, match="'Es'"):
        mass_absorption_coefficient("Es", 5.0)


def test_film_response_uses_the_whole_composition_and_the_path():
    film = depth_response(
        Specimen({"Pt": 0.8, "O": 0.2}, "film", 3e-5), acquisition(30.0)
    )
    energy = np.array([0.525, 6.4])
    mu = mixture_mass_absorption_coefficient({"Pt": 0.8, "O": 0.2}, energy)
    path = 3e-5 / np.sin(np.pi / 6)
    expected = (1 - np.exp(-mu * path)) / (mu * path)
    assert np.allclose(film.absorption(8, "K", energy), expected, rtol=1e-9)
    assert np.allclose(film.continuum(energy), expected, rtol=1e-9)
    assert expected[0] < 0.9 < 0.98 < expected[1]


def test_film_generates_with_the_cross_section_at_the_beam_energy():
    film = depth_response(Specimen({}), acquisition())
    assert film.generation(26, "K") == ionisation_cross_section(26, "K", 200.0)
    assert film.continuum(np.array([0.3, 3.0])).tolist() == [1, 1]


def test_a_bulk_needs_its_composition():
    with pytest.raises(ValueError, match="without a composition"):
        depth_response(Specimen({}, "bulk"), acquisition())


@pytest.mark.parametrize("angle", [0.0, -5.0, 90.5, np.nan])
def test_impossible_take_off_angle(angle):
    with pytest.raises(ValueError, match="`take_off_angle`"):
        depth_response(Specimen({}), acquisition(angle))
