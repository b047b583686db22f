# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of bulk phases, of solid solutions, and of core losses."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.eels_background import measured_exponent
from hspy_ml.simulation.bulk_spectra import (
    bulk_matrix,
    bulk_phase_spectra,
    solid_solution_spectra,
)
from hspy_ml.simulation.core_loss_spectra import core_loss_spectra
from hspy_ml.simulation.plasmons import plasmon_low_loss
from hspy_ml.simulation.spectra import Phases, read_phases

ALLOYS = read_phases({"theta": "Al2Cu", "alpha": {"Al": 0.97, "Mg": 0.03}})
OXIDES = read_phases({"rutile": "TiO2", "wuestite": "FeO"})


@pytest.fixture(scope="module")
def scanning():
    energy = -0.1 + 0.02 * np.arange(900)
    return Acquisition(energy, "EDS_SEM", 15.0, 35.0, make_detector("polymer"))


@pytest.fixture(scope="module")
def bulk_spectra(scanning):
    return bulk_phase_spectra(ALLOYS, scanning, continuum_share=0.4, random_state=0)


@pytest.fixture(scope="module")
def core_losses():
    return Acquisition(
        np.arange(200.0, 1001.0),
        "EELS",
        200.0,
        convergence_angle_mrad=25.0,
        collection_angle_mrad=40.0,
    )


def test_a_phase_responds_by_its_own_composition(scanning, bulk_spectra):
    """The lines are those of the phase's G-matrix times its mass fractions."""
    for phase, spectrum, mass in zip(
        range(2), bulk_spectra.spectra, ALLOYS.mass_fractions, strict=True
    ):
        g = bulk_matrix(scanning, mass)
        weights = [
            bulk_spectra.weights[bulk_spectra.columns.index(n), phase] for n in g.names
        ]
        np.testing.assert_allclose(g.matrix @ weights, spectrum)
        for column, weight in zip(g.columns, weights, strict=True):
            if column.element:
                assert weight == mass[column.element]
        lines = [c.element is not None for c in g.columns]
        of_lines = (g.matrix @ np.where(lines, weights, 0)).sum()
        assert 1 - of_lines / spectrum.sum() == pytest.approx(0.4)


def test_copper_absorbs_what_aluminium_would_not(scanning, bulk_spectra):
    """Al K over its mass fraction is weaker in Al2Cu than in aluminium."""
    near = np.abs(scanning.energy - 1.487) < 0.06
    per_mass = [
        spectrum[near].sum() / mass["Al"]
        for spectrum, mass in zip(
            bulk_spectra.spectra, ALLOYS.mass_fractions, strict=True
        )
    ]
    assert per_mass[0] < 0.75 * per_mass[1]


def test_columns_are_those_of_all_phases(bulk_spectra):
    names = list(bulk_spectra.columns)
    assert names[:4] == ["Al K", "Cu K", "Cu L", "Mg K"]
    assert all(name.startswith("continuum") for name in names[4:])
    assert bulk_spectra.weights[names.index("Mg K"), 0] == 0


def test_equally_bright_phases_differ_in_mass(bulk_spectra):
    bright = bulk_spectra.equally_bright()
    np.testing.assert_allclose(bright.spectra.sum(axis=1), 1)
    ratio = bulk_spectra.spectra[0].sum() / bulk_spectra.spectra[1].sum()
    assert bright.mass[1] / bright.mass[0] == pytest.approx(ratio)


def test_a_solid_solution_responds_as_a_mixture_of_atoms(scanning, bulk_spectra):
    shares = np.array([[1, 0], [0.4, 0.6]])
    pure, mixed = solid_solution_spectra(ALLOYS, bulk_spectra, shares, scanning)
    np.testing.assert_allclose(pure, bulk_spectra.spectra[0])
    mass = shares[1] @ ALLOYS.weight_percent / 100
    fractions = dict(zip(ALLOYS.elements, mass, strict=True))
    g = bulk_matrix(scanning, fractions)
    aluminium = g.matrix[:, g.names.index("Al K")]
    peak = np.argmax(aluminium)
    weights = bulk_spectra.weights @ shares[1]
    continuum = sum(
        g.matrix[peak, i] * weights[bulk_spectra.columns.index(name)]
        for i, name in enumerate(g.names)
        if name.startswith("continuum")
    )
    assert mixed[peak] == pytest.approx(
        aluminium[peak] * fractions["Al"] + continuum, rel=0.01
    )
    side_by_side = shares[1] @ bulk_spectra.spectra
    assert mixed[peak] < 0.97 * side_by_side[peak]


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_impossible_continuum_is_refused(scanning, share):
    with pytest.raises(ValueError, match="`continuum_share`"):
        bulk_phase_spectra(ALLOYS, scanning, continuum_share=share)


