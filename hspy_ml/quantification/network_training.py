# SPDX-License-Identifier: GPL-3.0-or-later
"""From a bank of spectra to a trained and calibrated model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .network_calibration import calibrate, scores_of
from .network_conditions import NetworkConditions
from .network_loss import quantification_loss
from .network_start import network_for_bank
from .quantifier_model import QuantifierModel

if TYPE_CHECKING:
    from ..networks.training import TrainingHistory, TrainingPlan
    from ..simulation.spectrum_bank import SpectrumBank

__all__ = ["train_model", "trained_on"]

CALIBRATION, TEST = 1, 2  # streams of random numbers apart from the training's


def train_model(
    bank: SpectrumBank,
    templates: np.ndarray,
    conditions: NetworkConditions,
    plan: TrainingPlan,
    progress: Callable[[int], None] | None = None,
) -> QuantifierModel:
    """Train a model from first principles.

    Parameters
    ----------
    bank : SpectrumBank
    templates : ndarray, shape (n_templates, n_bins)
        Spectra of what else could be there.
    conditions : NetworkConditions
        Of the bank.
    plan : TrainingPlan
    progress : callable, optional
        Is given the number of steps done.

    Returns
    -------
    QuantifierModel
        Also if the training was interrupted; `training` says so.
    """
    network = network_for_bank(bank, templates, plan.random_state)
    return trained_on(
        bank, bank, QuantifierModel(network, conditions), plan, "simulated", progress
    )


def trained_on(
    stream: Any,
    held_out: Any,
    start: QuantifierModel,
    plan: TrainingPlan,
    source: str,
    progress: Callable[[int], None] | None = None,
) -> QuantifierModel:
    """Train a model on, from where it is.

    Parameters
    ----------
    stream, held_out : SpectrumBank or the like
        What it is trained, and what it is calibrated and judged on.
    start : QuantifierModel
        Not changed.
    plan : TrainingPlan
    source : str
        Where the spectra are from, for the card.
    progress : callable, optional
        Is given the number of steps done.

    Returns
    -------
    QuantifierModel
    """
    from copy import deepcopy

    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train

    network = deepcopy(start.network)
    with torch_threads(training_threads()):
        history = train(network, stream, quantification_loss, plan, progress=progress)
    calibrate(network, held_out, [plan.random_state, CALIBRATION])
    scores = scores_of(network, held_out, [plan.random_state, TEST])
    training = _account(history, plan, source, start.training)
    return QuantifierModel(network, start.conditions, training, scores)


def _account(
    history: TrainingHistory,
    plan: TrainingPlan,
    source: str,
    before: dict[str, Any],
) -> dict[str, Any]:
    steps = history.n_steps_done
    account = {
        "spectra": f"{steps * plan.batch_size} {source}",
        "steps": steps,
        "steps_planned": plan.n_steps,
        "seconds": round(history.seconds, 1),
        "random_state": plan.random_state,
        "interrupted": history.interrupted,
        "loss": float(np.nan_to_num(history.best_loss)),
    }
    return account | ({"started_from": before} if before else {})
