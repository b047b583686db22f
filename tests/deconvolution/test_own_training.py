# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on a map: what is taken from it, what comes out, what is refused."""

from functools import cache

import numpy as np
import pytest
import torch
from own_maps import N_CHANNELS, mixed_map, vertices

from hspy_ml.deconvolution import default_model, own_stream, own_training
from hspy_ml.deconvolution.deconvolution_network import DeconvolutionNetwork
from hspy_ml.deconvolution.deconvolver_model import (
    DeconvolverModel,
    default_deconvolver,
)
from hspy_ml.deconvolution.network_stream import LowLossStream
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.own_map import prepare_map
from hspy_ml.deconvolution.own_stream import MixedStream
from hspy_ml.deconvolution.own_training import default_steps, train_on_spectra
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.restore import restore
from hspy_ml.deconvolution.scene_bank import SceneBank
from hspy_ml.deconvolution.scores import score
from hspy_ml.deconvolution.seed_model import SeedModel
from hspy_ml.networks.weights import network_weights
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import Scenes

ENERGY = mixed_map().energy_eV


def moved_map(n=40, gain=5.0, offset=20.0):
    """The map with another zero loss in each spectrum, gain and dark counts."""
    ends, rng = vertices(), np.random.default_rng(3)
    share = rng.dirichlet(np.ones(3), n)
    scenes = Scenes(
        ends.energy_eV,
        share @ ends.loss,
        share @ ends.zero_loss,
        ends.padding,
        ends.lines[:0],
    )
    shifts = rng.uniform(-3, 3, n)
    kernel = mixed_map().responses
    how = dict(gain=gain, read_noise=2.5, offset=offset, random_state=4)
    return measure(scenes, kernel, 2e6, shifts, **how)


@cache
def prepared():
    measured = moved_map()
    return prepare_map(
        measured.counts, measured.energy_eV, Response(measured.responses)
    )


def test_spectra_are_aligned_and_counted_in_electrons():
    found = prepared()
    assert found.zero_channel == round(mixed_map().zero_channel)
    np.testing.assert_allclose(found.electrons.sum(axis=1), 2e6, rtol=0.15)
    np.testing.assert_allclose(found.noise.gain, 5, rtol=0.15)
    channel = np.arange(N_CHANNELS) - found.zero_channel
    near = np.abs(channel) < 12
    peak = found.electrons[:, near]
    centre = (peak @ channel[near]) / peak.sum(axis=1)
    # misaligned by 3 channels either way before
    assert np.std(centre) < 0.15


def test_without_a_response_it_is_estimated():
    measured = moved_map()
    found = prepare_map(measured.counts, measured.energy_eV)
    assert np.median(found.response.fwhm) == pytest.approx(9, rel=0.06)


def test_an_axis_that_is_not_calibrated_does_not_matter():
    measured = moved_map()
    response = Response(measured.responses)
    found = prepare_map(measured.counts, measured.energy_eV + 5.0, response)
    assert abs(found.zero_channel - prepared().zero_channel) <= 1


def test_spectra_without_a_zero_loss_are_left_out():
    measured = mixed_map()
    counts = measured.counts[:20].copy()
    counts[3] = np.random.default_rng(0).poisson(30.0, N_CHANNELS)
    found = prepare_map(counts, ENERGY, Response(measured.responses))
    assert len(found.electrons) == len(found.noise) == len(found.widths) == 19


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (np.ones((3, 5)), "on that axis"),
        (np.full((3, N_CHANNELS), np.nan), "NaN"),
        (np.ones((3, N_CHANNELS)), "zero-loss"),
    ],
)
def test_what_is_no_map_is_refused(counts, said):
    with pytest.raises(ValueError, match=said):
        train_on_spectra(counts, ENERGY)


@pytest.mark.usefixtures("quick")
def test_a_map_is_drawn_with_its_doses_and_its_noise():
    stream = own_stream.own_stream(prepared(), 0)
    batch = stream.draw(64, np.random.default_rng(0))
    assert batch.electrons.shape == batch.losses.shape == (64, N_CHANNELS)
    assert (batch.read_variance >= 0.5**2 * 0.5).all()  # about 0.5 electrons
    assert np.isfinite(batch.electrons).all()
    fewest, most = stream.spectra.electrons
    total = batch.electrons.sum(axis=1)
    assert fewest / 2 < total.min() < total.max() < 1.1 * most
    np.testing.assert_allclose(batch.centre, prepared().zero_channel, atol=3.2)
    again = stream.draw(64, np.random.default_rng(0))
    np.testing.assert_array_equal(batch.electrons, again.electrons)


class Counted:
    def __init__(self):
        self.n_draws = 0

    def draw(self, n, random_state):
        self.n_draws += 1
        return random_state.random(n)


