# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network is trained for."""

import numpy as np
import pytest
import torch

from hspy_ml.networks.quantifier import Estimate
from hspy_ml.quantification.network_loss import quantification_loss

TRUTH = torch.tensor([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
SHARES = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).repeat(3, 1)


class Fixed:
    """A network that says one thing."""

    def __init__(self, fractions, deviations, log_shares=None):
        log_shares = SHARES.log() if log_shares is None else log_shares
        self.estimate = Estimate(fractions, deviations, log_shares)

    def __call__(self, spectra, populations):
        return self.estimate

    def expected_deviations(self, counts):
        return torch.full((counts.shape[0], 2), 0.1)


def loss_of(fractions, deviations, log_shares=None):
    batch = (torch.ones(3, 7), torch.zeros(3, 4), TRUTH, SHARES)
    return quantification_loss(Fixed(fractions, deviations, log_shares), batch)


def test_its_value_is_that_of_the_formula():
    fractions = TRUTH + torch.tensor([[0.1, -0.1]])
    deviations = torch.full((3, 2), 0.2)
    entropy = -float((SHARES[0] * SHARES[0].log()).sum())
    wanted = 0.5 * 0.1**2 / 0.1**2 + np.log(0.2) + 0.5 * (0.1 / 0.2) ** 2
    found = float(loss_of(fractions, deviations))
    assert found == pytest.approx(wanted + 0.3 * entropy, rel=1e-5)


def test_error_bars_are_best_where_they_are_the_errors():
    fractions = TRUTH + torch.tensor([[0.1, -0.1]])
    candidates = [0.05, 0.08, 0.1, 0.12, 0.2]
    losses = [float(loss_of(fractions, torch.full((3, 2), d))) for d in candidates]
    assert candidates[int(np.argmin(losses))] == 0.1


def test_error_bars_do_not_pull_at_the_fractions():
    """The gradient of the fractions is that of the first term, at any error bar."""
    gradients = []
    for deviation in (0.01, 3.0):
        fractions = (TRUTH + torch.tensor([[0.1, -0.1]])).requires_grad_()
        loss_of(fractions, torch.full((3, 2), deviation)).backward()
        gradients.append(fractions.grad)
    torch.testing.assert_close(*gradients)
    wanted = torch.tensor([[0.1, -0.1]]).repeat(3, 1) / 0.1**2 / 6
    torch.testing.assert_close(gradients[0], wanted, rtol=1e-4, atol=1e-6)


def test_true_shares_are_the_best():
    """Gibbs' inequality: any other shares are worse."""
    deviations = torch.full((3, 2), 0.1)
    best = float(loss_of(TRUTH, deviations))
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        other = torch.log_softmax(torch.randn(3, 4, generator=generator), 1)
        assert float(loss_of(TRUTH, deviations, other)) > best
