# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained network for X-ray spectra with what it is for: saved and loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel, load_model
from ..networks.saved_model import SavedModel
from .xray_response import NARROWING, XrayResponse

if TYPE_CHECKING:
    from .xray_network import XrayNetwork

__all__ = ["DEFAULT_FILE", "XrayModel", "default_xray_model", "load_xray_model"]

TASK = "deconvolution"
ARCHITECTURE = "XrayNetwork"
DEFAULT_FILE = Path(__file__).parent / "data" / "xray.safetensors"
WIDTHS = (2.2, 60.0)  # channels, of the detector's lines: least, and most
LIKE_TARGET = 0.05  # of the target's width, that another may differ from the trained


@dataclass(frozen=True, eq=False)
class XrayModel(SavedModel):
    """A network that sharpens X-ray spectra.

    Parameters
    ----------
    network : XrayNetwork
    conditions, training, scores : dict
        Plain values: what it was trained for, how, and how good it is.
    """

    network: XrayNetwork
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

    def why_not(self, response: XrayResponse) -> str:
        """Why the network is not for a response; empty if it is.

        Parameters
        ----------
        response : XrayResponse

        Returns
        -------
        str
        """
        usual = np.clip(response.fwhm / NARROWING, 2.0, response.fwhm)
        if np.abs(response.target_fwhm / usual - 1).max() > LIKE_TARGET:
            return f"it was trained for a target {NARROWING} times narrower"
        widest = response.fwhm.max()
        if not WIDTHS[0] <= widest <= WIDTHS[1]:
            return (
                f"lines are up to {widest:.3g} channels wide, and it was trained for "
                f"{WIDTHS[0]} to {WIDTHS[1]:.0f}"
            )
        return ""

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file, in half precision."""
        from ..networks.weights import network_weights

        weights = network_weights(self.network)
        halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
        return StoredModel(self.card, halves)

    def __repr__(self) -> str:
        return f"XrayModel\n{self.info()}"


def load_xray_model(path: str | PathLike[str]) -> XrayModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    XrayModel

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for deconvolution of X-ray spectra, or damaged.
    """
    from ..networks.weights import network_on_card
    from .xray_network import XrayNetwork

    stored = load_model(path, TASK)
    card = stored.card
    if card.architecture != ARCHITECTURE:
        raise ValueError(
            f"{path} is a model for low-loss spectra ({card.architecture}); one for "
            f"X-ray spectra ({ARCHITECTURE}) is expected. None takes the package's."
        )
    weights = {name: w.astype(np.float32) for name, w in stored.weights.items()}
    try:
        network = network_on_card(XrayNetwork, card.hyperparameters, weights)
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}") from error
    return XrayModel(network, card.conditions, card.training, card.scores)


@lru_cache(maxsize=1)
def default_xray_model() -> XrayModel:
    """The model that comes with the package.

    Returns
    -------
    XrayModel
        Read once.
    """
    return load_xray_model(DEFAULT_FILE)
