# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of core-loss EELS: units, columns, closure."""

from dataclasses import replace

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.edges import edge_cross_section, edges_of
from hspy_ml.physics.eels_gmatrix import build_eels_g_matrix
from hspy_ml.physics.eels_white_lines import fit_poisson, needed_columns, noise_gain
from hspy_ml.physics.fractions import reference_columns
from hspy_ml.physics.low_loss import LowLoss

ELEMENTS = ["C", "N", "O", "Ti", "Fe"]
ATOMS = np.array([0.3, 0.1, 0.4, 0.1, 0.1])


def acquisition(low=240.0, high=900.0, width=1.0, **conditions):
    return Acquisition(
        energy=np.arange(low, high + width / 2, width),
        technique="EELS",
        beam_energy_keV=conditions.get("beam_energy", 200.0),
        convergence_angle_mrad=conditions.get("alpha", 10.0),
        collection_angle_mrad=conditions.get("beta", 20.0),
    )


def spectrum(exponent, jump=0.1, total=1e7):
    """Counts of known atoms on a power; `jump` is that of O over the background."""
    conditions = acquisition()
    bare = build_eels_g_matrix(
        conditions, ELEMENTS, white_lines=False, fit_window=(240, 900)
    )
    edges = bare.matrix[:, : len(ELEMENTS)]
    energy = conditions.energy
    at_oxygen = np.searchsorted(energy, 540)
    powers = (energy / energy[at_oxygen]) ** -exponent
    of_oxygen = 0.4 * edges[at_oxygen : at_oxygen + 5, 2].mean()
    counts = edges @ ATOMS + powers * of_oxygen / jump
    return counts * total / counts.sum()


def atomic_fractions(g_matrix, counts):
    used = g_matrix.matrix.sum(axis=1) > 0
    scale = g_matrix.matrix.sum(axis=0)
    weights = fit_poisson(counts[used], (g_matrix.matrix / scale)[used]) / scale
    amounts = weights[list(reference_columns(g_matrix).values())]
    return amounts / amounts.sum()


def test_columns_are_cross_sections_in_nm2_per_channel():
    conditions = acquisition(400, 800, 0.5)
    g_matrix = build_eels_g_matrix(conditions, ["O"], fit_window=(410, 790))
    edge = edges_of("O")[0]
    inside = (conditions.energy >= 410) & (conditions.energy <= 790)
    section = edge_cross_section(edge, conditions.energy, conditions)
    expected = np.where(inside, section * 0.5 * 1e-10, 0)
    np.testing.assert_allclose(g_matrix.matrix[:, 0], expected)
    assert g_matrix.concentration == "atomic"


def test_each_element_is_quantified_by_one_edge():
    g_matrix = build_eels_g_matrix(acquisition(60, 1000), ["Ba", "O"])
    assert list(reference_columns(g_matrix)) == ["Ba", "O"]
    columns = {c.name: c for c in g_matrix.columns}
    assert columns["Ba M"].quantitative
    assert not columns["Ba M +0 eV"].quantitative
    assert columns["Ba M +0 eV"].family == "M"
    assert columns["background E^-3.00"].element is None
    assert g_matrix.elements == ("Ba", "O")


def test_an_edge_of_another_shell_in_the_window_has_its_own_column():
    g_matrix = build_eels_g_matrix(
        acquisition(60, 1000), ["Ba", "O"], fit_window=(70, 950)
    )
    columns = {c.name: c.quantitative for c in g_matrix.columns}
    assert columns["Ba M"] and not columns["Ba N"]


def test_white_lines_cover_the_onset():
    g_matrix = build_eels_g_matrix(acquisition(600, 900, 0.5), ["Fe"])
    bumps = [i for i, c in enumerate(g_matrix.columns) if " L " in c.name]
    energy = g_matrix.acquisition.energy
    centres = energy @ g_matrix.matrix[:, bumps] / g_matrix.matrix[:, bumps].sum(axis=0)
    assert centres[0] == pytest.approx(700, abs=0.01)
    assert centres.max() >= 708 + 40
    assert np.diff(centres).max() < 3.01
    total = g_matrix.matrix[:, bumps].sum(axis=1)
    assert np.ptp(total[(energy > 706) & (energy < 742)]) < 0.1 * total.max()


