# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files of every task."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from ..classification import phase_model
from ..networks.model_file import model_info
from ..quantification import quantifier_model
from .deconvolution import loading

if TYPE_CHECKING:
    from ..classification.phase_model import PhaseModel
    from ..deconvolution.deconvolver_model import DeconvolverModel
    from ..deconvolution.xray_model import XrayModel
    from ..quantification.quantifier_model import QuantifierModel

__all__ = ["load_model"]

_LOADERS = {
    quantifier_model.TASK: quantifier_model.load_model,
    phase_model.TASK: phase_model.load_phase_model,
    loading.TASK: loading.load_deconvolution_model,
}


def load_model(
    path: str | PathLike[str],
) -> QuantifierModel | PhaseModel | DeconvolverModel | XrayModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    QuantifierModel, PhaseModel, DeconvolverModel or XrayModel
        By the task of the model.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file, of another task, or damaged; the message says why.
    """
    task = model_info(path).task
    if task not in _LOADERS:
        raise ValueError(
            f"{path} is a model for {task}; this version knows {', '.join(_LOADERS)}. "
            "Update hspy_ml, or give another model."
        )
    return _LOADERS[task](path)
