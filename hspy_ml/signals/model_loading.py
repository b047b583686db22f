# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files of every task."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from ..classification import phase_model
from ..networks.model_file import model_info
from ..quantification import quantifier_model

if TYPE_CHECKING:
    from ..classification.phase_model import PhaseModel
    from ..quantification.quantifier_model import QuantifierModel

__all__ = ["load_model"]

_LOADERS = {
    quantifier_model.TASK: quantifier_model.load_model,
    phase_model.TASK: phase_model.load_phase_model,
}


def load_model(path: str | PathLike[str]) -> QuantifierModel | PhaseModel:
    """Load a model file; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    QuantifierModel or PhaseModel
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
