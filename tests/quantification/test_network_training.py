# SPDX-License-Identifier: GPL-3.0-or-later
"""From a bank to a model: what it is, how it was made, going on, interrupts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_networks import PLAN, conditions_of, make_bank, the_templates

from hspy_ml.networks.threads import torch_threads
from hspy_ml.quantification import network_calibration
from hspy_ml.quantification.network_training import train_model, trained_on

SHORT = replace(PLAN, n_steps=6, batch_size=32, validate_every=3, n_validation=64)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Calibrations of a few spectra; one thread."""
    monkeypatch.setattr(network_calibration, "N_DRAWS", 3)
    with torch_threads(1):
        yield


def weights_of(model):
    return model.network.state_dict()


def test_a_network_learns(model, bank):
    """Its errors are a fraction of what the prior alone would leave."""
    prior = 100 * np.sqrt(bank.atomic_fractions.var(axis=0).mean())
    errors = [score["rms error (at.%)"] for score in model.scores.values()]
    assert errors[0] < 0.7 * prior
    assert errors[-1] < 0.25 * prior
    assert (np.diff(errors) < 0).all()


def test_the_account_says_how_it_was_trained(model):
    assert model.training["steps"] == model.training["steps_planned"] == PLAN.n_steps
    assert model.training["spectra"] == f"{PLAN.n_steps * PLAN.batch_size} simulated"
    assert model.training["random_state"] == 0
    assert model.training["interrupted"] is False
    assert "started_from" not in model.training
    assert model.elements == ("Al", "Ti", "Fe")


def test_the_same_seed_trains_the_same_model(bank):
    conditions = conditions_of(bank)
    first, again, other = (
        train_model(bank, the_templates(), conditions, replace(SHORT, random_state=s))
        for s in (4, 4, 5)
    )
    for name, weight in weights_of(first).items():
        assert torch.equal(weight, weights_of(again)[name]), name
    name = "composition.weight"
    assert not torch.equal(weights_of(first)[name], weights_of(other)[name])


def test_training_on_leaves_the_start_and_tells_of_it(model):
    before = {name: weight.clone() for name, weight in weights_of(model).items()}
    other = make_bank(seed=9)
    later = trained_on(other, other, model, SHORT, "measured")
    for name, weight in weights_of(model).items():
        assert torch.equal(weight, before[name]), name
    assert later.training["started_from"] == model.training
    assert later.training["spectra"] == "192 measured"
    assert later.conditions == model.conditions


def test_an_interrupted_training_gives_what_was_reached(bank):
    """The model is calibrated all the same, and its card says so."""
    done = []

    def progress(step):
        done.append(step)
        if step == 4:
            raise KeyboardInterrupt

    found = train_model(
        bank, the_templates(), conditions_of(bank), SHORT, progress=progress
    )
    assert done == [1, 2, 3, 4]
    assert found.training["interrupted"] is True
    assert found.training["steps"] == 4
    assert found.training["steps_planned"] == 6
    assert (found.network.ordinary > 0).any()
    assert not found.network.training
