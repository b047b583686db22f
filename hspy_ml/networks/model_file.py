# SPDX-License-Identifier: GPL-3.0-or-later
"""The one format of model files: safetensors with the model's card in its header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike

import numpy as np

from .atomic_file import checked_target, write_atomically
from .model_card import ModelCard, NewerFormat
from .safetensors_file import MAX_HEADER_BYTES, TensorFile, damaged, open_tensors

_KEY = "hspy_ml"


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A network at rest: its card and its weights.

    Parameters
    ----------
    card : ModelCard
        What it is.
    weights : mapping of str to ndarray
        As :func:`hspy_ml.networks.weights.network_weights` gives them; copied.

    Raises
    ------
    TypeError
        If a weight is no array of real numbers.
    ValueError
        If there are no weights, or one is not finite.
    """

    card: ModelCard
    weights: Mapping[str, np.ndarray] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.weights:
            raise ValueError("`weights` are empty; give those of a network.")
        copies = {name: _checked(name, w) for name, w in self.weights.items()}
        object.__setattr__(self, "weights", copies)


def _checked(name: str, weight: np.ndarray) -> np.ndarray:
    """A weight as a contiguous array in the machine's byte order."""
    if not isinstance(name, str) or name == "__metadata__":
        raise ValueError(f"`weights` has the name {name!r}; give another one.")
    array = np.asarray(weight)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(
            f"`weights[{name!r}]` is of the type {array.dtype}; give real numbers."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"`weights[{name!r}]` has values that are not finite: the training failed, "
            "or the file is damaged. Train the model again."
        )
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def save_model(
    path: str | PathLike[str], stored: StoredModel, overwrite: bool = False
) -> None:
    """Write a model file; it is there whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.safetensors``; its folder must exist.
    stored : StoredModel
        Card and weights.
    overwrite : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    ValueError
        If the name ends otherwise, or the card is too long for a header.
    FileNotFoundError, FileExistsError, IsADirectoryError
        If the folder is not there, or a file or a folder is.
    OSError
        If it cannot be written.
    """
    from safetensors.numpy import save

    path = checked_target(path, overwrite=overwrite)
    data = save(dict(stored.weights), {_KEY: stored.card.to_json()})
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise ValueError(
            f"The card and the names of the weights take {length} bytes; the header "
            f"of a model file has room for {MAX_HEADER_BYTES}. Shorten the card."
        )
    write_atomically(path, data)


def load_model(path: str | PathLike[str], task: str | None = None) -> StoredModel:
    """Read a model file. Nothing in it can be executed.

    Parameters
    ----------
    path : path
        Of the file.
    task : str, optional
        What the model must be for.

    Returns
    -------
    StoredModel
        Card and weights.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If it is no safetensors file, truncated, damaged, of another project, of a
        newer format, for another task, or has weights that are not finite.
    """
    with open_tensors(path) as file:
        card = _card(file)
        _check_task(file, card, task)
        weights = file.read_weights()
    try:
        return StoredModel(card, weights)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file.path} cannot be used: {error}") from error


def model_info(path: str | PathLike[str]) -> ModelCard:
    """Read the card of a model file, and not its weights.

    Parameters
    ----------
    path : path
        Of the file.

    Returns
    -------
    ModelCard
        ``print`` it to see what the model is for and how good it is.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError
        As :func:`load_model`, but for the weights, which are not looked at.
    """
    with open_tensors(path) as file:
        return _card(file)


def _card(file: TensorFile) -> ModelCard:
    if _KEY not in file.metadata:
        raise ValueError(
            f"{file.path} is a safetensors file of another project: its header has no "
            f"{_KEY!r}. Give a model that `hspy_ml` saved."
        )
    try:
        return ModelCard.from_json(file.metadata[_KEY])
    except NewerFormat as error:
        raise ValueError(f"{file.path} cannot be read: {error}.") from error
    except (TypeError, ValueError) as error:
        raise damaged(file.path, f"the card in its header is wrong: {error}") from error


def _check_task(file: TensorFile, card: ModelCard, task: str | None) -> None:
    if task is not None and card.task != task:
        raise ValueError(
            f"{file.path} is a model for {card.task}, not for {task}; give one that "
            f"was trained for {task}."
        )