def test_trajectories_give_nearly_the_same_matrix(scanning):
    """XPP and Monte Carlo differ by up to 15 % in intensity (test_electrons)."""
    from hspy_ml.simulation.monte_carlo_spectra import monte_carlo_matrix

    mass = ALLOYS.mass_fractions[0]
    followed = monte_carlo_matrix(scanning, mass, n_electrons=1500, random_state=0)
    analytic = bulk_matrix(scanning, mass)
    assert followed.names == analytic.names
    np.testing.assert_allclose(
        followed.matrix.sum(axis=0), analytic.matrix.sum(axis=0), rtol=0.2
    )
    again = monte_carlo_matrix(scanning, mass, n_electrons=1500, random_state=0)
    np.testing.assert_array_equal(followed.matrix, again.matrix)


def test_the_jump_ratio_is_that_of_an_even_mixture(core_losses):
    found = core_loss_spectra(OXIDES, core_losses, jump_ratio=1.8, random_state=1)
    assert found.columns[-1].startswith("background")
    background = np.array([name.startswith("background") for name in found.columns])
    mixture = found.spectra.mean(axis=0)
    edges = found.weights.mean(axis=1)
    energy = core_losses.energy
    seen = (energy >= 456) & (energy <= 506)  # Ti L3
    power = sum(
        weight
        * (energy / 200) ** -float(name.split("^-")[1])
        / ((energy / 200) ** -float(name.split("^-")[1])).sum()
        for name, weight, is_background in zip(
            found.columns, edges, background, strict=True
        )
        if is_background
    )
    before = energy < 440
    scale = mixture[before].sum() / power[before].sum()
    ratio = mixture[seen].sum() / (scale * power[seen]).sum()
    assert ratio == pytest.approx(1.8, rel=1e-3)


def test_before_the_edges_is_a_power(core_losses):
    found = core_loss_spectra(
        OXIDES, core_losses, background_exponent=3.4, random_state=2
    )
    before = core_losses.energy < 440
    for spectrum in found.spectra:
        r, _ = measured_exponent(core_losses.energy[before], 1e9 * spectrum[before])
        assert r == pytest.approx(3.4, abs=0.15)
    assert np.ptp([s[0] / s[before].sum() for s in found.spectra]) > 0


def test_weights_count_atoms(core_losses):
    found = core_loss_spectra(OXIDES, core_losses, random_state=0)
    rows = {name: i for i, name in enumerate(found.columns)}
    oxygen, titanium = (found.weights[rows[n], 0] for n in ("O K", "Ti L"))
    assert oxygen / titanium == pytest.approx(2)
    assert found.weights[rows["Fe L"], 0] == 0


def test_plural_scattering_moves_intensity_up_in_energy(core_losses):
    iron = Phases(("iron",), ({"Fe": 1.0},))
    thin, thick = (
        core_loss_spectra(iron, core_losses, low_loss=low_loss, random_state=0)
        for low_loss in (None, plasmon_low_loss(0.8))
    )
    energy = core_losses.energy
    edge = (energy > 711) & (energy < 720)
    later = (energy > 735) & (energy < 744)

    def ratio(found):
        weights = np.where(np.array(found.columns) == "Fe L", 1, 0)
        assert weights.sum() == 1
        spectrum = found.spectra[0]
        below = (energy > 690) & (energy < 700)
        net = [spectrum[w].mean() - spectrum[below].mean() * (e / 695) ** -3
               for w, e in ((edge, 715.5), (later, 739.5))]  # fmt: skip
        return net[1] / net[0]

    assert ratio(thick) > 1.2 * ratio(thin)


@pytest.mark.parametrize(
    ("name", "value"), [("jump_ratio", 1.0), ("background_exponent", 0.5)]
)
def test_impossible_backgrounds_are_refused(core_losses, name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        core_loss_spectra(OXIDES, core_losses, **{name: value})


@pytest.mark.parametrize("thickness", [0.0, 0.5, 1.5])
def test_plasmons_are_poisson(thickness):
    """The zero-loss peak holds exp(-t) of the electrons."""
    low_loss = plasmon_low_loss(thickness)
    assert low_loss.share.sum() == pytest.approx(1)
    near = np.abs(low_loss.energy_eV) < 3
    elastic = low_loss.share[near].sum()
    assert elastic == pytest.approx(np.exp(-thickness), rel=0.01)
    if thickness:
        losses = np.where(near, 0, low_loss.share)
        assert low_loss.energy_eV[losses.argmax()] == pytest.approx(22, abs=1.5)


@pytest.mark.parametrize("thickness", [-0.1, 9.0, np.nan])
def test_impossible_thicknesses_are_refused(thickness):
    with pytest.raises(ValueError, match="`thickness_over_mean_free_path`"):
        plasmon_low_loss(thickness)
