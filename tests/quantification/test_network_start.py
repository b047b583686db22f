# SPDX-License-Identifier: GPL-3.0-or-later
"""A network before its training holds the physics."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_networks import make_bank, one_specimen, the_templates

from hspy_ml.quantification.network_start import network_for_bank, variance_of_a_count
from hspy_ml.quantification.unmeasured import by_stoichiometry
from hspy_ml.simulation.xray_specimens import XraySpecimens


@pytest.fixture(scope="module")
def network(bank):
    return network_for_bank(bank, the_templates())


def test_sizes_are_those_of_the_bank(network, bank):
    sizes = network.hyperparameters
    assert sizes["n_bins"] == bank.n_bins
    assert sizes["n_columns"] == len(bank.columns)
    assert sizes["n_elements"] == sizes["n_free"] == 3
    assert sizes["n_unnamed"] == 1
    assert sizes["n_templates"] == the_templates().shape[0]


def test_it_knows_shapes_templates_and_what_anything_is(network, bank):
    np.testing.assert_allclose(network.shapes, bank.shapes[0], rtol=1e-6)
    np.testing.assert_allclose(network.templates, the_templates(), rtol=1e-6)
    np.testing.assert_allclose(network.anything, bank.moments_of_anything, rtol=1e-6)
    np.testing.assert_allclose(network.transfer, bank.transfer)
    np.testing.assert_allclose(
        network.prior_variance, bank.atomic_fractions.var(axis=0), rtol=1e-5
    )


def test_scores_have_unit_variance_a_count_at_their_reference():
    """Of one specimen alone there is one reference: that very specimen."""
    one = one_specimen([0.3, 0.3, 0.4], 100.0)
    network = network_for_bank(one, the_templates())
    expected = one.intensities[0] @ one.shapes[0].astype(float)
    weight = network.scores.weight.detach().numpy().astype(float)
    np.testing.assert_allclose((weight**2) @ expected, 1, rtol=0.1)
    assert not network.scores.bias.any()


def test_it_repeats_exactly_and_leaves_torchs_random_numbers_alone(bank, network):
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    again = network_for_bank(bank, the_templates())
    assert torch.equal(torch.rand(4), wanted)
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name
    other = network_for_bank(bank, the_templates(), 1)
    assert not torch.equal(other.scores.weight, network.scores.weight)
    assert not torch.equal(other.composition.weight, network.composition.weight)


def test_two_lines_apart_have_the_variance_of_a_binomial():
    """Equal sensitivities, no overlap: a count's variance is f (1 - f)."""
    bank = one_specimen([0.3, 0.2, 0.5], 100.0)
    shares = np.zeros((2, len(bank.columns)))
    shares[:, [bank.measuring[0], bank.measuring[1]]] = [[0.3, 0.7], [0.6, 0.4]]
    shapes = np.zeros_like(bank.shapes)
    shapes[:, np.arange(len(bank.columns)), 10 * np.arange(len(bank.columns))] = 1
    two = replace(
        bank,
        elements=("Al", "Ti"),
        transfer=np.eye(2),
        measuring=bank.measuring[:2],
        shapes=shapes,
        intensities=shares,
        atomic_fractions=np.array([[0.3, 0.7], [0.6, 0.4]]),
    )
    for row, wanted in ((0, 0.21), (1, 0.24)):
        one = replace(
            two,
            intensities=two.intensities[[row]],
            atomic_fractions=two.atomic_fractions[[row]],
        )
        found = variance_of_a_count(one, np.random.default_rng(0))
        np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_an_overlap_costs_information(bank):
    """The lines of Ti moved onto those of Fe, but for a tenth."""
    rng = np.random.default_rng(0)
    _, titanium, iron = bank.measuring
    shapes = bank.shapes.copy()
    shapes[:, titanium] = 0.1 * shapes[:, titanium] + 0.9 * shapes[:, iron]
    apart = variance_of_a_count(bank, rng)
    overlapping = variance_of_a_count(replace(bank, shapes=shapes), rng)
    assert (overlapping[1:] > 3 * apart[1:]).all()


@pytest.mark.parametrize("elements", [("O", "Mg", "Si"), ("Mg", "Si", "O")])
def test_true_shares_stand_for_true_fractions(elements):
    """In MgO there is one oxygen for one Mg: neither is taken for the other."""
    transfer = by_stoichiometry(elements, "O", "atomic").transfer
    oxide = make_bank(XraySpecimens(elements, transfer, ("Mg", "Si"), "film"))
    network = network_for_bank(oxide, the_templates())
    np.testing.assert_array_equal(network.measuring, oxide.measuring)
    amounts = oxide.intensities[:, network.measuring] * network.atoms_per_count.numpy()
    metals = oxide.atomic_fractions[:, [elements.index(e) for e in ("Mg", "Si")]]
    np.testing.assert_allclose(
        amounts / amounts.sum(axis=1, keepdims=True),
        metals / metals.sum(axis=1, keepdims=True),
        atol=5e-3,
    )


def test_an_element_without_a_line_has_the_largest_variance():
    elements = ("O", "Mg", "Si")
    transfer = by_stoichiometry(elements, "O", "atomic").transfer
    oxide = make_bank(XraySpecimens(elements, transfer, ("Mg", "Si"), "film"))
    variance = variance_of_a_count(oxide, np.random.default_rng(0))
    assert variance.shape == (3,)
    assert variance[0] == variance[1:].max()


def test_oxygen_is_balanced_before_any_training():
    elements = ("O", "Mg", "Si")
    transfer = by_stoichiometry(elements, "O", "atomic").transfer
    oxide = make_bank(XraySpecimens(elements, transfer, ("Mg", "Si"), "film"))
    network = network_for_bank(oxide, the_templates())
    spectra, moments, *_ = map(torch.from_numpy, oxide.draw(17, 0))
    with torch.no_grad():
        atoms = network(spectra, moments).fractions.double()
    charges = torch.tensor([-2.0, 2.0, 4.0], dtype=torch.float64)
    torch.testing.assert_close(
        atoms @ charges, torch.zeros(17, dtype=torch.float64), atol=1e-6, rtol=0
    )