def test_far_subshells_have_white_lines_too():
    g_matrix = build_eels_g_matrix(acquisition(1700, 2400), ["Sr"])
    names = g_matrix.names
    assert "Sr L +66 eV" in names or "Sr L +67 eV" in names


def test_channels_outside_the_window_are_left_out():
    g_matrix = build_eels_g_matrix(acquisition(300, 900), ["O"])
    energy = g_matrix.acquisition.energy
    reached = energy[g_matrix.matrix.sum(axis=1) > 0]
    assert reached[[0, -1]] == pytest.approx([453, 691])


@pytest.mark.parametrize("exponent", [2.6, 3.0, 3.33, 3.6])
def test_closure_without_noise(exponent):
    counts = spectrum(exponent)
    g_matrix = build_eels_g_matrix(acquisition(), ELEMENTS, spectrum=counts)
    found = atomic_fractions(g_matrix, counts)
    np.testing.assert_allclose(100 * found, 100 * ATOMS, atol=0.05)


@pytest.mark.parametrize("exponent", [2.6, 3.33])
def test_closure_with_noise(exponent):
    """Bias under 0.5 at.% with an edge jump of a tenth of the background."""
    rng = np.random.default_rng(2)
    counts = spectrum(exponent, total=2e7)
    g_matrix = build_eels_g_matrix(
        acquisition(), ELEMENTS, spectrum=rng.poisson(30 * counts).astype(float)
    )
    found = [
        atomic_fractions(g_matrix, rng.poisson(counts).astype(float)) for _ in range(60)
    ]
    bias = 100 * (np.mean(found, axis=0) - ATOMS)
    error = 100 * np.std(found, axis=0) / np.sqrt(60)
    assert (np.abs(bias) < 0.5 + 2 * error).all()


def test_steps_of_one_in_the_exponent_would_not_do():
    counts = spectrum(2.6)
    errors = [
        np.abs(
            atomic_fractions(
                build_eels_g_matrix(
                    acquisition(), ELEMENTS, exponents=powers, white_lines=False
                ),
                counts,
            )
            - ATOMS
        ).max()
        for powers in (np.arange(2.0, 5.1, 1.0), np.arange(2.0, 5.1, 0.25))
    ]
    assert errors[0] > 0.03
    assert errors[1] < 0.01


def test_only_white_lines_that_are_there_are_kept():
    counts = spectrum(3.0)
    energy = acquisition().energy
    rng = np.random.default_rng(1)
    line = 0.3 * counts[469] * np.exp(-0.5 * ((energy - 711) / 1.5) ** 2)
    for extra, has_some in ((0, False), (line, True)):
        noisy = rng.poisson(counts + extra).astype(float)
        g_matrix = build_eels_g_matrix(acquisition(), ELEMENTS, spectrum=noisy)
        bumps = [c for c in g_matrix.columns if c.name.endswith(" eV")]
        assert bool(bumps) == has_some
        assert {c.element for c in bumps} <= {"Fe"}


def test_white_lines_do_not_disturb_the_composition():
    counts = spectrum(3.0)
    energy = acquisition().energy
    for onset in (456, 708):
        at = np.searchsorted(energy, onset + 3)
        counts += 0.4 * counts[at] * np.exp(-0.5 * ((energy - onset - 3) / 1.7) ** 2)
    g_matrix = build_eels_g_matrix(acquisition(), ELEMENTS, spectrum=counts)
    found = atomic_fractions(g_matrix, counts)
    np.testing.assert_allclose(100 * found, 100 * ATOMS, atol=1.5)


