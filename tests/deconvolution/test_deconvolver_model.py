# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files of the deconvolving network, and its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.deconvolution_network import DeconvolutionNetwork
from hspy_ml.deconvolution.deconvolver_model import DeconvolverModel, load_deconvolver
from hspy_ml.deconvolution.network_loss import deconvolution_loss, exposure_of
from hspy_ml.deconvolution.network_stream import Batch, LowLossStream
from hspy_ml.deconvolution.network_training import calibrate, train_network
from hspy_ml.deconvolution.scene_bank import random_bank, random_bank_responses
from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel, save_model
from hspy_ml.networks.plan import TrainingPlan

SIZES = (8, 3, 2)
PLAN = TrainingPlan(n_steps=8, batch_size=8, n_validation=16, validate_every=4)


@pytest.fixture(scope="module")
def stream():
    bank = random_bank(8, 1024, random_state=1)
    return LowLossStream(bank, random_bank_responses(50, 2), (1e5, 1e7))


@pytest.fixture(scope="module")
def batch(stream):
    drawn = stream.draw(8, np.random.default_rng(0))
    return Batch(*map(torch.from_numpy, drawn))


@pytest.fixture
def model():
    torch.manual_seed(0)
    network = DeconvolutionNetwork(*SIZES).eval()
    return DeconvolverModel(network, {"electrons": [1e5, 1e7]}, {"n_steps": 3})


def test_a_model_is_what_was_saved(model, batch, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = load_deconvolver(path)
    assert again.card == model.card
    assert "deconvolution" in again.info()
    exposure = exposure_of(batch)
    with torch.no_grad():
        mine, same = model.network(exposure), again.network(exposure)
    # half precision in the file: 11 bits of the weights
    apart = (mine.losses - same.losses).abs() / mine.noise
    assert apart.median() < 0.01


def test_saving_replaces_nothing_unasked(model, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    with pytest.raises(FileExistsError):
        model.save(path)
    model.save(path, overwrite=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "SeedNetwork"}, "a SeedNetwork for deconvolution"),
        (
            {"hyperparameters": {"width": 16, "n_levels": 3, "n_dilations": 2}},
            "another size",
        ),
        ({"hyperparameters": {"width": "8"}}, "whole numbers"),
        ({"task": "denoising"}, "not for deconvolution"),
    ],
)
def test_other_files_are_refused(model, tmp_path, change, message):
    stored = model.to_stored()
    path = tmp_path / "model.safetensors"
    card = replace(stored.card, **change)
    assert isinstance(card, ModelCard)
    save_model(path, StoredModel(card, stored.weights))
    with pytest.raises(ValueError, match=message):
        load_deconvolver(path)


def test_training_repeats_and_leaves_its_start_alone(stream, model):
    before = {k: w.clone() for k, w in model.network.state_dict().items()}
    first = train_network(stream, PLAN, model)
    again = train_network(stream, PLAN, model)
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, before[name])
    changed = [
        not torch.equal(weight, before[name])
        for name, weight in first.network.state_dict().items()
    ]
    assert any(changed)
    for mine, same in zip(
        first.network.state_dict().values(),
        again.network.state_dict().values(),
        strict=True,
    ):
        torch.testing.assert_close(mine, same)
    assert first.training["start"] == model.training
    assert first.conditions == model.conditions


def test_training_lowers_the_loss(stream, model):
    plan = replace(PLAN, n_steps=30, validate_every=30)
    trained = train_network(stream, plan, model)
    drawn = stream.draw(64, np.random.default_rng(9))
    unseen = tuple(map(torch.from_numpy, drawn))
    with torch.no_grad():
        before, after = (
            float(deconvolution_loss(one.network, unseen)) for one in (model, trained)
        )
    assert after < before - 0.2


def test_the_loss_is_least_at_the_truth(model, batch):
    class Fixed(torch.nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, exposure):
            found = model.network(exposure)
            scale = torch.full_like(found.log_scale, -1.0)
            return found._replace(losses=self.factor * batch.losses, log_scale=scale)

    with torch.no_grad():
        values = [float(deconvolution_loss(Fixed(f), batch)) for f in (0.8, 1.0, 1.2)]
    assert values[1] < min(values[0], values[2])


def test_calibrated_errors_cover_what_they_should(stream, model):
    with torch.no_grad():
        model.network.unet.leave.bias[2:4] = 0.7  # scales that are wrong
    calibrate(model.network, stream, PLAN, 256)
    drawn = stream.draw(128, np.random.default_rng(11))
    unseen = Batch(*map(torch.from_numpy, drawn))
    exposure = exposure_of(unseen)
    with torch.no_grad():
        found = model.network(exposure)
        errors = model.network.standard_errors(found, exposure.area)
    region = exposure.distance > exposure.fwhm / 2
    ratio = ((found.losses - unseen.losses).abs() / errors)[region]
    assert 0.6 < float((ratio < 1).float().mean()) < 0.85
    assert 0.88 < float((ratio < 1.96).float().mean()) < 0.98