def test_half_of_the_batches_are_simulated():
    own, other = Counted(), Counted()
    stream, rng = MixedStream(own, other), np.random.default_rng(1)
    for _ in range(200):
        stream.draw(2, rng)
    assert own.n_draws + other.n_draws == 200
    # binomial: 7 is one standard deviation
    assert abs(own.n_draws - 100) < 25


def small_stream(*_):
    """In the place of the package's, which takes seconds to be drawn."""
    ends = vertices()
    beyond = 128 - ends.padding
    loss = np.pad(ends.loss, ((0, 0), (beyond, beyond)), mode="edge")
    zero = np.full(3, ends.zero_channel)
    bank = SceneBank(loss.astype(np.float32), ends.zero_loss, zero)
    return LowLossStream(bank, mixed_map().responses.astype(np.float32))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(default_model, "default_stream", small_stream)
    monkeypatch.setattr(own_stream, "N_SCENES", 60)
    monkeypatch.setattr(own_stream, "N_RESPONSES", 20)
    monkeypatch.setattr(own_training, "N_VALIDATION", 16)
    monkeypatch.setattr(own_training, "SEED_WIDTH", 2)


@cache
def start():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DeconvolutionNetwork(width=4, n_levels=2, n_dilations=1).eval()
    return DeconvolverModel(network, {"scenes": "none"}, {"n_steps": 0})


def trained(n=60, **how):
    measured = mixed_map()
    how = {"start": start(), "n_steps": 4} | how
    response = how.pop("response", Response(measured.responses))
    return train_on_spectra(measured.counts[:n], ENERGY, response=response, **how)


@pytest.mark.usefixtures("quick")
def test_it_goes_on_from_a_model_and_leaves_that_alone(tmp_path):
    before = network_weights(start().network)
    done = []
    model = trained(progress=done.append, checkpoint=tmp_path / "best.safetensors")
    assert done == [1, 2, 3, 4]
    assert isinstance(model, DeconvolverModel)
    for name, weight in network_weights(start().network).items():
        np.testing.assert_array_equal(weight, before[name])
    after = network_weights(model.network)
    assert any((after[name] != before[name]).any() for name in before)
    about = model.card.conditions
    assert about["scenes"] == "none"
    assert about["own_spectra"]["n_spectra"] == 60
    assert about["own_spectra"]["response_width"] == pytest.approx(9, rel=0.02)
    assert model.card.training["start"] == {"n_steps": 0}
    again = network_weights(trained().network)
    for name, weight in after.items():
        np.testing.assert_array_equal(weight, again[name])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("architecture", ["dilated U-net", "EELSpecNet"])
def test_an_interrupt_leaves_the_best_state(architecture):
    def stop(n_steps):
        if n_steps == 2:
            raise KeyboardInterrupt

    first = start() if architecture == "dilated U-net" else None
    model = trained(progress=stop, start=first, architecture=architecture)
    assert model.training["interrupted"]
    assert (model.card.architecture == "EELSpecNet") == isinstance(model, SeedModel)
    measured = mixed_map()
    found = restore(measured.counts[:3], Response(measured.responses), model=model)
    assert np.isfinite(found.spectra).all()


@pytest.mark.usefixtures("quick")
def test_eelspecnet_goes_on_from_eelspecnet():
    first = trained(start=None, architecture="EELSpecNet")
    before = network_weights(first.network)
    second = trained(start=first, architecture="EELSpecNet", random_state=1)
    np.testing.assert_array_equal(
        network_weights(first.network)["network.up.9.bias"], before["network.up.9.bias"]
    )
    assert isinstance(second, SeedModel)


def test_architectures_do_not_mix():
    with pytest.raises(ValueError, match="`architecture`"):
        trained(architecture="EELSpecNet")
    with pytest.raises(ValueError, match="'resnet'"):
        trained(architecture="resnet")
    with pytest.raises(ValueError, match="'resnet'"):
        default_steps("resnet")
    assert default_steps() > 0


@pytest.mark.slow
def test_a_model_of_the_map_is_better_there_at_low_dose():
    """The packaged model, 400 steps further: two minutes."""
    measured = mixed_map(electrons=3e5)
    response = Response(measured.responses)
    own = train_on_spectra(
        measured.counts, measured.energy_eV, response=response, n_steps=400
    )
    test = mixed_map(n=60, electrons=1e5, seed=1)
    noise = DetectorNoise(1.0, 0.25, 0.0)
    error = [
        score(
            restore(
                test.counts,
                response,
                noise,
                model,
                zero_channel=float(test.zero_channel),
            ).spectra,
            test.truth,
            response.fwhm,
            test.zero_channel,
        ).summary()["nmse"]
        for model in (own, default_deconvolver())
    ]
    assert error[0] < 0.95 * error[1]
