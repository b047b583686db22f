# SPDX-License-Identifier: GPL-3.0-or-later
"""The best state of a network in training, in memory and in a checkpoint."""

from __future__ import annotations

import json
import warnings
from os import PathLike
from pathlib import Path

import numpy as np
from torch import nn

from .atomic_file import checked_target, write_atomically
from .safetensors_file import TensorFile, damaged, open_tensors
from .weights import fill_network, network_weights

_KEY = "hspy_ml.checkpoint"


class BestState:
    """Keeps the state with the lowest validation loss.

    Parameters
    ----------
    network : torch.nn.Module
        Its state now is the first to be kept.
    checkpoint : path or None
        File in which each better state is kept too.
    """

    def __init__(
        self, network: nn.Module, checkpoint: str | PathLike[str] | None = None
    ) -> None:
        self._network = network
        self._state = _copy(network)
        if checkpoint is not None:
            checkpoint = checked_target(checkpoint, "checkpoint", overwrite=True)
        self._checkpoint: Path | None = checkpoint
        self.step = 0
        self.loss = np.inf
        self.n_worse = 0

    def offer(self, step: int, loss: float) -> None:
        """Keep the state the network is in if its loss is the lowest so far."""
        if not loss < self.loss:
            self.n_worse += 1
            return
        # an interrupt between two lines must leave a state and its step
        state = _copy(self._network)
        self._state, self.step, self.loss, self.n_worse = state, step, loss, 0
        if step > 0:
            self._write()

    def restore(self) -> None:
        """Put the network into the best state."""
        self._network.load_state_dict(self._state)

    def _write(self) -> None:
        if self._checkpoint is None:
            return
        from safetensors.numpy import save

        about = json.dumps({"step": self.step, "validation_loss": self.loss})
        try:
            data = save(network_weights(self._network), {_KEY: about})
            write_atomically(self._checkpoint, data)
        except OSError as error:
            warnings.warn(
                f"The checkpoint {self._checkpoint} could not be written ({error}); "
                "the training goes on without it.",
                stacklevel=2,
            )
            self._checkpoint = None


def _copy(network: nn.Module) -> dict:
    state = network.state_dict()
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def load_checkpoint(network: nn.Module, path: str | PathLike[str]) -> int:
    """Put a network into the state that a checkpoint holds.

    Parameters
    ----------
    network : torch.nn.Module
        Of the architecture that was trained; filled in place.
    path : path
        What :func:`hspy_ml.networks.training.train` was given as `checkpoint`.

    Returns
    -------
    int
        Steps that had been done in this state.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is no checkpoint, or of another network.
    """
    with open_tensors(path) as file:
        if _KEY not in file.metadata:
            raise ValueError(
                f"{path} is a safetensors file, but no checkpoint of a training; give "
                "what `train` was given as `checkpoint`."
            )
        step = _step(file)
        fill_network(network, file.read_weights())
    return step


def _step(file: TensorFile) -> int:
    try:
        return int(json.loads(file.metadata[_KEY])["step"])
    except (ValueError, TypeError, KeyError) as error:
        raise damaged(file.path, "it does not say its step") from error
