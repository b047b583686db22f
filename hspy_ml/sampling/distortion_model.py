# SPDX-License-Identifier: GPL-3.0-or-later
"""The small network that says how likely a reconstructed label is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from os import PathLike
from typing import NamedTuple

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel, load_model, save_model

__all__ = ["FEATURES", "DoubtModel", "DoubtNetwork", "default_doubt_model"]

TASK = "distortion of sparse maps"
DEFAULT_FILE = "data/distortion.safetensors"

FEATURES = (
    "share_against",
    "lead",
    "disagreeing_share",
    "log_distance",
    "log_distance_last",
    "log_distance_same",
    "log_distance_other",
    "one_sidedness",
    "around_otherwise",
    "around_measured",
    "around_measured_otherwise",
    "log_kriging_variance",
    "log_share_measured",
    "log_boundary_density",
)
"""Of each pixel, and the last two of the whole map; see `distortion_kernels`."""


class DoubtNetwork(NamedTuple):
    """Two layers of rectified linear units and a logistic function.

    Attributes
    ----------
    weights_1, biases_1 : ndarray of float64, shapes (n_features, n_1) and (n_1,)
    weights_2, biases_2 : ndarray of float64, shapes (n_1, n_2) and (n_2,)
    weights_3, bias_3 : ndarray of float64, shapes (n_2,) and (1,)
    """

    weights_1: np.ndarray
    biases_1: np.ndarray
    weights_2: np.ndarray
    biases_2: np.ndarray
    weights_3: np.ndarray
    bias_3: np.ndarray


@dataclass(frozen=True, eq=False)
class DoubtModel:
    """The network, and how far the whole map may be from what it says.

    Parameters
    ----------
    network : DoubtNetwork
        Chance of an error from `FEATURES`.
    spread : float
        Standard deviation of the logarithm of the distortion over its estimate, on
        maps of other kinds than those of the training.
    training : dict
        How it was trained; plain values.
    """

    network: DoubtNetwork = field(repr=False)
    spread: float = 0.25
    training: dict = field(default_factory=dict, repr=False)

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        card = ModelCard(
            task=TASK,
            architecture="two hidden layers, logistic",
            hyperparameters={"spread": self.spread},
            conditions={"features": list(FEATURES)},
            training=self.training,
        )
        weights = {k: v.astype(np.float32) for k, v in self.network._asdict().items()}
        return StoredModel(card, weights)

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Write a model file.

        Parameters
        ----------
        path : path
            Ends in ``.safetensors``.
        overwrite : bool, default False
            Whether a file that is there may be replaced.

        Raises
        ------
        ValueError, OSError
            As :func:`hspy_ml.networks.model_file.save_model`.
        """
        save_model(path, self.to_stored(), overwrite)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> DoubtModel:
        """Read a model file.

        Parameters
        ----------
        path : path

        Returns
        -------
        DoubtModel

        Raises
        ------
        ValueError, OSError
            As :func:`hspy_ml.networks.model_file.load_model`; and if it was made for
            other features.
        """
        stored = load_model(path, TASK)
        if stored.card.conditions.get("features") != list(FEATURES):
            raise ValueError(
                f"{path} was trained for other features than this version of hspy_ml "
                "computes; train it again."
            )
        return cls(
            _checked_network(stored.weights, path),
            float(stored.card.hyperparameters["spread"]),
            dict(stored.card.training),
        )


def _checked_network(
    weights: Mapping[str, np.ndarray], path: str | PathLike[str]
) -> DoubtNetwork:
    try:
        parts = [
            np.ascontiguousarray(weights[name], np.float64)
            for name in DoubtNetwork._fields
        ]
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}; train the model again.") from error
    network = DoubtNetwork(*parts)
    n_1, n_2 = network.biases_1.size, network.biases_2.size
    shapes = ((len(FEATURES), n_1), (n_1,), (n_1, n_2), (n_2,), (n_2,), (1,))
    if tuple(part.shape for part in parts) != shapes:
        raise ValueError(f"{path} has weights of other shapes; train the model again.")
    return network


def default_doubt_model() -> DoubtModel:
    """The model of the package.

    Returns
    -------
    DoubtModel
    """
    with as_file(files(__package__) / DEFAULT_FILE) as path:
        return DoubtModel.load(path)
