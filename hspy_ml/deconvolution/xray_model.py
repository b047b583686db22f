# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained network for X-ray spectra with what it is for: saved and loaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..networks.model_file import load_model
from .network_model import TASK, NetworkModel
from .xray_response import NARROWING, XrayResponse

__all__ = ["DEFAULT_FILE", "XrayModel", "default_xray_model", "load_xray_model"]

ARCHITECTURE = "XrayNetwork"
DEFAULT_FILE = Path(__file__).parent / "data" / "xray.safetensors"
WIDTHS = (2.2, 60.0)  # channels, of the detector's lines: least, and most
LIKE_TARGET = 0.05  # of the target's width, that another may differ from the trained


@dataclass(frozen=True, eq=False, repr=False)
class XrayModel(NetworkModel):
    """A network that sharpens X-ray spectra.

    Parameters
    ----------
    network : XrayNetwork
    conditions, training, scores : dict
        See :class:`hspy_ml.deconvolution.network_model.NetworkModel`.
    """

    architecture: ClassVar[str] = ARCHITECTURE

    @staticmethod
    def network_class() -> type:
        """The class of the network, which torch is imported for."""
        from .xray_network import XrayNetwork

        return XrayNetwork

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
    stored = load_model(path, TASK)
    card = stored.card
    if card.architecture != ARCHITECTURE:
        raise ValueError(
            f"{path} is a model for low-loss spectra ({card.architecture}); one for "
            f"X-ray spectra ({ARCHITECTURE}) is expected. None takes the package's."
        )
    try:
        return XrayModel.from_stored(stored)
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}") from error


@lru_cache(maxsize=1)
def default_xray_model() -> XrayModel:
    """The model that comes with the package.

    Returns
    -------
    XrayModel
        Read once.
    """
    return load_xray_model(DEFAULT_FILE)
