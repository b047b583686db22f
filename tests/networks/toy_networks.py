# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that can learn a straight line, and the points to learn it from."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

SLOPES = np.array([1.0, -2.0, 0.5, 3.0, -1.5])


class Line:
    """Points on a plane in five dimensions, with noise."""

    def __init__(self, noise: float = 0.1) -> None:
        self.noise = noise

    def draw(self, n, random_state):
        x = random_state.normal(size=(n, SLOPES.size))
        y = x @ SLOPES + self.noise * random_state.normal(size=n)
        return x, y


class Spoilt(Line):
    """The same, but for what happens at the draw of one number."""

    def __init__(self, at: int, happen) -> None:
        super().__init__()
        self.at, self.happen, self.n_draws = at, happen, 0

    def draw(self, n, random_state):
        self.n_draws += 1
        if self.n_draws == self.at:
            return self.happen(super().draw(n, random_state))
        return super().draw(n, random_state)


def line_network(seed: int = 3, dropout: float = 0.0) -> nn.Module:
    """Five inputs, one output; its weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(SLOPES.size, 1))


def squared_error(network, batch):
    x, y = batch
    return ((network(x)[:, 0] - y) ** 2).mean()
