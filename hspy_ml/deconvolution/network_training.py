# SPDX-License-Identifier: GPL-3.0-or-later
"""From a stream of spectra to a trained and calibrated deconvolving network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .deconvolution_network import CALIBRATION_GRID, DeconvolutionNetwork
from .deconvolver_model import DeconvolverModel
from .network_loss import deconvolution_loss, exposure_of
from .network_stream import Batch

if TYPE_CHECKING:
    from ..networks.training import SpectrumStream, TrainingHistory, TrainingPlan

__all__ = ["calibrate", "train_network"]

CALIBRATED_ON = 4  # times as many spectra as a validation sees
COVERED = 0.68, 0.95
SMOOTHED_OVER = 1.0  # nodes of the calibration's grid of doses
LEAST_WEIGHT = 1e-9  # of a spectrum far from a node
LEAST_RATIO = 1e-3  # of an error over its scale
CALIBRATION_STREAM = 2  # of random numbers, apart from training and validation


def train_network(
    stream: SpectrumStream,
    plan: TrainingPlan,
    start: DeconvolverModel | None = None,
    *,
    width: int = 32,
    conditions: dict[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> DeconvolverModel:
    """Train a network and calibrate its errors.

    Parameters
    ----------
    stream : SpectrumStream
        Draws :class:`hspy_ml.deconvolution.network_stream.Batch`.
    plan : TrainingPlan
    start : DeconvolverModel, optional
        Where to start from; it is not changed. From random weights if not given.
    width : int, default 32
        Features of a new network.
    conditions : dict, optional
        For the card, plain values; those of `start` if not given.
    progress : callable, optional
        Is given the number of steps done.
    checkpoint : path, optional
        See :func:`hspy_ml.networks.training.train`.

    Returns
    -------
    DeconvolverModel
        Also if the training was interrupted; `training` says so.
    """
    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train

    network = _new(width, plan.random_state) if start is None else _copy(start.network)
    with torch_threads(training_threads()):
        history = train(
            network,
            stream,
            deconvolution_loss,
            plan,
            progress=progress,
            checkpoint=checkpoint,
            device="cpu",
        )
        calibrate(network, stream, plan, CALIBRATED_ON * plan.n_validation)
    if conditions is None:
        conditions = {} if start is None else start.conditions
    model = DeconvolverModel(network, conditions, _report(history, plan))
    if start is not None:
        model = replace(model, training=model.training | {"start": start.training})
    return model


def _new(width: int, seed: int) -> DeconvolutionNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        network = DeconvolutionNetwork(width)
    return network.to(memory_format=torch.channels_last)


def _copy(network: DeconvolutionNetwork) -> DeconvolutionNetwork:
    copy = DeconvolutionNetwork(**network.hyperparameters)
    copy.load_state_dict(network.state_dict())
    return copy.to(memory_format=torch.channels_last)


def _report(history: TrainingHistory, plan: TrainingPlan) -> dict[str, Any]:
    return {
        "n_steps": history.n_steps_done,
        "best_step": history.best_step,
        "batch_size": plan.batch_size,
        "learning_rate": plan.learning_rate,
        "validation_loss": history.best_loss,
        "random_state": plan.random_state,
        "seconds": round(history.seconds),
        "interrupted": history.interrupted,
    }


def calibrate(
    network: DeconvolutionNetwork,
    stream: SpectrumStream,
    plan: TrainingPlan,
    n_spectra: int,
) -> None:
    """Make 68 % and 95 % intervals cover as much, at every dose.

    Parameters
    ----------
    network : DeconvolutionNetwork
        Changed in place, but for its weights.
    stream : SpectrumStream
    plan : TrainingPlan
        Batch size and seed.
    n_spectra : int
        Rounded up to whole batches.
    """
    places, ratios = [], []
    for index in range(-(-n_spectra // plan.batch_size)):
        seed = [plan.random_state, CALIBRATION_STREAM, index]
        drawn = stream.draw(plan.batch_size, np.random.default_rng(seed))
        batch = Batch(*map(torch.from_numpy, drawn))
        place, ratio = _errors_over_scale(network, batch)
        places.append(place)
        ratios.extend(ratio)
    place = np.concatenate(places)
    with torch.no_grad():
        network.log_widening.copy_(torch.from_numpy(_log_quantiles(place, ratios)))


def _errors_over_scale(
    network: DeconvolutionNetwork, batch: Batch
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Of each spectrum its place on the grid of doses, and its channels' errors."""
    exposure = exposure_of(batch)
    with torch.no_grad():
        found = network(exposure)
        place = network.place_of(exposure.area).numpy()
        ratio = ((found.losses - batch.losses).abs() / found.scale).numpy()
    region = (exposure.distance > exposure.fwhm / 2).numpy()
    return place, [row[used] for row, used in zip(ratio, region, strict=True)]


def _log_quantiles(place: np.ndarray, ratios: list[np.ndarray]) -> np.ndarray:
    """Logarithms of the ratios below which the wanted shares are, at each node."""
    values = np.concatenate(ratios)
    owner = np.repeat(np.arange(len(ratios)), [row.size for row in ratios])
    order = np.argsort(values)
    values, owner = values[order], owner[order]
    logs = np.empty((len(COVERED), CALIBRATION_GRID), dtype=np.float32)
    for node in range(CALIBRATION_GRID):
        distance = (place - node) / SMOOTHED_OVER
        weight = np.exp(-0.5 * distance**2) + LEAST_WEIGHT
        share = np.cumsum(weight[owner])
        found = np.searchsorted(share / share[-1], COVERED)
        logs[:, node] = np.log(np.maximum(values[found], LEAST_RATIO))
    return logs
