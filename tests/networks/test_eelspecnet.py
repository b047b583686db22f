# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's deconvolution network, layer by layer, and its loss."""

import numpy as np
import pytest
import torch

from hspy_ml.networks.eelspecnet import EELSpecNet, seed_loss

PUBLISHED = {"width": 64, "dilations": (1,) * 10}
N_PUBLISHED = 218_094_209


def small(dilations=(3, 3, 1), width=2, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EELSpecNet(width, dilations).eval()


@pytest.mark.parametrize("dilation", [1, 3])
def test_at_full_width_it_is_the_published_network(dilation):
    """Dilation adds reach and no weights."""
    with torch.device("meta"):
        network = EELSpecNet(64, (dilation,) * 10)
    assert sum(weight.numel() for weight in network.parameters()) == N_PUBLISHED
    features = [layer.out_channels for layer in network.down]
    assert features == [64, 128, 256, 512, 1024] + 5 * [2048]
    features = [layer.out_channels for layer in network.up]
    assert features == 4 * [2048] + [1024, 512, 256, 128, 64, 1]


def test_each_level_halves_the_published_spectrum_and_gives_it_back():
    with torch.device("meta"):
        network = EELSpecNet(**PUBLISHED)
        found = torch.empty(1, 1, 1, 2048)
        lengths = []
        for layer in network.down:
            found = layer(found)
            lengths.append(found.shape[-1])
        assert lengths == [1024, 512, 256, 128, 64, 32, 16, 8, 4, 2]
        assert network(torch.empty(3, 2048)).shape == (3, 2048)


@pytest.mark.parametrize("dilations", [(1,), (3, 5), (1, 3, 7, 1)])
@pytest.mark.parametrize("n_channels", [1, 63, 64, 100])
@torch.no_grad()
def test_any_number_of_channels_comes_back(dilations, n_channels):
    network = small(dilations)
    found = network(torch.rand(2, n_channels))
    assert found.shape == (2, n_channels)
    assert ((found >= 0) & (found < 1)).all()


@torch.no_grad()
def test_channels_that_are_missing_to_a_multiple_are_zeros():
    network = small()
    assert network.multiple == 8
    spectra = torch.rand(2, 61, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(spectra, (0, 3))
    torch.testing.assert_close(network(spectra), network(padded)[:, :61])


@torch.no_grad()
def test_a_shift_by_the_stride_of_all_levels_shifts_the_result():
    """Other shifts do not: the reason why spectra are aligned for it."""
    network = small((1, 3))
    spectra = torch.zeros(1, 128)
    spectra[0, 60:68] = torch.linspace(0.1, 1, 8)
    moved = network(spectra.roll(network.multiple, 1))
    expected = network(spectra).roll(network.multiple, 1)
    inner = slice(32, 96)
    torch.testing.assert_close(moved[:, inner], expected[:, inner])


@pytest.mark.parametrize(("dilation", "n_seen"), [(1, 4), (3, 10)])
def test_a_dilation_widens_what_a_level_sees(dilation, n_seen):
    network = small((dilation,), width=1)
    spectra = torch.zeros(1, 64, requires_grad=True)
    network.down[0](spectra[:, None, None])[0, 0, 0, 16].backward()
    seen = np.flatnonzero(spectra.grad.numpy()[0])
    assert seen[-1] - seen[0] + 1 == n_seen


def test_every_channel_is_seen_and_reached():
    """What an even dilation would spoil."""
    network = small((3, 3), width=8)
    with torch.no_grad():
        for weight in network.parameters():
            weight.abs_()
    spectra = torch.full((1, 64), 1e-4, requires_grad=True)
    found = network(spectra)
    found.sum().backward()
    assert (found > 0).all()
    assert (spectra.grad > 0).all()


def test_a_channel_below_zero_can_still_rise():
    network = small((1,), width=1)
    with torch.no_grad():
        network.up[-1].bias.fill_(-5.0)
    spectra = torch.full((1, 16), 0.01)
    assert (network(spectra) == 0).all()
    seed_loss(network, (spectra, torch.full((1, 16), 0.2))).backward()
    assert network.up[-1].bias.grad < 0


def test_the_published_loss_is_least_at_the_truth():
    truth = torch.tensor([[0.0, 0.3, 0.01, 1.0]])

    def loss_at(found):
        return float(seed_loss(lambda spectra: found, (truth, truth)))

    # entropy of t + 0.001, by hand; what is above one counts as one
    t = np.array([0.001, 0.301, 0.011])
    entropy = -np.mean([*(t * np.log(t) + (1 - t) * np.log(1 - t)), 0.0])
    assert loss_at(truth) == pytest.approx(entropy, rel=1e-4)
    for channel in range(3):
        for step in (-0.004, 0.004):
            other = truth.clone()
            other[0, channel] = (other[0, channel] + step).clamp(min=0)
            if not torch.equal(other, truth):
                assert loss_at(other) > loss_at(truth)


def test_it_learns():
    network = small((1, 1, 1, 1), width=4).train()
    rng = torch.Generator().manual_seed(2)
    truth = torch.zeros(64, 64)
    truth[torch.arange(64), torch.randint(8, 56, (64,), generator=rng)] = 0.5
    blurred = (truth + truth.roll(1, 1) + truth.roll(-1, 1)) / 3
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    with torch.no_grad():
        first = float(seed_loss(network, (blurred, truth)))
    for _ in range(150):
        optimiser.zero_grad()
        loss = seed_loss(network, (blurred, truth))
        loss.backward()
        optimiser.step()
    least = float(seed_loss(lambda spectra: truth, (blurred, truth)))
    assert loss.item() - least < 0.25 * (first - least)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": 0}, "`width` is 0"),
        ({"dilations": ()}, "`dilations`"),
        ({"dilations": (1, 2)}, "odd number"),
        ({"dilations": (1, -1)}, "odd number"),
    ],
)
def test_what_cannot_be_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        EELSpecNet(**given)
