# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of AdamW in a one-cycle schedule, in mixed precision on a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from .plan import TrainingPlan


class Optimiser:
    """Steps of AdamW [1]_ with a one-cycle learning rate [2]_ and clipped gradients.

    Parameters
    ----------
    network : torch.nn.Module
        On the device on which it is trained.
    plan : TrainingPlan
        Rates and number of steps.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR
       (2019).
    .. [2] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", Proc. SPIE 11006 (2019) 1100612.
    """

    def __init__(self, network: nn.Module, plan: TrainingPlan) -> None:
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._norm = plan.gradient_norm
        self._on_gpu = self._parameters[0].is_cuda
        self._adam = AdamW(_groups(self._parameters, plan), lr=plan.learning_rate)
        self._schedule = OneCycleLR(
            self._adam,
            max_lr=plan.learning_rate,
            # one more than is used, and a rise of two or more: the schedule divides by
            # the lengths of both
            total_steps=plan.n_steps + 1,
            pct_start=max(plan.warm_up, 2 / (plan.n_steps + 1)),
        )
        self._scaler = torch.amp.GradScaler("cuda", enabled=self._on_gpu)

    def step(self, loss: Callable[[], Tensor]) -> float:
        """Take one step down the gradient of a loss.

        Parameters
        ----------
        loss : callable
            Gives the scalar tensor to lower.

        Returns
        -------
        float
            The loss before the step. Where it is not finite no step is taken.
        """
        with torch.autocast("cuda", dtype=torch.float16, enabled=self._on_gpu):
            lost = loss()
        value = float(lost.detach())
        if math.isfinite(value):
            self._descend(lost)
        return value

    def _descend(self, lost: Tensor) -> None:
        self._adam.zero_grad(set_to_none=True)
        self._scaler.scale(lost).backward()
        self._scaler.unscale_(self._adam)
        nn.utils.clip_grad_norm_(self._parameters, self._norm)
        scale = self._scaler.get_scale()
        self._scaler.step(self._adam)
        self._scaler.update()
        # a scale that fell means a step that was skipped: its gradient overflowed
        if self._scaler.get_scale() >= scale:
            self._schedule.step()


def _groups(parameters: list[nn.Parameter], plan: TrainingPlan) -> list[dict]:
    """Weights that decay; biases and scales, which do not."""
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
