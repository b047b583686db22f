# SPDX-License-Identifier: GPL-3.0-or-later
"""The small network that says how likely a reconstructed label is wrong.

And the law that says how far that holds on the map at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from os import PathLike
from typing import NamedTuple

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel, load_model, save_model
from .distortion_course import COURSE_FEATURES

__all__ = [
    "FEATURES",
    "CourseLaw",
    "DoubtModel",
    "DoubtNetwork",
    "default_doubt_model",
]

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
    "log_size",
)
"""Of each pixel, and the last three of the whole map; see `distortion_kernels`."""


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


FARTHEST = 3.0
"""Standard deviations from the mean beyond which a feature tells no more."""


class CourseLaw(NamedTuple):
    """Logarithm of the distortion over the mean chance, linear in what happened.

    Attributes
    ----------
    means, scales : ndarray of float64, shape (n_features,)
        Of `COURSE_FEATURES`, in the training.
    slopes : ndarray of float64, shape (n_features,)
        For features less their means over their scales.
    offset : ndarray of float64, shape (1,)
    """

    means: np.ndarray
    scales: np.ndarray
    slopes: np.ndarray
    offset: np.ndarray

    @classmethod
    def none(cls) -> CourseLaw:
        """The mean chance as it is."""
        n = len(COURSE_FEATURES)
        return cls(np.zeros(n), np.ones(n), np.zeros(n), np.zeros(1))

    def standardised(self, features: np.ndarray) -> np.ndarray:
        """Features in units of the training; 0 where they are NaN.

        Parameters
        ----------
        features : ndarray of float, shape (..., n_features)

        Returns
        -------
        ndarray of float64, shape (..., n_features)
        """
        units = (features - self.means) / self.scales
        return np.nan_to_num(np.clip(units, -FARTHEST, FARTHEST), nan=0.0)

    def correction(self, features: np.ndarray) -> np.ndarray:
        """The distortion over the mean chance, as far as it can be told.

        Parameters
        ----------
        features : ndarray of float, shape (..., n_features)

        Returns
        -------
        ndarray of float64, shape (...)
        """
        return np.exp(self.standardised(features) @ self.slopes + self.offset[0])


@dataclass(frozen=True, eq=False)
class DoubtModel:
    """The network, the law, and how far the whole map may be from what they say.

    Parameters
    ----------
    network : DoubtNetwork
        Chance of an error from `FEATURES`.
    law : CourseLaw, optional
        Correction of the mean chance; none by default.
    spread : float
        Standard deviation of the logarithm of the distortion over its estimate, on
        maps of other kinds than those of the training.
    training : dict
        How it was trained; plain values.
    """

    network: DoubtNetwork = field(repr=False)
    law: CourseLaw = field(default_factory=CourseLaw.none, repr=False)
    spread: float = 0.25
    training: dict = field(default_factory=dict, repr=False)

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        card = ModelCard(
            task=TASK,
            architecture="two hidden layers, logistic; log-linear in the course",
            hyperparameters={"spread": self.spread},
            conditions={
                "features": list(FEATURES),
                "course_features": list(COURSE_FEATURES),
            },
            training=self.training,
        )
        parts = {**self.network._asdict(), **self.law._asdict()}
        weights = {k: v.astype(np.float32) for k, v in parts.items()}
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
        made_for = stored.card.conditions
        names = [made_for.get("features"), made_for.get("course_features")]
        if names != [list(FEATURES), list(COURSE_FEATURES)]:
            raise ValueError(
                f"{path} was trained for other features than this version of hspy_ml "
                "computes; train it again."
            )
        network = DoubtNetwork(*_parts(stored.weights, DoubtNetwork._fields, path))
        law = CourseLaw(*_parts(stored.weights, CourseLaw._fields, path))
        _check_shapes(network, law, path)
        spread = float(stored.card.hyperparameters["spread"])
        return cls(network, law, spread, dict(stored.card.training))


def _parts(
    weights: Mapping[str, np.ndarray],
    names: tuple[str, ...],
    path: str | PathLike[str],
) -> list[np.ndarray]:
    try:
        return [np.ascontiguousarray(weights[name], np.float64) for name in names]
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}; train the model again.") from error


def _check_shapes(
    network: DoubtNetwork, law: CourseLaw, path: str | PathLike[str]
) -> None:
    n_1, n_2 = network.biases_1.size, network.biases_2.size
    n_law = (len(COURSE_FEATURES),)
    shapes = ((len(FEATURES), n_1), (n_1,), (n_1, n_2), (n_2,), (n_2,), (1,))
    shapes += (n_law, n_law, n_law, (1,))
    if tuple(part.shape for part in (*network, *law)) != shapes:
        raise ValueError(f"{path} has weights of other shapes; train the model again.")


def default_doubt_model() -> DoubtModel:
    """The model of the package.

    Returns
    -------
    DoubtModel
    """
    with as_file(files(__package__) / DEFAULT_FILE) as path:
        return DoubtModel.load(path)
