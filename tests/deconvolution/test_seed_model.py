# SPDX-License-Identifier: GPL-3.0-or-later
"""EELSpecNet where the dilated network would be: blind, aligned, saved and loaded."""

from functools import cache

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.deconvolver_model import DeconvolverModel
from hspy_ml.deconvolution.exposure import Exposure
from hspy_ml.deconvolution.network_stream import Batch
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.restore import restore
from hspy_ml.deconvolution.seed_model import (
    SeedModel,
    load_seed_model,
    new_seed_network,
    train_seed_model,
)
from hspy_ml.deconvolution.seed_network import (
    batch_loss,
    compressed,
    expanded,
    share_loss,
)
from hspy_ml.deconvolution.seed_stream import ZERO_CHANNEL, SeedStream
from hspy_ml.networks.model_card import ModelCard
from hspy_ml.networks.model_file import StoredModel

N_CHANNELS = 1000
ELECTRONS = 1e6


@cache
def trained():
    with torch.enable_grad():
        return train_seed_model(width=2, dilation=1, n_steps=32)


def network():
    return trained().network


@cache
def spectra(n=4):
    """Seed spectra from 120 channels below the zero loss on, and their truth."""
    measured, truth = SeedStream(4.0).draw(n, 7)
    part = slice(ZERO_CHANNEL - 120, ZERO_CHANNEL - 120 + N_CHANNELS)
    return ELECTRONS * measured[:, part], ELECTRONS * truth[:, part]


def exposure(electrons, centre, width=15.0):
    n = len(electrons)
    place = np.arange(-200, 201) / width
    kernel = 1 / (1 + 4 * place**2)
    tensors = (
        electrons,
        np.zeros(n),
        kernel[None] / kernel.sum(),
        np.broadcast_to(centre, n),
        [width],
        [4.0],
    )
    return Exposure(*(torch.from_numpy(np.array(t, np.float32)) for t in tensors))


def test_compression_is_undone_and_odd():
    shares = torch.tensor([0.0, 1e-6, 1e-4, -1e-4, 0.01, 1.0])
    numbers = compressed(shares)
    torch.testing.assert_close(expanded(numbers), shares)
    assert numbers[-1] == pytest.approx(1)
    assert numbers[3] == -numbers[2]


@torch.no_grad()
def test_losses_are_electrons_without_the_line():
    measured, truth = spectra()
    found = network()(exposure(measured, 120.0))
    assert found.losses.shape == measured.shape
    assert (found.losses >= 0).all()
    assert torch.isfinite(found.log_scale).all()
    line = found.losses[:, 110:131]
    beside = torch.maximum(found.losses[:, 109], found.losses[:, 131])
    assert (line <= beside[:, None] + 1e-3).all()
    assert (truth[:, 120] > 100 * line.max(dim=1).values.numpy()).all()


@torch.no_grad()
@pytest.mark.parametrize("moved", [1, -37, 60])
def test_a_spectrum_moved_by_whole_channels_gives_the_same(moved):
    """Whatever the strides of the network are."""
    measured, _ = spectra()
    wide = np.pad(measured, ((0, 0), (100, 100)))
    other = np.roll(wide, moved, axis=1)
    first = network()(exposure(wide, 220.3)).losses
    second = network()(exposure(other, 220.3 + moved)).losses
    expected = first.roll(moved, 1)[:, 100:-100]
    # the sum of the electrons is rounded otherwise
    torch.testing.assert_close(second[:, 100:-100], expected, rtol=1e-4, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("n_channels", [140, 1000, 3500])
@pytest.mark.parametrize("centre", [20.0, 119.5])
def test_any_axis(n_channels, centre):
    electrons = np.random.default_rng(0).poisson(30.0, (2, n_channels))
    electrons[:, round(centre)] += 100_000
    found = network()(exposure(electrons, centre))
    assert found.losses.shape == (2, n_channels)
    assert torch.isfinite(found.losses).all()


@torch.no_grad()
def test_twice_the_dose_is_twice_the_losses():
    measured, _ = spectra()
    once = network()(exposure(measured, 120.0)).losses
    twice = network()(exposure(2 * measured, 120.0)).losses
    torch.testing.assert_close(twice, 2 * once, rtol=1e-3, atol=1e-2)


def test_it_stands_in_for_the_dilated_network():
    measured, _ = spectra()
    response = Response(exposure(measured, 120.0).line.numpy()[:1, :241])
    found = restore(measured, response, model=trained(), zero_channel=120.0)
    assert (found.spectra >= 0).all()
    assert np.isfinite(found.errors).all()
    assert (found.errors > 0).all()
    np.testing.assert_allclose(
        found.area + found.losses.sum(axis=1), measured.sum(axis=1), rtol=0.1
    )


def test_both_losses_agree():
    """Batches are padded for a zero loss that is anywhere."""
    measured, truth = SeedStream(4.0).draw(3, 5)
    losses = truth.copy()
    line = np.exp(-4 * np.log(2) * ((np.arange(2048) - ZERO_CHANNEL) / 4.0) ** 2)
    losses -= truth[:, [ZERO_CHANNEL]] * line
    total = measured.sum(axis=1, keepdims=True)
    batch = Batch(
        ELECTRONS * measured,
        np.zeros(3),
        np.ones((3, 1)),
        np.full(3, float(ZERO_CHANNEL)),
        np.full(3, 15.0),
        np.full(3, 4.0),
        ELECTRONS * losses,
    )
    batch = [torch.from_numpy(np.asarray(part, np.float32)) for part in batch]
    shares = [
        torch.from_numpy(np.pad(part / total, ((0, 0), (0, ZERO_CHANNEL))))
        for part in (measured, truth)
    ]
    with torch.no_grad():
        first = float(batch_loss(network(), batch))
        second = float(share_loss(network(), shares))
    # the losses beneath the line are the line's in one, and bfloat16 is coarse
    assert first == pytest.approx(second, rel=0.03)


def test_training_lowers_the_error():
    new = new_seed_network(2, 1, 4.0, 0)
    batch = [torch.from_numpy(part) for part in SeedStream(4.0).draw(16, 9)]
    with torch.no_grad():
        assert share_loss(network(), batch) < share_loss(new, batch) - 0.01
    assert trained().card.scores["NMSE of the losses"] < 1
    assert float(network().target_width) == 4
    assert float(network().spread) > 0


def test_an_interrupt_leaves_a_model():
    def stop(n_steps):
        if n_steps == 3:
            raise KeyboardInterrupt

    model = train_seed_model(width=1, dilation=1, n_steps=8, progress=stop)
    assert model.training["interrupted"]
    assert model.training["steps"] == 3


def test_a_file_holds_it(tmp_path):
    path = tmp_path / "seed.safetensors"
    trained().save(path)
    loaded = load_seed_model(path)
    assert isinstance(loaded, DeconvolverModel)
    assert loaded.card == trained().card
    assert "EELSpecNet" in repr(loaded)
    measured, _ = spectra()
    with torch.no_grad():
        first = network()(exposure(measured, 120.0)).losses
        second = loaded.network(exposure(measured, 120.0)).losses
    # weights are stored in half precision
    torch.testing.assert_close(first, second, rtol=0.03, atol=0.03 * float(first.max()))


def test_another_architecture_is_refused():
    stored = trained().to_stored()
    with pytest.raises(ValueError, match="EELSpecNet"):
        DeconvolverModel.from_stored(stored)
    card = ModelCard("deconvolution", "Other", {}, {})
    with pytest.raises(ValueError, match="Other"):
        SeedModel.from_stored(StoredModel(card, stored.weights))
