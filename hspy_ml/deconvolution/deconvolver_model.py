# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained deconvolving network with what it is for: saved, loaded, looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import ClassVar

from ..networks.saved_model import model_from_file
from .network_model import TASK, NetworkModel

__all__ = [
    "ARCHITECTURE",
    "DEFAULT_FILE",
    "TASK",
    "DeconvolverModel",
    "default_deconvolver",
    "load_deconvolver",
]

ARCHITECTURE = "DeconvolutionNetwork"
DEFAULT_FILE = Path(__file__).parent / "data" / "low_loss.safetensors"


@dataclass(frozen=True, eq=False, repr=False)
class DeconvolverModel(NetworkModel):
    """A network that finds the losses of spectra whose response is known.

    Parameters
    ----------
    network : DeconvolutionNetwork
    conditions, training, scores : dict
        See :class:`hspy_ml.deconvolution.network_model.NetworkModel`.
    """

    architecture: ClassVar[str] = ARCHITECTURE

    @staticmethod
    def network_class() -> type:
        """The class of the network, which torch is imported for."""
        from .deconvolution_network import DeconvolutionNetwork

        return DeconvolutionNetwork


def load_deconvolver(path: str | PathLike[str]) -> DeconvolverModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    DeconvolverModel

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for deconvolution, or damaged; the message says why.
    """
    return model_from_file(path, TASK, DeconvolverModel.from_stored)


@lru_cache(maxsize=1)
def default_deconvolver() -> DeconvolverModel:
    """The model that comes with the package.

    Returns
    -------
    DeconvolverModel
        Read once.
    """
    return load_deconvolver(DEFAULT_FILE)
