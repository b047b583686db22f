# SPDX-License-Identifier: GPL-3.0-or-later
"""What the phases are made of, and the spectra they give."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.simulation.spectra import (
    continuum_mix,
    mean_mass_fractions,
    phase_weights,
    read_phases,
)

OXIDES = {"wuestite": "FeO", "quartz": "SiO2", "fayalite": "Fe2SiO4"}


@pytest.fixture(scope="module")
def phases():
    return read_phases(OXIDES)


@pytest.fixture(scope="module")
def acquisition():
    energy = 0.02 * np.arange(1000)
    return Acquisition(energy, "EDS_TEM", 200.0, 22.0, make_detector("windowless"))


@pytest.fixture(scope="module")
def g_matrix(phases, acquisition):
    return build_g_matrix(acquisition, phases.elements)


def test_formulas_and_atoms_say_the_same(phases):
    assert phases.names == ("wuestite", "quartz", "fayalite")
    assert phases.elements == ("Fe", "O", "Si")
    np.testing.assert_allclose(
        phases.atomic_percent,
        [[50, 50, 0], [0, 200 / 3, 100 / 3], [200 / 7, 400 / 7, 100 / 7]],
    )
    # Fe 55.845, O 15.999: 77.73 % of wuestite's mass is iron.
    assert phases.weight_percent[0, 0] == pytest.approx(77.73, abs=0.01)
    atoms = read_phases([{"O": 2, "Si": 1, "Fe": 0}, "FeO"])
    assert atoms.names == ("phase 0", "FeO")
    np.testing.assert_allclose(atoms.atomic_percent[0], phases.atomic_percent[1])


def test_formulas_may_have_fractions():
    phase = read_phases(["Mg0.9Fe0.1SiO3"])
    of = dict(zip(phase.elements, phase.atomic_percent[0], strict=True))
    assert of == pytest.approx({"Mg": 18, "Fe": 2, "Si": 20, "O": 60})


def test_mean_composition_is_weighted_by_mass(phases):
    mean = mean_mass_fractions(phases, np.array([3.0, 1.0, 0.0]))
    wuestite, quartz = phases.mass_fractions[:2]
    assert mean["Fe"] == pytest.approx(0.75 * wuestite["Fe"])
    assert mean["O"] == pytest.approx(0.75 * wuestite["O"] + 0.25 * quartz["O"])
    assert sum(mean.values()) == pytest.approx(1)


def test_weights_of_elements_are_their_mass_fractions(phases, g_matrix):
    weights = phase_weights(phases, g_matrix, random_state=0)
    for row, column in zip(weights, g_matrix.columns, strict=True):
        if column.element:
            assert row.tolist() == [
                p.get(column.element, 0) for p in phases.mass_fractions
            ]


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_the_continuum_holds_its_share_of_the_counts(phases, g_matrix, share):
    weights = phase_weights(phases, g_matrix, continuum_share=share, random_state=0)
    continuum = [c.kind == "continuum" for c in g_matrix.columns]
    counts = g_matrix.matrix.sum(axis=0)[:, None] * weights
    np.testing.assert_allclose(counts[continuum].sum(0), share * counts.sum(0))
    assert weights.min() >= 0


def test_continuum_differs_a_little_between_phases_and_repeats(phases, g_matrix):
    weights = phase_weights(phases, g_matrix, random_state=5)
    np.testing.assert_array_equal(
        weights, phase_weights(phases, g_matrix, random_state=5)
    )
    shapes = weights[-4:] / weights[-4:].sum(axis=0)
    assert 0.01 < np.abs(shapes[:, 0] / shapes[:, 1] - 1).max() < 1


def test_equal_brightness_gives_equal_counts_and_the_same_shapes(phases, g_matrix):
    options = {"g_matrix": g_matrix, "random_state": 0}
    physical = g_matrix.matrix @ phase_weights(phases, **options)
    equal = g_matrix.matrix @ phase_weights(phases, equal_brightness=True, **options)
    assert np.ptp(physical.sum(axis=0)) > 0.05 * physical.sum(axis=0).mean()
    np.testing.assert_allclose(equal.sum(axis=0), 1)
    np.testing.assert_allclose(equal, physical / physical.sum(axis=0))


@pytest.mark.parametrize("degree", [2, 3, 5])
def test_the_continuum_is_close_to_one_over_the_energy(acquisition, degree):
    matrix = build_g_matrix(acquisition, ["Fe"], continuum_degree=degree)
    basis = matrix.matrix[:, -degree - 1 :]
    mixed = basis @ continuum_mix(degree + 1)
    energy = acquisition.energy
    # Where the detector counts nearly all photons; equal weights give 2.2 or more.
    whole = (energy > 3) & (energy < 10)
    product = (mixed * energy)[whole]
    assert product.max() / product.min() < 1.2


def test_a_matrix_without_continuum_needs_a_share_of_zero(phases, acquisition):
    bare = build_g_matrix(acquisition, phases.elements, continuum_degree=None)
    weights = phase_weights(phases, bare, continuum_share=0)
    assert weights.shape == (len(bare.columns), 3)
    with pytest.raises(ValueError, match="`continuum_share`.*without continuum"):
        phase_weights(phases, bare, continuum_share=0.1)


@pytest.mark.parametrize("share", [-0.1, 1, np.nan])
def test_impossible_shares_are_refused(phases, g_matrix, share):
    with pytest.raises(ValueError, match="`continuum_share`"):
        phase_weights(phases, g_matrix, continuum_share=share)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ("FeO", TypeError, "`phases` is the string 'FeO'"),
        ([], ValueError, "`phases` is empty"),
        ({"a": "Xx2O"}, ValueError, "phase 'a' in `phases`.*'Xx2O' cannot be read"),
        ({"a": {"Xx": 1}}, ValueError, "phase 'a' in `phases`.*'Xx'"),
        ({"a": {"Fe": -1, "O": 2}}, ValueError, "not negative"),
        ({"a": {"Fe": np.inf}}, ValueError, "not finite"),
        ({"a": {}}, ValueError, "phase 'a'"),
        ([7], TypeError, "'phase 0' in `phases`: 7 is no composition"),
    ],
)
def test_phases_that_cannot_be_read_are_named(given, error, match):
    with pytest.raises(error, match=match):
        read_phases(given)
