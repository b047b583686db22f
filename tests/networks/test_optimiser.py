# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch
from torch import nn

from hspy_ml.networks.optimiser import Optimiser
from hspy_ml.networks.plan import TrainingPlan


class One(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))


def path(gradients, **settings):
    """Where a single number goes whose gradients are given."""
    network = One()
    plan = TrainingPlan(n_steps=len(gradients), **settings)
    optimiser = Optimiser(network, plan)
    values = [0.0]
    for gradient in gradients:
        optimiser.step(lambda gradient=gradient: gradient * network.value)
        values.append(float(network.value.detach()))
    return np.array(values)


def test_one_cycle_rises_to_the_rate_and_falls_to_nothing():
    # under a constant gradient a step of Adam is about as long as the learning rate
    steps = -np.diff(path([1.0] * 100, learning_rate=0.02, warm_up=0.3))
    assert np.argmax(steps) == pytest.approx(30, abs=4)
    assert steps.max() == pytest.approx(0.02, rel=0.1)
    assert 0 < steps[0] < 0.1 * steps.max()
    assert 0 < steps[-1] < 0.01 * steps.max()


def test_a_single_long_gradient_is_shortened():
    ordinary = [1.0] * 20
    spike = ordinary.copy()
    spike[9] = 1e6
    np.testing.assert_allclose(path(spike), path(ordinary), rtol=1e-5)
    assert not np.allclose(path(spike, gradient_norm=1e9), path(ordinary), rtol=0.1)


def test_weights_decay_and_biases_do_not():
    network = nn.Linear(3, 2)
    weight, bias = network.weight.detach().clone(), network.bias.detach().clone()
    optimiser = Optimiser(
        network, TrainingPlan(n_steps=10, learning_rate=0.1, weight_decay=0.5)
    )
    for _ in range(10):
        optimiser.step(lambda: 0 * (network.weight.sum() + network.bias.sum()))
    ratio = (network.weight.detach() / weight).numpy()
    assert np.ptp(ratio) < 1e-5
    # the product of 1 - rate * decay, the rates between nothing and 0.1
    assert 0.95**10 < ratio[0, 0] < 0.9
    torch.testing.assert_close(network.bias.detach(), bias, rtol=0, atol=0)


def test_no_step_is_taken_where_the_loss_is_not_finite():
    network = One()
    optimiser = Optimiser(network, TrainingPlan(n_steps=5))
    assert optimiser.step(lambda: network.value * torch.inf + torch.inf) != 0
    assert network.value.item() == 0
