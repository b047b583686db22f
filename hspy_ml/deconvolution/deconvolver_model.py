# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained deconvolving network with what it is for: saved, loaded, looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from ..networks.saved_model import SavedModel, model_from_file

if TYPE_CHECKING:
    from .deconvolution_network import DeconvolutionNetwork

__all__ = [
    "ARCHITECTURE",
    "DEFAULT_FILE",
    "TASK",
    "DeconvolverModel",
    "default_deconvolver",
    "load_deconvolver",
]

TASK = "deconvolution"
ARCHITECTURE = "DeconvolutionNetwork"
DEFAULT_FILE = Path(__file__).parent / "data" / "low_loss.safetensors"


@dataclass(frozen=True, eq=False)
class DeconvolverModel(SavedModel):
    """A network that finds the losses of spectra whose response is known.

    Parameters
    ----------
    network : DeconvolutionNetwork
    conditions : dict
        Of the spectra that it was trained on, plain values.
    training : dict
        How it was trained, plain values.
    scores : dict
        How good it was on spectra that it had not seen, plain values.
    """

    network: DeconvolutionNetwork
    conditions: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""
        return ModelCard(
            TASK,
            ARCHITECTURE,
            self.network.hyperparameters,
            self.conditions,
            self.training,
            self.scores,
        )

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        from ..networks.weights import network_weights

        weights = network_weights(self.network)
        halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
        return StoredModel(self.card, halves)

    @classmethod
    def from_stored(cls, stored: StoredModel) -> DeconvolverModel:
        """The model of a file's card and weights.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        DeconvolverModel

        Raises
        ------
        ValueError
            If card and weights do not make a model for deconvolution.
        """
        from ..networks.weights import network_on_card
        from .deconvolution_network import DeconvolutionNetwork

        card = stored.card
        if card.task != TASK or card.architecture != ARCHITECTURE:
            raise ValueError(
                f"The model is a {card.architecture} for {card.task}; a "
                f"{ARCHITECTURE} for {TASK} is expected. Train one with "
                "`hspy_ml.train_deconvolver`."
            )
        weights = {name: w.astype(np.float32) for name, w in stored.weights.items()}
        network = network_on_card(DeconvolutionNetwork, card.hyperparameters, weights)
        return cls(network, card.conditions, card.training, card.scores)

    def __repr__(self) -> str:
        return f"DeconvolverModel\n{self.info()}"


def load_deconvolver(path: str | PathLike[str]) -> DeconvolverModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    DeconvolverModel

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for deconvolution, or damaged; the message says why.
    """
    return model_from_file(path, TASK, DeconvolverModel.from_stored)


@lru_cache(maxsize=1)
def default_deconvolver() -> DeconvolverModel:
    """The model that comes with the package.

    Returns
    -------
    DeconvolverModel
        Read once.
    """
    return load_deconvolver(DEFAULT_FILE)