def test_plural_scattering_is_accounted_for():
    """Half an inelastic mean free path of plasmons, known from the low loss."""
    energy = np.arange(-20.0, 100.0)
    plasmon = np.exp(-0.5 * ((energy - 22) / 3) ** 2)
    share = np.where(energy == 0, 1.0, 0.0) + 0.6 * plasmon / plasmon.sum()
    low_loss = LowLoss(energy, share / share.sum())
    with_loss = build_eels_g_matrix(
        acquisition(), ELEMENTS, low_loss=low_loss, white_lines=False
    )
    powers = (acquisition().energy / 300) ** -3.0
    counts = with_loss.matrix[:, :5] @ ATOMS
    counts = np.where(with_loss.matrix.sum(axis=1) > 0, counts + 5e-8 * powers, 0)
    measured = build_eels_g_matrix(
        acquisition(), ELEMENTS, low_loss=low_loss, spectrum=counts
    )
    without = build_eels_g_matrix(acquisition(), ELEMENTS, spectrum=counts)
    right, wrong = (atomic_fractions(g, counts) for g in (measured, without))
    np.testing.assert_allclose(right, ATOMS, atol=2e-3)
    assert np.abs(wrong - ATOMS).max() > 0.02


def test_atoms_per_nm2_are_weights_over_incident_electrons():
    """20 nm of iron, 84.9 atoms/nm3, and 1e9 electrons."""
    areal = 20 * 84.9
    conditions = acquisition(600, 950)
    edge = next(edge for edge in edges_of("Fe") if edge.shell == "L")
    section = edge_cross_section(edge, conditions.energy, conditions)
    counts = 1e9 * areal * section * 1e-10 + 1e5 * (conditions.energy / 600) ** -3
    g_matrix = build_eels_g_matrix(conditions, ["Fe"], spectrum=counts)
    used = g_matrix.matrix.sum(axis=1) > 0
    scale = g_matrix.matrix.sum(axis=0)
    weights = fit_poisson(counts[used], (g_matrix.matrix / scale)[used]) / scale
    assert weights[0] / 1e9 == pytest.approx(areal, rel=1e-3)


def test_the_scatter_of_a_spectrum_is_measured():
    rng = np.random.default_rng(3)
    mean = 1e4 * (np.arange(300.0, 900.0) / 300) ** -2.7
    for gain in (0.25, 1.0, 20.0):
        counts = gain * rng.poisson(mean / gain)
        assert noise_gain(counts, mean) == pytest.approx(gain, rel=0.25)


def test_columns_are_added_only_if_they_are_needed():
    rng = np.random.default_rng(4)
    channels = np.arange(120.0)
    bumps = np.exp(-0.5 * ((channels[:, None] - np.arange(10.0, 120, 10)) / 3) ** 2)
    matrix = np.column_stack([np.ones(120), bumps])
    counts = rng.poisson(1000 + 300 * bumps[:, 4]).astype(float)
    kept = needed_columns(counts, matrix, np.arange(12) > 0)
    assert np.flatnonzero(kept).tolist() == [0, 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"technique": "EDS_TEM"}, "`technique`"),
        ({"beam_energy_keV": 0.0}, "`beam_energy_keV`"),
        ({"beam_energy_keV": 200e3}, "`beam_energy_keV`"),
        ({"convergence_angle_mrad": None}, "`convergence_angle_mrad`"),
        ({"collection_angle_mrad": 0.0}, "`collection_angle_mrad`"),
        ({"energy": np.arange(0.4, 0.9, 0.001)}, "where there is no core loss"),
        ({"energy": np.geomspace(400, 900, 200)}, "uniform steps"),
        ({"energy": np.array([400.0])}, "two channels"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build_eels_g_matrix(replace(acquisition(), **change), ["O"])


@pytest.mark.parametrize("exponents", [[], [3.0, 3.0], [np.nan], "steep", 3.0, [None]])
def test_exponents_that_make_no_sense_are_refused(exponents):
    with pytest.raises(ValueError, match="`exponents`"):
        build_eels_g_matrix(acquisition(), ["O"], exponents=exponents)


@pytest.mark.parametrize("counts", [np.ones(7), np.full(661, np.nan)])
def test_a_spectrum_that_does_not_fit_is_refused(counts):
    with pytest.raises(ValueError, match="`spectrum`"):
        build_eels_g_matrix(acquisition(), ["O"], spectrum=counts)


@pytest.mark.parametrize("counts", [np.zeros(661), np.full(661, -1.0)])
def test_a_spectrum_without_counts_tells_nothing(counts):
    told = build_eels_g_matrix(acquisition(), ["O"], spectrum=counts)
    assert told.names == build_eels_g_matrix(acquisition(), ["O"]).names
