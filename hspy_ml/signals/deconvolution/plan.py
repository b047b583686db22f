# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided before a signal is deconvolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...deconvolution.deconvolver_model import DeconvolverModel
    from .blocks import Apply

__all__ = ["Plan", "given_model"]


@dataclass(frozen=True, eq=False)
class Plan:
    """How every spectrum of a signal is deconvolved.

    Parameters
    ----------
    apply : callable
        See :mod:`hspy_ml.signals.deconvolution.blocks`.
    settings : dict
        What was decided, as plain values.
    notes : list of str
        Why.
    response : ndarray, shape (2 m + 1,), or None
        The PSF, or the mean of several.
    offset_change : float
        To be added to the offset of the energy axis, in its units.
    """

    apply: Apply
    settings: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    response: np.ndarray | None = None
    offset_change: float = 0.0


def given_model(model: Any) -> DeconvolverModel | None:
    """The model that a user gave, or that is in the file given.

    Parameters
    ----------
    model : DeconvolverModel, str, path or None

    Returns
    -------
    DeconvolverModel or None

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is none, or cannot be loaded.
    """
    from ...deconvolution.deconvolver_model import DeconvolverModel, load_deconvolver

    if model is None:
        return None
    if isinstance(model, (str, PathLike)):
        return load_deconvolver(model)
    if not isinstance(model, DeconvolverModel):
        raise TypeError(
            f"`model` is a {type(model).__name__}; give the path of a model file, or "
            "what `hspy_ml.train_deconvolver(s, ...)` or `hspy_ml.load_model(path)` "
            "returned. A measured zero-loss peak is `psf=`."
        )
    return model
