# SPDX-License-Identifier: GPL-3.0-or-later
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from toy_networks import SLOPES, Line, Spoilt, line_network, squared_error

from hspy_ml.networks.best_state import load_checkpoint
from hspy_ml.networks.training import TrainingPlan, train
from hspy_ml.networks.weights import network_weights

PLAN = TrainingPlan(
    n_steps=120,
    batch_size=32,
    learning_rate=0.3,
    validate_every=30,
    n_validation=100,
    random_state=11,
)


@pytest.fixture(autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def same(first, second):
    assert first.keys() == second.keys()
    return all(np.array_equal(first[name], second[name]) for name in first)


def validation_loss(network, plan, stream):
    """On the first batch of the validation set, as the loop draws it."""
    random_state = np.random.default_rng([plan.random_state, 1, 0])
    x, y = stream.draw(plan.batch_size, random_state)
    batch = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    with torch.no_grad():
        return float(squared_error(network, batch))


def test_the_line_is_learnt_to_its_noise():
    network = line_network()
    history = train(network, Line(noise=0.1), squared_error, PLAN)
    np.testing.assert_allclose(network[1].weight.detach()[0], SLOPES, atol=0.02)
    assert history.best_loss == pytest.approx(0.01, rel=0.4)
    assert history.validation_loss[0] > 100 * history.best_loss
    assert history.validation_steps.tolist() == [0, 30, 60, 90, 120]
    assert history.training_loss.shape == (120,)
    assert history.n_steps_done == 120
    assert not history.interrupted
    assert not history.stopped_early
    assert 0 < history.seconds < 60


def test_it_repeats_exactly_whatever_torch_s_seed_is():
    weights = []
    for seed in (1, 2):
        network = line_network(dropout=0.3)
        torch.manual_seed(seed)
        history = train(network, Line(), squared_error, PLAN)
        weights.append(network_weights(network) | {"loss": history.training_loss})
    assert same(*weights)


def test_another_seed_gives_other_weights():
    networks = [line_network(), line_network()]
    for seed, network in enumerate(networks):
        train(network, Line(), squared_error, replace(PLAN, random_state=seed))
    assert not same(*map(network_weights, networks))


def test_the_seed_of_dropout_is_the_plan_s():
    losses = [
        train(
            line_network(dropout=0.5),
            Line(),
            lambda network, batch: (
                network[0](torch.ones(50)).mean()
                + 0 * sum(parameter.sum() for parameter in network.parameters())
            ),
            replace(PLAN, random_state=seed, n_steps=4),
        ).training_loss
        for seed in (0, 1)
    ]
    assert not np.array_equal(*losses)


def test_validating_more_often_does_not_change_the_training():
    losses = []
    for validate_every in (7, 50):
        plan = replace(PLAN, validate_every=validate_every)
        network = line_network(dropout=0.3)
        losses.append(train(network, Line(), squared_error, plan).training_loss)
    np.testing.assert_array_equal(*losses)


def test_torch_is_left_as_it_was():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    train(line_network(dropout=0.3), Line(), squared_error, PLAN)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == 1


def test_no_batch_is_seen_twice_and_validation_is_apart():
    drawn = []

    class Watched(Line):
        def draw(self, n, random_state):
            batch = super().draw(n, random_state)
            drawn.append(batch[0])
            return batch

    plan = replace(PLAN, n_steps=9)
    train(line_network(), Watched(), squared_error, plan)
    n_validation = -(-plan.n_validation // plan.batch_size)
    assert len(drawn) == n_validation + plan.n_steps
    first_rows = {batch[0].tobytes() for batch in drawn}
    assert len(first_rows) == len(drawn)


def test_the_next_batch_is_drawn_while_one_is_trained_on():
    begun = [threading.Event() for _ in range(8)]
    order = iter(begun)

    class Watched(Line):
        def draw(self, n, random_state):
            if threading.current_thread() is not threading.main_thread():
                next(order).set()
            return super().draw(n, random_state)

    def waits_for_the_next(step):
        if step < len(begun):
            assert begun[step].wait(timeout=10)

    plan = replace(PLAN, n_steps=8)
    train(line_network(), Watched(), squared_error, plan, progress=waits_for_the_next)
    assert all(event.is_set() for event in begun)


def test_the_best_state_is_kept():
    # after step 60 the truth is another: the validation can only get worse
    turned = PLAN.n_validation // PLAN.batch_size + 1 + 60

    class Turned(Line):
        n_draws = 0

        def draw(self, n, random_state):
            self.n_draws += 1
            x, y = super().draw(n, random_state)
            return x, y if self.n_draws <= turned else -y

    network = line_network()
    history = train(network, Turned(), squared_error, PLAN)
    assert history.best_step == 60
    assert history.validation_loss[-1] > 10 * history.best_loss
    assert validation_loss(network, PLAN, Line()) < 2 * history.best_loss


def test_a_start_that_is_never_bettered_is_kept():
    network = line_network()
    with torch.no_grad():
        network[1].weight[:] = torch.tensor(SLOPES)
        network[1].bias[:] = 0
    start = network_weights(network)
    plan = replace(PLAN, learning_rate=3.0, n_steps=10, validate_every=5, warm_up=0.9)
    history = train(network, Line(), squared_error, plan)
    assert history.best_step == 0
    assert same(network_weights(network), start)


def test_early_stopping():
    network = line_network()
    with torch.no_grad():
        network[1].weight[:] = torch.tensor(SLOPES)
        network[1].bias[:] = 0
    plan = replace(PLAN, validate_every=10, patience=2)
    history = train(network, Line(noise=0), squared_error, plan)
    assert history.stopped_early
    assert history.n_steps_done == 20
    assert history.best_step == 0


def test_patience_that_ends_with_the_last_step_is_no_early_stop():
    network = line_network()
    with torch.no_grad():
        network[1].weight[:] = torch.tensor(SLOPES)
        network[1].bias[:] = 0
    plan = replace(PLAN, n_steps=20, validate_every=10, patience=2)
    history = train(network, Line(noise=0), squared_error, plan)
    assert history.best_step == 0
    assert not history.stopped_early


def raises(error):
    def happen(batch):
        raise error

    return happen


@pytest.mark.parametrize("step", [1, 31, 100])
def test_interrupt_in_the_stream(step):
    network = line_network()
    start = network_weights(network)
    n_validation = -(-PLAN.n_validation // PLAN.batch_size)
    stream = Spoilt(n_validation + step, raises(KeyboardInterrupt()))
    history = train(network, stream, squared_error, PLAN)
    assert history.interrupted
    assert history.n_steps_done == step - 1
    assert history.best_step == (step - 1) // 30 * 30
    assert same(network_weights(network), start) == (step == 1)
    whole = train(line_network(), Line(), squared_error, PLAN)
    np.testing.assert_array_equal(
        history.training_loss, whole.training_loss[: step - 1]
    )


def test_interrupt_by_the_user():
    def stop(step):
        if step == 70:
            signal.raise_signal(signal.SIGINT)

    network = line_network()
    history = train(network, Line(), squared_error, PLAN, progress=stop)
    assert history.interrupted
    assert history.n_steps_done == 70
    assert history.best_step == 60
    assert history.best_loss == history.validation_loss.min()
    assert not network.training


def test_interrupt_before_anything_was_validated():
    network = line_network()
    start = network_weights(network)
    history = train(
        network, Spoilt(1, raises(KeyboardInterrupt())), squared_error, PLAN
    )
    assert history.interrupted
    assert history.n_steps_done == 0
    assert np.isnan(history.best_loss)
    assert same(network_weights(network), start)


def with_nan(batch):
    x, y = batch
    y[3] = np.nan
    return x, y


def test_a_loss_that_is_not_finite_names_the_step_and_restores():
    network = line_network()
    n_validation = -(-PLAN.n_validation // PLAN.batch_size)
    stream = Spoilt(n_validation + 45, with_nan)
    with pytest.raises(RuntimeError, match="step 45 is nan.*`learning_rate`"):
        train(network, stream, squared_error, PLAN)
    assert all(np.isfinite(w).all() for w in network_weights(network).values())
    assert validation_loss(network, PLAN, Line()) < 10


def test_weights_that_explode_are_not_kept():
    def explodes(network, batch):
        loss = squared_error(network, batch)
        # the gradient of sqrt at zero: a finite loss, a gradient that is not
        return loss + torch.sqrt(0 * network[1].weight.sum())

    network = line_network()
    start = network_weights(network)
    with pytest.raises(RuntimeError, match="step 2 is nan"):
        train(network, Line(), explodes, PLAN)
    assert same(network_weights(network), start)


def test_validation_that_is_not_finite():
    with pytest.raises(RuntimeError, match="validation loss after 0 steps is nan"):
        train(line_network(), Spoilt(2, with_nan), squared_error, PLAN)


def test_an_error_of_the_stream_is_the_caller_s_and_the_best_state_stays():
    network = line_network()
    stream = Spoilt(80, raises(LookupError("no more")))
    with pytest.raises(LookupError, match="no more"):
        train(network, stream, squared_error, PLAN)
    assert validation_loss(network, PLAN, Line()) < 10
    assert not network.training


def test_progress_counts_the_steps():
    steps = []
    plan = replace(PLAN, n_steps=13)
    train(line_network(), Line(), squared_error, plan, progress=steps.append)
    assert steps == list(range(1, 14))


@pytest.mark.parametrize("n_steps", [2, 3, 4, 10, 11])
@pytest.mark.parametrize("warm_up", [1e-9, 0.1, 0.5, 0.999])
def test_the_shortest_trainings(n_steps, warm_up):
    plan = replace(PLAN, n_steps=n_steps, warm_up=warm_up)
    history = train(line_network(), Line(), squared_error, plan)
    assert history.n_steps_done == n_steps
    assert history.validation_steps.tolist() == [0, n_steps]


def test_the_checkpoint_is_the_best_state(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    seen = []
    network = line_network()
    train(
        network,
        Line(),
        squared_error,
        replace(PLAN, n_steps=90),
        progress=lambda step: seen.append(path.exists()),
        checkpoint=path,
    )
    assert seen[:30] == [False] * 30
    assert seen[30:] == [True] * 60
    loaded = line_network(seed=4)
    assert load_checkpoint(loaded, path) == 90
    assert same(network_weights(loaded), network_weights(network))
    assert list(tmp_path.iterdir()) == [path]


def test_a_start_does_not_replace_an_older_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    train(line_network(), Line(), squared_error, PLAN, checkpoint=path)
    before = path.read_bytes()
    stream = Spoilt(12, raises(KeyboardInterrupt()))
    train(line_network(), stream, squared_error, PLAN, checkpoint=path)
    assert path.read_bytes() == before


def test_a_checkpoint_that_cannot_be_written_costs_a_warning(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hspy_ml.networks.atomic_file.os.fsync", full)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.warns(UserWarning, match="No space left") as caught:
        history = train(line_network(), Line(), squared_error, PLAN, checkpoint=path)
    assert len(caught) == 1
    assert history.n_steps_done == PLAN.n_steps
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("checkpoint.pt", ValueError, "safetensors"),
        ("missing/checkpoint.safetensors", FileNotFoundError, "make it first"),
    ],
)
def test_a_checkpoint_in_a_wrong_place(tmp_path, name, error, message):
    with pytest.raises(error, match=f"`checkpoint`.*{message}"):
        train(line_network(), Line(), squared_error, PLAN, checkpoint=tmp_path / name)


def test_frozen_weights_stay():
    network = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 1))
    network[0].requires_grad_(False)
    before = network_weights(network)
    train(network, Line(), squared_error, PLAN)
    after = network_weights(network)
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])
    assert not np.array_equal(after["1.weight"], before["1.weight"])


