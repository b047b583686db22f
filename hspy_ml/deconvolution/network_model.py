# SPDX-License-Identifier: GPL-3.0-or-later
"""What the models for deconvolution share: a network, its card, half precision."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from ..networks.saved_model import SavedModel

__all__ = ["TASK", "NetworkModel"]

TASK = "deconvolution"

Model = TypeVar("Model", bound="NetworkModel")


@dataclass(frozen=True, eq=False)
class NetworkModel(SavedModel):
    """A trained network with what it is for.

    Parameters
    ----------
    network : torch.nn.Module
        With its `hyperparameters`.
    conditions : dict
        Of the spectra that it was trained on, plain values.
    training : dict
        How it was trained, plain values.
    scores : dict
        How good it was on spectra that it had not seen, plain values.
    """

    network: Any
    conditions: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    architecture: ClassVar[str]

    @staticmethod
    @abstractmethod
    def network_class() -> type:
        """The class of the network, which torch is imported for."""

    @property
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""
        return ModelCard(
            TASK,
            self.architecture,
            self.network.hyperparameters,
            self.conditions,
            self.training,
            self.scores,
        )

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file, in half precision."""
        from ..networks.weights import network_weights

        weights = network_weights(self.network)
        halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
        return StoredModel(self.card, halves)

    @classmethod
    def from_stored(cls: type[Model], stored: StoredModel) -> Model:
        """The model of a file's card and weights.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        NetworkModel
            Of this class.

        Raises
        ------
        ValueError
            If card and weights do not make such a model.
        """
        from ..networks.weights import network_on_card

        card = stored.card
        if card.task != TASK or card.architecture != cls.architecture:
            raise ValueError(
                f"The model is a {card.architecture} for {card.task}; one of the "
                f"architecture {cls.architecture} for {TASK} is expected. Train one "
                "with `hspy_ml.train_deconvolver`."
            )
        weights = {name: w.astype(np.float32) for name, w in stored.weights.items()}
        network = network_on_card(cls.network_class(), card.hyperparameters, weights)
        return cls(network, card.conditions, card.training, card.scores)

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n{self.info()}"
