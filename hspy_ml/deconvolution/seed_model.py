# SPDX-License-Identifier: GPL-3.0-or-later
"""EELSpecNet as a model for deconvolution, trained as its authors did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..networks.plan import TrainingHistory, TrainingPlan
from ..networks.saved_model import model_from_file
from .deconvolver_model import TASK, DeconvolverModel
from .seed_stream import SeedStream

if TYPE_CHECKING:
    from .seed_network import SeedNetwork

__all__ = [
    "ARCHITECTURE",
    "SeedModel",
    "load_seed_model",
    "measure_spread",
    "new_seed_network",
    "train_seed_model",
]

ARCHITECTURE = "EELSpecNet"
BATCH_SIZE = 16  # as published
LEARNING_RATE = 1e-3
N_STEPS = 1500  # some three minutes
N_VALIDATION, N_VALIDATIONS = 64, 8
N_TEST = 128
TEST = 2  # stream of random numbers apart from the training's
FIRST_AFTER = 30  # channels past the zero loss, from where on losses are judged


@dataclass(frozen=True, eq=False, repr=False)
class SeedModel(DeconvolverModel):
    """EELSpecNet, which is blind: it takes the response from the spectrum alone.

    Parameters
    ----------
    network : SeedNetwork
    conditions, training, scores : dict
        See :class:`hspy_ml.deconvolution.network_model.NetworkModel`.
    """

    architecture: ClassVar[str] = ARCHITECTURE

    @staticmethod
    def network_class() -> type:
        """The class of the network, which torch is imported for."""
        from .seed_network import SeedNetwork

        return SeedNetwork


def load_seed_model(path: str | PathLike[str]) -> SeedModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    SeedModel

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or it is of another architecture, or damaged.
    """
    return model_from_file(path, TASK, SeedModel.from_stored)


def train_seed_model(
    *,
    width: int = 8,
    dilation: int = 3,
    target_width: float = 4.0,
    n_steps: int = N_STEPS,
    random_state: int = 0,
    progress: Callable[[int], None] | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> SeedModel:
    """Train EELSpecNet on spectra as its authors made them.

    Parameters
    ----------
    width : int, default 8
        Features of the first level; published: 64, which no CPU trains.
    dilation : int, default 3
        Of the first six levels, odd; published: 1.
    target_width : float, default 4
        FWHM of the zero-loss line in the result, channels; published: 3.
    n_steps : int, default 1500
        Of 16 spectra; published: 375,000.
    random_state : int, default 0
        Makes the training repeat exactly on one machine.
    progress : callable, optional
        Is given the number of steps done.
    checkpoint : path, optional
        File for the best state so far.

    Returns
    -------
    SeedModel
        Also if the training was interrupted; its `training` says so.
    """
    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train
    from .seed_network import share_loss

    network = new_seed_network(width, dilation, target_width, random_state)
    stream = SeedStream(target_width)
    plan = TrainingPlan(
        n_steps=n_steps,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        validate_every=max(1, n_steps // N_VALIDATIONS),
        n_validation=N_VALIDATION,
        random_state=random_state,
    )
    with torch_threads(training_threads()):
        history = train(
            network, stream, share_loss, plan, progress=progress, checkpoint=checkpoint
        )
        error = measure_spread(network, *stream.draw(N_TEST, [random_state, TEST]))
    conditions = {
        "spectra": "Lorentzian losses and responses of 7 to 40 channels, normal noise",
        "target_width": target_width,
    }
    return SeedModel(
        network, conditions, account(history, plan), {"NMSE of the losses": error}
    )


def new_seed_network(
    width: int, dilation: int, target_width: float, random_state: int
) -> SeedNetwork:
    """A network that knows nothing yet.

    Parameters
    ----------
    width, dilation : int
    target_width : float
    random_state : int
        Of its weights.

    Returns
    -------
    SeedNetwork
    """
    import torch

    from .seed_network import SeedNetwork

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_state)
        network = SeedNetwork(width, dilation=dilation)
    network.target_width.fill_(target_width)
    return network


def account(history: TrainingHistory, plan: TrainingPlan) -> dict[str, Any]:
    """How a training went, for the card.

    Parameters
    ----------
    history : TrainingHistory
    plan : TrainingPlan

    Returns
    -------
    dict
    """
    return {
        "spectra": history.n_steps_done * plan.batch_size,
        "steps": history.n_steps_done,
        "steps_planned": plan.n_steps,
        "best_step": history.best_step,
        "seconds": round(history.seconds, 1),
        "random_state": plan.random_state,
        "interrupted": history.interrupted,
    }


def measure_spread(
    network: SeedNetwork, spectra: np.ndarray, truth: np.ndarray
) -> float:
    """Set the scale of a network's errors, and say how large they are.

    Parameters
    ----------
    network : SeedNetwork
    spectra, truth : ndarray of float32, shape (n, n_channels)
        Shares of the electrons, the zero loss where the network has it.

    Returns
    -------
    float
        Median over the spectra of the squared errors of the losses over their squares.
    """
    import torch

    from .seed_network import compressed, expanded
    from .seed_stream import ZERO_CHANNEL

    after = slice(ZERO_CHANNEL + FIRST_AFTER, None)
    with torch.inference_mode():
        found = network.network(compressed(torch.from_numpy(spectra)))[:, after]
        true = torch.from_numpy(truth)[:, after]
        spread = (found - compressed(true)).abs().mean()
        energy = (true**2).sum(dim=1)
        error = ((expanded(found) - true) ** 2).sum(dim=1)[energy > 0]
    network.spread.fill_(float(spread))
    return float((error / energy[energy > 0]).median())
