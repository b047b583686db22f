# SPDX-License-Identifier: GPL-3.0-or-later
"""The trained network for responses: what goes in, what comes out, its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel, load_model, save_model
from .profile_grid import Profile, ProfileGrid
from .response_inputs import network_inputs

if TYPE_CHECKING:
    from .response_network import ResponseNetwork

__all__ = ["DEFAULT_FILE", "ResponseModel", "default_response_model"]

TASK = "deconvolution"
ARCHITECTURE = "ResponseNetwork"
DEFAULT_FILE = Path(__file__).parent / "data" / "response.safetensors"
_SPECTRA_AT_A_TIME = 1024


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """A network that estimates responses, and how it was trained.

    Parameters
    ----------
    network : ResponseNetwork
    grid : ProfileGrid
        That it works on.
    conditions, training, scores : dict
        What it was trained for, how, and how good it was; plain values.
    """

    network: ResponseNetwork
    grid: ProfileGrid
    conditions: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    def estimate(
        self,
        profile: Profile,
        parameters: np.ndarray,
        heights: np.ndarray,
        widths: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Responses on the grid.

        Parameters
        ----------
        profile, parameters, heights, widths
            As for :func:`hspy_ml.deconvolution.response_inputs.network_inputs`.

        Returns
        -------
        log_response, error : ndarray, shape (n, n_nodes)
            Logarithm of the response over the height of the fitted peak, and the
            scale of the error of that logarithm.
        """
        import torch

        inputs = torch.from_numpy(
            network_inputs(profile, parameters, heights, widths, self.grid)
        )
        with torch.no_grad():
            blocks = [self.network(x) for x in inputs.split(_SPECTRA_AT_A_TIME)]
        log_response = torch.cat([block[0] for block in blocks]).double().numpy()
        log_error = torch.cat([block[1] for block in blocks]).double().numpy()
        return log_response, np.exp(log_error)

    @property
    def card(self) -> ModelCard:
        """What it is for, how it was trained and how good it is."""
        grid = {"linear": self.grid.linear, "step": self.grid.step}
        sizes = self.network.hyperparameters | grid
        return ModelCard(
            TASK, ARCHITECTURE, sizes, self.conditions, self.training, self.scores
        )

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Write the model file, of half precision.

        Parameters
        ----------
        path : path
            Ends in ``.safetensors``.
        overwrite : bool, default False

        Raises
        ------
        ValueError, OSError
            If the name ends otherwise, or it cannot be written.
        """
        from ..networks.weights import network_weights

        weights = network_weights(self.network)
        halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
        save_model(path, StoredModel(self.card, halves), overwrite)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ResponseModel:
        """Read a model file.

        Parameters
        ----------
        path : path

        Returns
        -------
        ResponseModel

        Raises
        ------
        FileNotFoundError
            If there is none.
        ValueError
            If it is no model file for responses, or damaged.
        """
        stored = load_model(path, TASK)
        card = stored.card
        if card.architecture != ARCHITECTURE:
            raise ValueError(
                f"{path} holds a {card.architecture}; give one with a {ARCHITECTURE}."
            )
        try:
            network, grid = _rebuilt(stored)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{path} cannot be used: {error}") from error
        return cls(network, grid, card.conditions, card.training, card.scores)


def _rebuilt(stored: StoredModel) -> tuple[ResponseNetwork, ProfileGrid]:
    from ..networks.weights import fill_network
    from .response_network import N_SCALARS, ResponseNetwork

    sizes = stored.card.hyperparameters
    n_nodes, width = sizes["n_nodes"], sizes["width"]
    if stored.weights["first.weight"].shape != (width, 4 * n_nodes + N_SCALARS):
        raise ValueError("the sizes in its card are not those of its weights")
    network = ResponseNetwork(n_nodes, width)
    weights = {name: w.astype(np.float32) for name, w in stored.weights.items()}
    fill_network(network, weights)
    return network.eval(), ProfileGrid(n_nodes // 2, sizes["linear"], sizes["step"])


@lru_cache(maxsize=1)
def default_response_model() -> ResponseModel:
    """The model that comes with the package.

    Returns
    -------
    ResponseModel
        Read once.
    """
    return ResponseModel.load(DEFAULT_FILE)
