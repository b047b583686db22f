# SPDX-License-Identifier: GPL-3.0-or-later
"""What says which pixel is worth measuring, from the features of the pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from os import PathLike
from typing import NamedTuple

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel, load_model, save_model
from .features import FEATURES, N_PRODUCTS
from .neighbours import N_NEIGHBOURS

__all__ = ["Coefficients", "Regressor", "default_regressor"]

TASK = "dynamic sampling"
DEFAULT_FILE = "data/default_regressor.safetensors"


class Coefficients(NamedTuple):
    """Of a rule, a regression on products of features, and a network; all added.

    Attributes
    ----------
    rule : ndarray of float32, shape (1,)
        For Z0 Z2^2.
    theta : ndarray of float32, shape (28,), or (0,) for no regression
        For 1, Z0 to Z5, and their products.
    weights_1, bias_1 : ndarray of float32, shapes (n_features, n_1) and (n_1,)
    weights_2, bias_2 : ndarray of float32, shapes (n_2, n_1) and (n_2,)
    weights_3 : ndarray of float32, shape (n_2,)
        Of two layers of rectified linear units and their sum; n_1 and n_2 are 0 if
        there is no network.
    """

    rule: np.ndarray
    theta: np.ndarray
    weights_1: np.ndarray
    bias_1: np.ndarray
    weights_2: np.ndarray
    bias_2: np.ndarray
    weights_3: np.ndarray


def _coefficients(**given: np.ndarray | float) -> Coefficients:
    """Those that are given; no rule, no regression, no network otherwise."""
    n_1 = np.size(given.get("bias_1", ()))
    n_2 = np.size(given.get("bias_2", ()))
    shapes = {
        "rule": (1,),
        "theta": (N_PRODUCTS if "theta" in given else 0,),
        "weights_1": (len(FEATURES), n_1),
        "bias_1": (n_1,),
        "weights_2": (n_2, n_1),
        "bias_2": (n_2,),
        "weights_3": (n_2,),
    }
    return Coefficients(
        **{
            name: np.array(given.get(name, np.zeros(shape)), np.float32).reshape(shape)
            for name, shape in shapes.items()
        }
    )


@dataclass(frozen=True, eq=False)
class Regressor:
    """Ranks pixels: the higher the score, the more a measurement is worth.

    Parameters
    ----------
    coefficients : Coefficients
        See :meth:`from_rule`, :meth:`from_theta` and :meth:`from_network`.
    n_neighbours : int, default 10
        L, how many of the nearest measurements its features are from.
    training : dict
        How it was trained; plain values.
    """

    coefficients: Coefficients = field(repr=False)
    n_neighbours: int = N_NEIGHBOURS
    training: dict = field(default_factory=dict, repr=False)

    @classmethod
    def from_rule(cls) -> Regressor:
        """Z0 Z2^2: disagreement times the square of the distance, without training."""
        return cls(_coefficients(rule=1.0))

    @classmethod
    def from_theta(
        cls, theta: np.ndarray, n_neighbours: int = N_NEIGHBOURS, **training
    ) -> Regressor:
        """The linear regression of SLADS.

        Parameters
        ----------
        theta : ndarray, shape (28,)
            For 1, Z0 to Z5 and their products, see `hspy_ml.sampling.features`.
        n_neighbours : int, default 10
        **training
            How it was trained.

        Raises
        ------
        ValueError
            If `theta` has another length.
        """
        if np.shape(theta) != (N_PRODUCTS,):
            raise ValueError(
                f"`theta` has the shape {np.shape(theta)}; {N_PRODUCTS} numbers are "
                "expected, for one, six features and their products."
            )
        return cls(_coefficients(theta=theta), n_neighbours, training)

    @classmethod
    def from_network(
        cls, n_neighbours: int = N_NEIGHBOURS, training: dict | None = None, **layers
    ) -> Regressor:
        """Two layers of rectified linear units on all features.

        Parameters
        ----------
        n_neighbours : int, default 10
        training : dict, optional
            How it was trained.
        **layers
            `weights_1`, `bias_1`, `weights_2`, `bias_2`, `weights_3`, see
            :class:`Coefficients`.
        """
        return cls(_coefficients(**layers), n_neighbours, training or {})

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], n_neighbours: int
    ) -> Regressor:
        """From arrays named "regressor.theta" and so on, as the state of a sampler."""
        names = (f"regressor.{name}" for name in Coefficients._fields)
        return cls(Coefficients(*(arrays[name] for name in names)), n_neighbours)

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        arrays = {k: v for k, v in self.coefficients._asdict().items() if v.size}
        card = ModelCard(
            task=TASK,
            architecture="rule, products of features and network, added",
            hyperparameters={"n_neighbours": self.n_neighbours},
            conditions={"features": list(FEATURES)},
            training=self.training,
        )
        return StoredModel(card, arrays)

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
    def load(cls, path: str | PathLike[str]) -> Regressor:
        """Read a model file.

        Parameters
        ----------
        path : path

        Returns
        -------
        Regressor

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
        try:
            coefficients = _coefficients(**stored.weights)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}.") from error
        n_neighbours = int(stored.card.hyperparameters["n_neighbours"])
        return cls(coefficients, n_neighbours, stored.card.training)


def default_regressor() -> Regressor:
    """The regressor that comes with the package.

    Returns
    -------
    Regressor
        Made by ``python -m hspy_ml.sampling.train_default``.
    """
    with as_file(files("hspy_ml.sampling") / DEFAULT_FILE) as path:
        return Regressor.load(path)
