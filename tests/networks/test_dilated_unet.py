# SPDX-License-Identifier: GPL-3.0-or-later
"""The dilated U-net: any length, locality, symmetry under shifts, a quiet start."""

import pytest
import torch

from hspy_ml.networks.dilated_unet import FOLD, DilatedUNet

N_LEVELS, N_DILATIONS = 3, 3
COARSEST = FOLD * 2 ** (N_LEVELS - 1)  # channels in one place of the coarsest level


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = DilatedUNet(3, 2, 8, N_LEVELS, N_DILATIONS)
    torch.nn.init.normal_(network.leave.weight)
    return network.eval()


def random_inputs(n_channels, n=2):
    generator = torch.Generator().manual_seed(n_channels)
    return torch.randn((n, 3, n_channels), generator=generator)


def test_gives_zero_before_training():
    network = DilatedUNet(3, 2, 8, N_LEVELS, N_DILATIONS)
    assert not network(random_inputs(64)).any()


@pytest.mark.parametrize("n_channels", [64, 65, 71, 100, 1])
def test_takes_any_number_of_channels(network, n_channels):
    assert network(random_inputs(n_channels)).shape == (2, 2, n_channels)


def test_spectra_do_not_see_each_other(network):
    spectra = random_inputs(96, n=3)
    together = network(spectra)
    alone = torch.cat([network(one[None]) for one in spectra])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_sees_only_so_far(network):
    # enter 2, three residuals at each level, dilations 1 + 2 + 4 + 1, leave 1: less
    # than 24 places of the coarsest level in all
    spectra = random_inputs(1024, n=1)
    changed = spectra.clone()
    changed[..., 0] += 10.0
    apart = (network(spectra) - network(changed)).abs().amax(dim=(0, 1))
    assert apart[0] > 0
    assert apart[24 * COARSEST :].max() == 0


def test_sees_beyond_the_finest_level(network):
    spectra = random_inputs(256, n=1)
    changed = spectra.clone()
    changed[..., 128] += 10.0
    apart = (network(spectra) - network(changed)).abs().amax(dim=(0, 1))
    assert apart[128 + 5 * COARSEST] > 0


def test_a_shift_by_whole_coarse_places_shifts_the_result(network):
    spectra = torch.zeros(1, 3, 1024)
    spectra[..., 500:516] = random_inputs(16, n=1)
    moved = torch.roll(spectra, 3 * COARSEST, dims=-1)
    expected = torch.roll(network(spectra), 3 * COARSEST, dims=-1)
    inner = slice(27 * COARSEST, -27 * COARSEST)  # does not see the ends
    found = network(moved)[..., inner]
    torch.testing.assert_close(found, expected[..., inner], rtol=1e-4, atol=1e-4)


def test_every_weight_gets_a_gradient(network):
    network(random_inputs(64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
