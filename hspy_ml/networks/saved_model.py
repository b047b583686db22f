# SPDX-License-Identifier: GPL-3.0-or-later
"""What all trained models can do: say what they are, be saved, be loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from os import PathLike
from typing import TypeVar

from .model_card import ModelCard
from .model_file import StoredModel, load_model, save_model

__all__ = ["SavedModel", "model_from_file"]

Model = TypeVar("Model")


class SavedModel(ABC):
    """A trained model, which a file can hold."""

    @property
    @abstractmethod
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""

    @abstractmethod
    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""

    def info(self) -> str:
        """The card as text.

        Returns
        -------
        str
        """
        return str(self.card)

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Save as a model file, to be shared; ``hspy_ml.load_model(path)`` loads it.

        Parameters
        ----------
        path : str or path
            Ends in ".safetensors".
        overwrite : bool, default False
            Whether to replace a file.

        Raises
        ------
        ValueError, OSError
            If the name ends in something else, or it cannot be written.
        """
        save_model(path, self.to_stored(), overwrite)


def model_from_file(
    path: str | PathLike[str], task: str, make: Callable[[StoredModel], Model]
) -> Model:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path
    task : str
        What the model must be for.
    make : callable
        From card and weights to the model.

    Returns
    -------
    object
        What `make` returns.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for the task, or damaged; the message names the file.
    """
    try:
        return make(load_model(path, task))
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path} cannot be used: {error}") from error
