# SPDX-License-Identifier: GPL-3.0-or-later
"""A deconvolving network for a map, trained on what the map is like."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ..networks.plan import TrainingPlan
from .deconvolver_model import DeconvolverModel, default_deconvolver
from .own_map import OwnMap, prepare_map
from .response import Response

__all__ = ["ARCHITECTURES", "default_steps", "train_on_spectra"]

DILATED, SEED = "dilated U-net", "EELSpecNet"
ARCHITECTURES = (DILATED, SEED)
N_STEPS = {DILATED: 1500, SEED: 1000}  # some minutes
BATCH_SIZE = 16
LEARNING_RATE = {DILATED: 1e-3, SEED: 1e-3}
N_SIMULATED_SCENES, N_SIMULATED_RESPONSES = 1000, 300
N_VALIDATION = 192
N_VALIDATIONS = 10
SEED_WIDTH, SEED_DILATION = 8, 3


def default_steps(architecture: str = DILATED) -> int:
    """Steps of a training of some minutes on two cores.

    Parameters
    ----------
    architecture : {"dilated U-net", "EELSpecNet"}

    Returns
    -------
    int
    """
    return N_STEPS[_checked(architecture)]


def train_on_spectra(
    counts: np.ndarray,
    energy_eV: np.ndarray,
    *,
    response: Response | None = None,
    start: DeconvolverModel | None = None,
    architecture: str = DILATED,
    n_steps: int | None = None,
    random_state: int = 0,
    progress: Callable[[int], None] | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> DeconvolverModel:
    """Train a network on spectra like those that were measured.

    Half of the batches are mixtures of the map's own references (see
    :mod:`hspy_ml.deconvolution.own_scenes`) with its responses, doses and noise; the
    others are simulated spectra of all kinds, so that the network is not worse
    elsewhere.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)
        As measured, with the zero-loss peak; finite. Spectra without one are left out.
    energy_eV : ndarray, shape (n_channels,)
        Uniform and increasing.
    response : Response, optional
        One row, or one for each spectrum; estimated from the spectra if not given.
    start : DeconvolverModel, optional
        Where to go on from, not changed; the model of the package if not given.
        EELSpecNet starts from random weights.
    architecture : {"dilated U-net", "EELSpecNet"}
    n_steps : int, optional
        Of 16 spectra; by default as many as take some minutes.
    random_state : int, default 0
        Makes the training repeat exactly on one machine.
    progress : callable, optional
        Is given the number of steps done.
    checkpoint : path, optional
        File for the best state so far.

    Returns
    -------
    DeconvolverModel
        Also if the training was interrupted (KeyboardInterrupt): the best state then;
        its `training` says so.

    Raises
    ------
    ValueError
        If there is no such architecture, `start` is of another one, the spectra are
        not finite or none has a zero-loss peak.
    """
    from .default_model import default_stream
    from .own_stream import MixedStream, own_stream

    _check_start(start, _checked(architecture))
    measured = prepare_map(counts, energy_eV, response)
    own = own_stream(measured, random_state, _teacher(start))
    other = default_stream(N_SIMULATED_SCENES, N_SIMULATED_RESPONSES, random_state)
    n_steps = default_steps(architecture) if n_steps is None else n_steps
    plan = TrainingPlan(
        n_steps=n_steps,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE[architecture],
        validate_every=max(1, n_steps // N_VALIDATIONS),
        n_validation=N_VALIDATION,
        random_state=random_state,
    )
    train = _trained_seed if architecture == SEED else _trained_dilated
    return train(
        MixedStream(own, other),
        plan,
        start,
        _about(measured, own.spectra.electrons),
        progress=progress,
        checkpoint=checkpoint,
    )


def _checked(architecture: str) -> str:
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"`architecture` is {architecture!r}; choose "
            f"{' or '.join(map(repr, ARCHITECTURES))}."
        )
    return architecture


def _check_start(start: DeconvolverModel | None, architecture: str) -> None:
    if start is None:
        return
    found = start.card.architecture
    if (found == SEED) != (architecture == SEED):
        raise ValueError(
            f"`model` is of the architecture {found}, which cannot go on as "
            f"{architecture}; leave `model` or `architecture` out."
        )


def _teacher(start: DeconvolverModel | None) -> DeconvolverModel | None:
    """The network that sharpens the references; EELSpecNet is no help in that."""
    if start is None or start.card.architecture == SEED:
        return None
    return start


def _trained_dilated(stream, plan, start, about, **how) -> DeconvolverModel:
    from .network_training import train_network

    start = default_deconvolver() if start is None else start
    conditions = {**start.conditions, "own_spectra": about}
    return train_network(stream, plan, start, conditions=conditions, **how)


def _trained_seed(stream, plan, start, about, **how) -> DeconvolverModel:
    from copy import deepcopy

    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train
    from .network_training import CALIBRATED_ON, calibrate
    from .seed_model import SeedModel, account, new_seed_network
    from .seed_network import batch_loss

    if start is None:
        seed = plan.random_state
        network = new_seed_network(SEED_WIDTH, SEED_DILATION, 4.0, seed)
    else:
        network = deepcopy(start.network)
    with torch_threads(training_threads()):
        history = train(network, stream, batch_loss, plan, device="cpu", **how)
        calibrate(network, stream, plan, CALIBRATED_ON * plan.n_validation)
    conditions = {"own_spectra": about, "target_width": float(network.target_width)}
    return SeedModel(network, conditions, account(history, plan))


def _about(measured: OwnMap, electrons: tuple[float, float]) -> dict[str, Any]:
    """What it was trained on, for the card."""
    n, n_channels = measured.electrons.shape
    return {
        "n_spectra": n,
        "n_channels": n_channels,
        "zero_channel": measured.zero_channel,
        "response_width": float(np.median(measured.response.fwhm)),
        "electrons": [float(number) for number in electrons],
        "read_noise": float(np.sqrt(np.median(measured.noise.read_electrons))),
    }
