# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained network with what it is for: saved, loaded, looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from ..networks.saved_model import SavedModel, model_from_file
from .network_conditions import NetworkConditions

if TYPE_CHECKING:
    from ..networks.quantifier import QuantifierNetwork

__all__ = ["ARCHITECTURE", "TASK", "QuantifierModel", "load_model"]

TASK = "quantification"
ARCHITECTURE = "QuantifierNetwork"


@dataclass(frozen=True, eq=False)
class QuantifierModel(SavedModel):
    """A network that gives spectra their composition, for certain conditions.

    ``hspy_ml.train_quantifier`` trains one, ``s.ml_quantify(model=model)`` uses it.

    Parameters
    ----------
    network : QuantifierNetwork
    conditions : NetworkConditions
        Of the spectra that it is for.
    training : dict
        How it was trained, plain values.
    scores : dict
        How good it was on spectra that it had not seen.
    """

    network: QuantifierNetwork
    conditions: NetworkConditions
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that it knows."""
        return self.conditions.elements

    @property
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""
        return ModelCard(
            TASK,
            ARCHITECTURE,
            self.network.hyperparameters,
            self.conditions.to_dict(),
            self.training,
            self.scores,
        )

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        from ..networks.weights import network_weights

        return StoredModel(self.card, network_weights(self.network))

    @classmethod
    def from_stored(cls, stored: StoredModel) -> QuantifierModel:
        """The model of a file's card and weights.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        QuantifierModel

        Raises
        ------
        ValueError
            If card and weights do not make a model for quantification.
        """
        card = stored.card
        if card.task != TASK or card.architecture != ARCHITECTURE:
            raise ValueError(
                f"The model is a {card.architecture} for {card.task}; a "
                f"{ARCHITECTURE} for {TASK} is expected. Train one with "
                "`hspy_ml.train_quantifier`."
            )
        conditions = NetworkConditions.from_dict(card.conditions)
        network = _network_of(stored)
        _check_sizes(network.hyperparameters, conditions)
        return cls(network.eval(), conditions, card.training, card.scores)

    def __repr__(self) -> str:
        return f"QuantifierModel for {', '.join(self.elements)}\n{self.info()}"


def load_model(path: str | PathLike[str]) -> QuantifierModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    QuantifierModel

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for quantification, or damaged; the message says why.
    """
    return model_from_file(path, TASK, QuantifierModel.from_stored)


def _network_of(stored: StoredModel) -> QuantifierNetwork:
    """The network of a file, and whether its columns are there."""
    from ..networks.quantifier import QuantifierNetwork
    from ..networks.weights import network_on_card

    card = stored.card
    network = network_on_card(QuantifierNetwork, card.hyperparameters, stored.weights)
    measuring = network.measuring
    if measuring.numel() and not 0 <= measuring.min() <= measuring.max() < len(
        network.shapes
    ):
        raise ValueError("the columns that measure do not exist")
    return network


def _check_sizes(sizes: dict[str, int], conditions: NetworkConditions) -> None:
    expected = {
        "n_bins": conditions.bins.n_bins,
        "n_elements": len(conditions.elements),
        "n_columns": len(conditions.columns),
        "n_unnamed": len(conditions.unnamed),
        "n_free": len(conditions.measuring),
    }
    wrong = [
        f"{k} is {sizes[k]}, not {v}" for k, v in expected.items() if sizes[k] != v
    ]
    if wrong:
        raise ValueError(f"network and conditions do not agree: {'; '.join(wrong)}")
