# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture starts as the likelihood, and its odds can be calibrated."""

import pytest
import torch

from hspy_ml.networks.phase_network import LOG_SATURATION, PhaseNetwork


def variants(n_phases=3, n_variants=4, n_bins=50, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = torch.rand(n_phases, n_variants, n_bins, generator=generator) + 0.2
    return shapes / shapes.sum(dim=2, keepdim=True)


def network_of(shapes):
    n_phases, n_variants, n_bins = shapes.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = PhaseNetwork(n_bins, n_phases, n_variants, width=8).eval()
    network.start_from(shapes)
    return network


def counts_of(shapes, counts, n=40, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.poisson(counts * shapes[1, 0].expand(n, -1), generator)


@torch.no_grad()
@pytest.mark.parametrize("counts", [30.0, 400.0, 3e4])
def test_it_starts_as_the_likelihood_of_its_variants(counts):
    shapes = variants()
    spectra = counts_of(shapes, counts)
    total = spectra.sum(dim=1, keepdim=True)
    saturation = float(torch.tensor(LOG_SATURATION).exp())
    worth = total / (total + 3) * saturation / (total + saturation)
    logs = torch.einsum("nb,kvb->nkv", worth * spectra, shapes.log())
    expected = torch.log_softmax(logs.logsumexp(dim=2), dim=1)
    found = torch.log_softmax(network_of(shapes)(spectra), dim=1)
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-2)


@torch.no_grad()
@pytest.mark.parametrize("counts", [0.0, 1.0, 1e7])
def test_probabilities_are_finite_and_sum_to_one_at_any_dose(counts):
    found = network_of(variants()).probabilities(counts_of(variants(), counts))
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found.sum(dim=1), torch.ones(40))
    if counts == 0:
        torch.testing.assert_close(found, torch.full((40, 3), 1 / 3))


@torch.no_grad()
def test_sharpness_works_on_the_odds_of_its_dose_alone():
    network = network_of(variants())
    few, many = counts_of(variants(), 20.0), counts_of(variants(), 5e4)
    before = network.probabilities(few), network.probabilities(many)
    network.sharpness[:3] = 0.5  # up to 32 counts
    after = network.probabilities(few), network.probabilities(many)
    odds = [torch.log(p[:, 0] / p[:, 1]) for p in (before[0], after[0])]
    torch.testing.assert_close(odds[1], odds[0] / 2, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(after[1], before[1])


def test_all_of_it_learns():
    network = network_of(variants())
    torch.nn.init.constant_(network.correction.weight, 0.01)
    network(counts_of(variants(), 100.0)).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
