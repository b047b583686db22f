# SPDX-License-Identifier: GPL-3.0-or-later
"""Models for deconvolution that a user gives: loaded, and checked for the technique."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any

from ...deconvolution import deconvolver_model, seed_model, xray_model
from ...networks.model_file import model_info

if TYPE_CHECKING:
    from ...deconvolution.deconvolver_model import DeconvolverModel
    from ...deconvolution.xray_model import XrayModel

__all__ = ["TASK", "given_model", "given_xray_model", "load_deconvolution_model"]

TASK = deconvolver_model.TASK

_LOADERS: dict[str, Callable[[Any], Any]] = {
    deconvolver_model.ARCHITECTURE: deconvolver_model.load_deconvolver,
    seed_model.ARCHITECTURE: seed_model.load_seed_model,
    xray_model.ARCHITECTURE: xray_model.load_xray_model,
}


def load_deconvolution_model(
    path: str | PathLike[str],
) -> DeconvolverModel | XrayModel:
    """Load a model file for deconvolution, of whichever architecture.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    DeconvolverModel or XrayModel

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for deconvolution, or damaged.
    """
    card = model_info(path)
    if card.task != TASK or card.architecture not in _LOADERS:
        raise ValueError(
            f"{path} is a {card.architecture} for {card.task}; give a model for "
            f"{TASK}: {', '.join(_LOADERS)}."
        )
    return _LOADERS[card.architecture](path)


def given_model(model: Any) -> DeconvolverModel | None:
    """The model for low-loss EELS that a user gave, or that is in the file given.

    Parameters
    ----------
    model : DeconvolverModel, str, path or None

    Returns
    -------
    DeconvolverModel or None

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is none, cannot be loaded, or is for X-rays.
    """
    from ...deconvolution.deconvolver_model import DeconvolverModel

    return _given(model, DeconvolverModel, "EELS", "train_deconvolver(s, ...)")


def given_xray_model(model: Any) -> XrayModel | None:
    """The model for X-ray spectra that a user gave, or that is in the file given.

    Parameters
    ----------
    model : XrayModel, str, path or None

    Returns
    -------
    XrayModel or None

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is none, cannot be loaded, or is for energy losses.
    """
    from ...deconvolution.xray_model import XrayModel

    return _given(model, XrayModel, "EDS", "load_model(path)")


def _given(model: Any, kind: type, technique: str, made_by: str) -> Any:
    if model is None:
        return None
    if isinstance(model, (str, PathLike)):
        model = load_deconvolution_model(model)
    if not isinstance(model, kind):
        raise TypeError(
            f"`model` is a {type(model).__name__}; for {technique} give a "
            f"{kind.__name__}, such as `hspy_ml.{made_by}` returns, or its file. A "
            "measured zero-loss peak is `psf=`."
        )
    return model
