# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture: fractions of a whole, whatever the weights and the spectra."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.networks.quantifier import QuantifierNetwork

SIZES = {
    "n_bins": 90,
    "n_columns": 7,
    "n_elements": 4,
    "n_free": 3,
    "n_templates": 5,
    "n_references": 2,
    "width": 16,
}


def network_of(seed=0, **changes):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = QuantifierNetwork(**{**SIZES, **changes}).eval()
    transfer = torch.zeros(network.transfer.shape)
    n_elements, n_free = transfer.shape
    transfer[:n_free] = torch.eye(n_free)
    transfer[n_free:] = torch.arange(1, n_free + 1) / 2.0
    network.transfer.copy_(transfer)
    return network


def spectra_of(n=11, n_bins=90, mean=4.0, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((n, n_bins), mean), generator)


def moments_of(n=11, n_elements=4):
    return torch.full((n, 2 * n_elements), 0.25)


@torch.no_grad()
@pytest.mark.parametrize("mean", [0.0, 1e-3, 5.0, 1e5])
def test_fractions_sum_to_one_and_errors_are_positive(mean):
    found = network_of()(spectra_of(mean=mean), moments_of())
    assert found.fractions.shape == found.deviations.shape == (11, 4)
    assert found.log_shares.shape == (11, 7)
    assert (found.fractions >= 0).all()
    assert (found.deviations > 0).all()
    torch.testing.assert_close(found.fractions.sum(1), torch.ones(11))
    torch.testing.assert_close(found.log_shares.exp().sum(1), torch.ones(11))


@torch.no_grad()
def test_the_balancing_element_has_exactly_what_the_others_ask_for():
    """The fourth has 0.5, 1 and 1.5 atoms for one of each of the others."""
    atoms = network_of()(spectra_of(), moments_of()).fractions
    asked = atoms[:, :3] @ torch.tensor([0.5, 1.0, 1.5])
    torch.testing.assert_close(atoms[:, 3], asked)


@torch.no_grad()
def test_forward_is_encode_then_decide():
    network, spectra, moments = network_of(), spectra_of(), moments_of()
    seen, log_shares = network.encode(spectra)
    atoms, deviations = network.decide(seen, moments)
    found = network(spectra, moments)
    assert torch.equal(found.fractions, atoms)
    assert torch.equal(found.deviations, deviations)
    assert torch.equal(found.log_shares, log_shares)


@torch.no_grad()
def test_a_spectrum_says_the_same_alone_and_among_others():
    network, spectra = network_of(), spectra_of()
    together, _ = network.encode(spectra)
    for row in (0, 6, 10):
        alone, _ = network.encode(spectra[[row]])
        torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together[:, 0], torch.log1p(spectra.sum(1)))


@torch.no_grad()
def test_the_same_shape_with_more_counts_says_another_thing():
    """The dose decides how far the answer is from the prior."""
    network, spectra = network_of(), spectra_of()
    few = network(spectra, moments_of()).deviations
    many = network(100 * spectra, moments_of()).deviations
    assert (many < few).all()


@torch.no_grad()
def test_what_is_known_of_the_image_matters():
    network, spectra, moments = network_of(), spectra_of(), moments_of()
    other = moments.clone()
    other[:, 0] = 0.9
    found, changed = network(spectra, moments), network(spectra, other)
    assert not torch.allclose(found.fractions, changed.fractions)
    assert torch.equal(found.log_shares, changed.log_shares)


@torch.no_grad()
@pytest.mark.parametrize("place", [0, 3])
def test_a_network_that_trusts_the_image_repeats_its_mean(place):
    """Two divalent elements and a trivalent one, wherever oxygen stands."""
    network = network_of()
    transfer = torch.eye(3).tolist()
    transfer.insert(place, [1.0, 1.0, 1.5])
    network.transfer.copy_(torch.tensor(transfer))
    network.trust.bias.fill_(40.0)
    mean = network.transfer @ torch.tensor([0.2, 0.3, 0.5])
    mean = mean / mean.sum()
    moments = torch.cat([mean, torch.full((4,), 0.1)]).expand(11, 8)
    found = network(spectra_of(), moments).fractions
    torch.testing.assert_close(found, mean.expand(11, 4), rtol=0, atol=3e-3)


@torch.no_grad()
def test_errors_to_expect_lie_between_the_priors_and_those_of_the_counts():
    network = network_of()
    network.prior_variance.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    network.variance_of_a_count.copy_(torch.tensor([0.5, 1.0, 2.0, 4.0]))
    counts = torch.tensor([[0.0], [1e8]])
    none, many = network.expected_deviations(counts)
    torch.testing.assert_close(none, network.prior_variance.sqrt())
    torch.testing.assert_close(
        many, (network.variance_of_a_count / 1e8).sqrt(), rtol=1e-5, atol=0
    )


@torch.no_grad()
def test_expected_spectra_are_the_shares_of_the_columns():
    network = network_of()
    shapes = torch.rand(7, 90, generator=torch.Generator().manual_seed(2))
    network.shapes.copy_(shapes / shapes.sum(1, keepdim=True))
    share = torch.tensor([[0.4, 0.0, 0.1, 0.5, 0.0, 0.0, 0.0]])
    expected = network.expected_spectra(share.log())
    difference = expected - share @ network.shapes
    even = difference.mean().expand(1, 90)
    torch.testing.assert_close(difference, even, rtol=1e-4, atol=1e-7)
    assert 0 < difference.sum() < 0.1


@given(
    n_bins=st.integers(64, 170),
    n_columns=st.integers(1, 9),
    n_elements=st.integers(1, 5),
)
@settings(deadline=None, max_examples=25)
def test_any_size_and_its_hyperparameters_build_the_like(n_bins, n_columns, n_elements):
    sizes = {"n_bins": n_bins, "n_columns": n_columns, "n_elements": n_elements}
    sizes |= {"n_free": n_elements, "n_templates": 2}
    network = QuantifierNetwork(**sizes, n_references=2, width=8)
    again = QuantifierNetwork(**network.hyperparameters)
    shapes = {name: weight.shape for name, weight in network.state_dict().items()}
    assert shapes == {n: weight.shape for n, weight in again.state_dict().items()}
    with torch.no_grad():
        found = network(spectra_of(3, n_bins), moments_of(3, n_elements))
    torch.testing.assert_close(found.fractions.sum(1), torch.ones(3))


def test_too_few_channels_are_refused():
    with pytest.raises(ValueError, match="`n_bins` is 31"):
        QuantifierNetwork(31, 3, 2, 2)


def test_every_weight_learns():
    """A gradient reaches all parameters, and none of the buffers."""
    network = network_of()
    found = network(spectra_of(), moments_of())
    loss = (found.fractions[:, 0] + found.deviations.log().sum(1)).mean()
    (loss + (found.log_shares[:, 0]).mean()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert float(weight.grad.abs().max()) > 0, name
    assert not any(buffer.requires_grad for buffer in network.buffers())


@torch.no_grad()
def test_no_spectrum_makes_it_infinite():
    for spectra in (torch.zeros(2, 90), torch.full((2, 90), 1e7)):
        found = network_of()(spectra, torch.zeros(2, 8))
        for part in found:
            assert torch.isfinite(part).all()
