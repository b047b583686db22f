# SPDX-License-Identifier: GPL-3.0-or-later
"""The network for responses: its training examples, its training, its file."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.blind_response import estimate_response
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.profile_grid import PROFILE_GRID as GRID
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.response_examples import random_examples
from hspy_ml.deconvolution.response_model import (
    DEFAULT_FILE,
    ResponseModel,
    default_response_model,
)
from hspy_ml.deconvolution.response_network import LOG_SCALE, ResponseNetwork
from hspy_ml.deconvolution.response_training import (
    PLAN,
    response_loss,
    train_response_model,
)
from hspy_ml.networks.model_file import load_model
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses


@pytest.fixture(scope="module")
def examples():
    return random_examples(150, GRID, 51)


@pytest.fixture(autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def test_examples_repeat_exactly(examples):
    again = random_examples(50, GRID, 51)
    np.testing.assert_array_equal(examples.inputs[: len(again.inputs)], again.inputs)
    other = random_examples(50, GRID, 52)
    assert not np.array_equal(other.inputs[:9], again.inputs[:9])


def test_examples_are_finite_and_responses_are_highest_at_the_peak(examples):
    assert np.isfinite(examples.inputs).all()
    highest = np.where(examples.known > 0, examples.log_responses, -99).max(axis=1)
    # the node at the peak is within a fraction of the spacing of nodes from the top
    np.testing.assert_allclose(highest, 0, atol=0.05)
    middle = examples.log_responses[:, GRID.n_side]
    assert np.median(np.abs(middle)) < 0.01


def test_the_packaged_network_is_better_than_the_fit(examples):
    model = default_response_model()
    inputs = torch.from_numpy(examples.inputs)
    known = examples.known > 0
    with torch.no_grad():
        log_response, _ = model.network(inputs)
    miss = np.abs(log_response.numpy() - examples.log_responses)[known]
    fit = LOG_SCALE * examples.inputs[:, : GRID.n_nodes]
    of_fit = np.abs(fit - examples.log_responses)[known]
    assert np.mean(miss) < 0.6 * np.mean(of_fit)


def test_responses_of_other_shapes_are_found_within_some_percent():
    scenes = random_scenes("vib", 20, 1000, random_state=53)
    shapes = random_responses("shoulder", 20, 1000, random_state=54)
    counts = measure(scenes, shapes, 1e7, random_state=55).counts
    found = estimate_response(counts, DetectorNoise(1.0, 0.0, 0.0), pooled=False)
    truth = Response(shapes).cropped(found.half_width).kernel
    misplaced = 0.5 * np.abs(found.kernel - truth).sum(axis=1)
    # the fit alone puts a tenth of the electrons elsewhere
    assert np.median(misplaced) < 0.02


def test_training_lowers_the_loss_and_repeats_exactly(examples):
    plan = replace(PLAN, n_steps=20, batch_size=32, n_validation=32, validate_every=20)
    model, again = (train_response_model(100, plan, n_test=50) for _ in range(2))
    batch = tuple(
        torch.from_numpy(x)
        for x in (examples.inputs, examples.log_responses, examples.known)
    )
    torch.manual_seed(0)
    untrained = ResponseNetwork(GRID.n_nodes)
    with torch.no_grad():
        before, after = (response_loss(n, batch) for n in (untrained, model.network))
    assert after < before - 0.1
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, again.network.state_dict()[name])
    assert model.training["steps"] == 20


def test_a_file_holds_the_model(tmp_path):
    model = default_response_model()
    model.save(tmp_path / "model.safetensors")
    loaded = ResponseModel.load(tmp_path / "model.safetensors")
    assert loaded.grid == model.grid
    assert loaded.card == model.card
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, loaded.network.state_dict()[name])


def test_the_packaged_file_is_small_and_says_what_it_is():
    assert DEFAULT_FILE.stat().st_size < 0.5e6
    stored = load_model(DEFAULT_FILE, "deconvolution")
    assert sum(w.size for w in stored.weights.values()) <= 100_000
    assert stored.card.conditions["families"] == ["family", "shoulder", "one-sided"]


def test_files_of_other_models_are_refused(tmp_path):
    from hspy_ml.networks.model_file import save_model

    stored = load_model(DEFAULT_FILE)
    other = replace(stored, card=replace(stored.card, architecture="Other"))
    save_model(tmp_path / "other.safetensors", other)
    with pytest.raises(ValueError, match="Other"):
        ResponseModel.load(tmp_path / "other.safetensors")
    sizes = stored.card.hyperparameters | {"width": 7}
    wrong = replace(stored, card=replace(stored.card, hyperparameters=sizes))
    save_model(tmp_path / "wrong.safetensors", wrong)
    with pytest.raises(ValueError, match="cannot be used"):
        ResponseModel.load(tmp_path / "wrong.safetensors")
