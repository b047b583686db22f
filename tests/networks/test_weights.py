# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch
from torch import nn

from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, load_model, save_model
from hspy_ml.networks.weights import fill_network, network_weights


def network(seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Conv1d(1, 3, 5), nn.BatchNorm1d(3), nn.Flatten(), nn.Linear(18, 2)
        built = nn.Sequential(*layers)
        built(torch.randn(7, 1, 10))  # so that the normalisation has seen something
    return built.eval()


def test_a_network_is_the_same_after_the_file(tmp_path):
    first, second = network(1), network(2)
    spectra = torch.randn(4, 1, 10)
    assert not torch.equal(first(spectra), second(spectra))
    card = ModelCard("classification", "toy", {}, {})
    path = tmp_path / "model.safetensors"
    save_model(path, StoredModel(card, network_weights(first)))
    fill_network(second, load_model(path).weights)
    torch.testing.assert_close(first(spectra), second(spectra), rtol=0, atol=0)
    assert second[1].num_batches_tracked == 1


def test_weights_are_copies():
    built = network(1)
    weights = network_weights(built)
    before = weights["3.bias"].copy()
    with torch.no_grad():
        built[3].bias += 1
    np.testing.assert_array_equal(weights["3.bias"], before)
    fill_network(built, weights)
    with torch.no_grad():
        built[3].bias += 1
    np.testing.assert_array_equal(weights["3.bias"], before)


def without(weights):
    del weights["3.bias"]


def unknown(weights):
    weights["4.bias"] = np.ones(2)


def another_shape(weights):
    weights["0.weight"] = weights["0.weight"][:, :, :3]


def transposed(weights):
    weights["3.weight"] = weights["3.weight"].T


def whole_numbers(weights):
    weights["3.bias"] = np.ones(2, dtype=int)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without, "3.bias is missing"),
        (unknown, "4.bias is unknown"),
        (another_shape, r"0.weight has the shape \(3, 1, 3\), not \(3, 1, 5\)"),
        (transposed, r"3.weight has the shape \(18, 2\), not \(2, 18\)"),
        (whole_numbers, "3.bias is of the type int64"),
    ],
)
def test_weights_of_another_network_change_nothing(spoil, message):
    built = network(1)
    before = network_weights(built)
    weights = network_weights(network(2))
    spoil(weights)
    with pytest.raises(ValueError, match=f"`weights` do not fit.*{message}"):
        fill_network(built, weights)
    for name, weight in network_weights(built).items():
        np.testing.assert_array_equal(weight, before[name])


def test_a_long_list_of_faults_is_shortened():
    with pytest.raises(ValueError, match=r"\.\.\."):
        fill_network(network(1), {})
