# SPDX-License-Identifier: GPL-3.0-or-later
"""Scattering and slowing down of electrons by atoms, before any trajectory."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import spherical_jn, spherical_yn

from hspy_ml.physics.composition import atomic_weight, symbol
from hspy_ml.simulation.angular import AngularCrossSection
from hspy_ml.simulation.elastic import (
    HARTREE_KEV,
    LIGHT_SPEED,
    _excess_energy,
    _radial_grid,
    elastic_scattering,
    energy_nodes_keV,
)
from hspy_ml.simulation.electron_cloud import _tabulated_form_factor, electron_cloud
from hspy_ml.simulation.electron_kernels import transfer
from hspy_ml.simulation.energy_loss import (
    element_stopping_power,
    mean_ionisation_potential_keV,
    mixture_stopping_power,
)
from hspy_ml.simulation.inelastic import (
    energy_transfer_keV,
    hard_stopping,
    inelastic_scattering,
)
from hspy_ml.simulation.partial_wave_kernels import phase_shifts, spherical_bessel

BOHR_SQUARED_CM2 = 2.8002852e-17
AVOGADRO = 6.02214076e23


@pytest.mark.parametrize("number", [1, 6, 14, 29, 55, 79, 92])
def test_electron_cloud_has_the_tabulated_form_factor(number):
    cloud = electron_cloud(number)
    transfers = np.linspace(0, 8 * number + 20, 150)
    error = cloud.form_factor(transfers) - _tabulated_form_factor(number, transfers)
    assert np.abs(error).max() < 0.012 * number


def test_electron_cloud_holds_z_electrons_and_screens_the_nucleus():
    cloud = electron_cloud(26)
    r = np.geomspace(1e-5, 60, 20000)
    assert trapezoid(4 * np.pi * r**2 * cloud.density(r), r) == pytest.approx(
        26, rel=1e-3
    )
    assert cloud.unscreened_charge(np.array([0.0, 60.0])) == pytest.approx([26, 0])


def test_hydrogen_is_its_1s_orbital():
    """Exact: rho = exp(-2 r) / pi."""
    r = np.array([0.2, 0.7, 1.5, 2.5])
    assert electron_cloud(1).density(r) == pytest.approx(
        np.exp(-2 * r) / np.pi, rel=0.02
    )


def test_elements_beyond_uranium_are_refused():
    with pytest.raises(ValueError, match="`atomic_number` is 93"):
        electron_cloud(93)


@pytest.mark.parametrize("x, l_max", [(0.7, 9), (30.0, 25), (250.0, 300)])
def test_bessel_functions_are_those_of_scipy(x, l_max):
    bessel, neumann = spherical_bessel(x, l_max)
    orders = np.arange(l_max + 1)
    assert bessel == pytest.approx(spherical_jn(orders, x), rel=1e-7, abs=1e-13)
    assert neumann == pytest.approx(spherical_yn(orders, x), rel=1e-7, abs=1e-12)


def phase_shifts_of(number, energy_keV):
    cloud, energy = electron_cloud(number), energy_keV / HARTREE_KEV
    k = np.sqrt(energy * (energy + 2 * LIGHT_SPEED**2)) / LIGHT_SPEED
    radius = _radial_grid(cloud.radius, 0.05 / k)
    middle = (radius[1:] + radius[:-1]) / 2
    excess = [_excess_energy(cloud, energy, r) for r in (radius, middle)]
    return k, *phase_shifts(energy, radius, middle, *excess, int(k * cloud.radius) + 30)


@pytest.mark.parametrize("number, energy", [(6, 2.0), (29, 5.0), (79, 1.0)])
def test_total_cross_section_is_the_sum_over_the_phase_shifts(number, energy):
    """Integral over the angles = sum of (2 j + 1) sin^2, which knows no angles."""
    k, up, down = phase_shifts_of(number, energy)
    orders = np.arange(up.size)
    waves = (orders + 1) * np.sin(up) ** 2 + orders * np.sin(down) ** 2
    total = 4 * np.pi / k**2 * waves.sum() * BOHR_SQUARED_CM2
    assert elastic_scattering(number, energy).total == pytest.approx(total, rel=3e-3)


def test_light_atom_at_high_energy_scatters_as_in_the_first_born_approximation():
    """Mott-Bethe formula with the spin factor of Dirac particles."""
    scattering, cloud = elastic_scattering(6, 50.0), electron_cloud(6)
    energy = 50.0 / HARTREE_KEV
    gamma = 1 + energy / LIGHT_SPEED**2
    k = np.sqrt(energy * (energy + 2 * LIGHT_SPEED**2)) / LIGHT_SPEED
    angle = np.radians([0.5, 2, 8, 30, 90, 170])
    half = np.sin(angle / 2) ** 2
    transfer_squared = 4 * k**2 * half
    amplitude = 6 - cloud.form_factor(np.sqrt(transfer_squared))
    born = (2 * gamma * amplitude / transfer_squared) ** 2
    born *= (1 - (1 - gamma**-2) * half) * BOHR_SQUARED_CM2
    found = np.interp(angle, scattering.angle, scattering.differential)
    assert found == pytest.approx(born, rel=0.04)


def test_heavy_atom_shows_the_minima_of_mott_scattering():
    """Au at 1 keV: diffraction minima near 90 and beyond 120 degrees, none in C."""
    gold, carbon = elastic_scattering(79, 1.0), elastic_scattering(6, 1.0)
    wide = gold.angle > 0.5

    def n_minima(scattering):
        slope = np.sign(np.diff(scattering.differential[wide]))
        return int((np.diff(slope) > 0).sum())

    assert n_minima(gold) >= 2
    assert n_minima(carbon) == 0


def test_angles_drawn_from_the_quantiles_have_the_transport_cross_section():
    for scattering in (
        elastic_scattering(6, 20.0),
        elastic_scattering(79, 2.0),
        inelastic_scattering(13, 20.0),
    ):
        screening, table = scattering.quantiles()
        w = 1 - np.sqrt(1 - (np.arange(200_000) + 0.5) / 200_000)
        v = np.interp(w, np.linspace(0, 1, table.size), table)
        mu = screening * v / (1 + screening - v)
        ratio = scattering.transport / scattering.total
        assert 2 * mu.mean() == pytest.approx(ratio, rel=0.01)


def test_energy_nodes_enclose_the_range():
    nodes = energy_nodes_keV(0.37, 17.0)
    assert nodes[0] <= 0.37 < nodes[1]
    assert nodes[-2] < 17.0 <= nodes[-1]
    assert nodes[1:] / nodes[:-1] == pytest.approx(10**0.125)
    assert energy_nodes_keV(0.1, 1.0)[[0, -1]] == pytest.approx([0.1, 1.0])


def test_an_atom_that_scatters_nothing_gives_no_angles():
    nothing = AngularCrossSection(np.linspace(0, 1, 7), np.zeros(7))
    screening, table = nothing.quantiles()
    assert screening > 0
    assert not table.any()


@pytest.mark.parametrize("energy, published", [(10.0, 16.49), (100.0, 3.177)])
def test_stopping_power_of_aluminium_is_the_published_one(energy, published):
    """ICRU Report 37 (1984) / ESTAR, collision stopping power, MeV cm2/g."""
    found = element_stopping_power("Al", energy) / 1e3
    assert found == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize("element", ["C", "Si", "Cu", "Au"])
def test_stopping_power_at_low_energy_is_that_of_joy_and_luo(element):
    """Joy and Luo (1989): 78500 Z / (A E) ln(1.166 (E + k J) / J) keV cm2/g."""
    energy = np.array([0.3, 0.8, 2.0])
    number = {"C": 6, "Si": 14, "Cu": 29, "Au": 79}[element]
    potential = mean_ionisation_potential_keV(number)
    k = 0.734 * number**0.037
    joy_luo = np.log(1.166 * (energy + k * potential) / potential)
    joy_luo *= 78500 * number / (atomic_weight(element) * energy)
    found = element_stopping_power(element, energy)
    assert found == pytest.approx(joy_luo, rel=0.01)


def test_k_of_joy_and_luo_is_near_their_table():
    """k of C 0.77, Al 0.815, Cu 0.83, Ag 0.852, Au 0.851 in Joy and Luo (1989)."""
    numbers = np.array([6, 13, 29, 47, 79])
    table = [0.77, 0.815, 0.83, 0.852, 0.851]
    assert 0.734 * numbers**0.037 == pytest.approx(table, rel=0.025)


def test_stopping_power_of_a_mixture_is_weighted_by_mass():
    energy = np.array([1.0, 7.0, 25.0])
    mixture = mixture_stopping_power({"Si": 0.4, "O": 0.6}, energy)
    silicon, oxygen = (element_stopping_power(e, energy) for e in ("Si", "O"))
    assert mixture == pytest.approx(0.4 * silicon + 0.6 * oxygen)


@pytest.mark.parametrize("energy", [1.0, 15.0, 80.0])
def test_energy_transfer_conserves_energy_and_momentum(energy):
    rest = 510.99895
    angle = np.array([0.05, 0.3, 0.7])

    def momentum(kinetic):
        return np.sqrt(kinetic * (kinetic + 2 * rest))

    loss = energy_transfer_keV(energy, angle)
    p0, p1, p2 = momentum(energy), momentum(energy - loss), momentum(loss)
    across = p1 * np.sin(angle)
    along = p0 - p1 * np.cos(angle)
    assert np.hypot(across, along) == pytest.approx(p2)
    kernel = [transfer.py_func(energy, np.cos(a)) for a in angle]
    assert loss == pytest.approx(kernel)


def test_electrons_of_an_atom_deflect_about_1_to_z_as_much_as_the_atom():
    for number in (6, 13, 29, 79):
        ratio = (
            inelastic_scattering(number, 20.0).transport
            / elastic_scattering(number, 20.0).transport
        )
        assert 0.75 / number < ratio < 1.05 / number


@pytest.mark.parametrize("number", [6, 13, 29, 79])
def test_losses_one_by_one_are_part_of_the_stopping_power(number):
    for energy in energy_nodes_keV(0.1, 30.0):
        per_atom = element_stopping_power(symbol(number), energy)
        per_atom *= atomic_weight(symbol(number)) / AVOGADRO
        assert 0 <= hard_stopping(number, float(energy)) < 0.5 * per_atom


def test_slow_electrons_are_deflected_by_the_atom_alone():
    assert inelastic_scattering(79, 1.0).total == 0
