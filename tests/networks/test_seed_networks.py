# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's layers, number by number."""

import pytest
import torch
from torch import nn

from hspy_ml.networks.seed_classifier import SeedCNN, phase_loss
from hspy_ml.networks.seed_detector import SeedDetector, line_loss


def cnn(n_channels=2040, n_phases=4):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SeedCNN(n_channels, n_phases).eval()


def test_the_cnn_has_the_published_layers_and_no_biases():
    shapes = {name: tuple(w.shape) for name, w in cnn().state_dict().items()}
    assert shapes == {
        "convolutions.0.weight": (8, 1, 10),
        "convolutions.1.weight": (16, 8, 10),
        "layers.0.weight": (100, 2048),
        "layers.1.weight": (32, 100),
        "layers.2.weight": (8, 32),
        "layers.3.weight": (4, 8),
    }


@pytest.mark.parametrize(
    ("n_channels", "flat"), [(2040, 2048), (2048, 2048), (1, 16), (17, 32), (999, 1008)]
)
@torch.no_grad()
def test_any_number_of_channels_is_halved_four_times(n_channels, flat):
    assert SeedCNN.flat_size(n_channels) == flat
    assert cnn(n_channels)(torch.ones(3, n_channels)).shape == (3, 4)


@torch.no_grad()
def test_without_biases_the_answer_grows_with_the_counts():
    """Two doses of one spectrum: the reason why it fails at other dwell times."""
    spectra = torch.rand(5, 2040, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(cnn()(3 * spectra), 3 * cnn()(spectra))
    assert (cnn()(torch.zeros(1, 2040)) == 0).all()


def test_the_detector_has_five_layers_of_a_hundred():
    detector = SeedDetector(2040)
    linear = [m for m in detector.layers if isinstance(m, nn.Linear)]
    sizes = [(m.in_features, m.out_features) for m in linear]
    assert sizes == [(2040, 100)] + 5 * [(100, 100)]


@torch.no_grad()
def test_variance_of_the_residual_does_not_see_a_constant():
    detector = SeedDetector(30)
    nn.init.zeros_(detector.layers[-1].weight)
    bias = detector.layers[-1].bias
    bias.copy_(torch.arange(100.0) + 7)
    spectra = torch.ones(2, 30)
    torch.testing.assert_close(detector.residual_variance(spectra), torch.zeros(2))
    assert float(line_loss(detector, (spectra,))) == pytest.approx(49)
    bias.copy_(torch.zeros(100))
    # of the numbers 0 to 99: (100^2 - 1) / 12
    variance = torch.full((2,), 833.25)
    torch.testing.assert_close(detector.residual_variance(spectra), variance)


def test_cross_entropy_of_a_guess_is_the_logarithm_of_the_phases():
    network = cnn()
    nn.init.zeros_(network.layers[-1].weight)
    batch = torch.ones(6, 2040), torch.arange(6) % 4
    assert phase_loss(network, batch).item() == pytest.approx(1.386294, rel=1e-5)