def test_nothing_to_train():
    with pytest.raises(ValueError, match="`network` has no weights"):
        train(nn.ReLU(), Line(), squared_error, PLAN)


@pytest.mark.parametrize("device", ["gpu", "xpu:7", ""])
def test_a_device_that_is_not_there(device):
    with pytest.raises(ValueError, match='`device` is.*"auto"'):
        train(line_network(), Line(), squared_error, PLAN, device=device)


def test_numbers_of_the_stream_are_those_of_the_network():
    kinds = []

    class Labelled:
        def draw(self, n, random_state):
            x = random_state.poisson(3, size=(n, 5))
            x.flags.writeable = False
            return x.astype(np.float32), x.astype(np.uint16), x[:, ::2]

    def loss(network, batch):
        kinds.append(tuple(tensor.dtype for tensor in batch))
        return network(batch[0]).mean()

    train(line_network().double(), Labelled(), loss, replace(PLAN, n_steps=2))
    assert set(kinds) == {(torch.float64, torch.uint16, torch.int64)}


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("n_steps", 1, ValueError),
        ("n_steps", 10.0, TypeError),
        ("n_steps", True, TypeError),
        ("batch_size", 0, ValueError),
        ("validate_every", 0, ValueError),
        ("n_validation", 0, ValueError),
        ("patience", 0, ValueError),
        ("patience", 1.5, TypeError),
        ("random_state", -1, ValueError),
        ("random_state", None, TypeError),
        ("learning_rate", 0.0, ValueError),
        ("learning_rate", np.nan, ValueError),
        ("learning_rate", np.inf, ValueError),
        ("learning_rate", "fast", TypeError),
        ("weight_decay", -1e-4, ValueError),
        ("gradient_norm", 0.0, ValueError),
        ("warm_up", 0.0, ValueError),
        ("warm_up", 1.0, ValueError),
    ],
)
def test_settings_out_of_range(setting, value, error):
    with pytest.raises(error, match=f"`{setting}` is .*give"):
        TrainingPlan(**{setting: value})


def test_numpy_s_numbers_are_settings():
    plan = TrainingPlan(n_steps=np.int64(7), learning_rate=np.float32(0.01))
    assert plan.n_steps == 7
