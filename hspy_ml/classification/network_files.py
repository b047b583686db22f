# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that classify, between files and memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..networks.model_file import StoredModel
from .classified import TASK

__all__ = [
    "TASK",
    "checked_names",
    "labels_on_card",
    "prefixed",
    "without_prefix",
]

_LABELS = "labels"


def labels_on_card(names: tuple[str, ...]) -> dict[str, list[str]]:
    """What the conditions of a card say of the phases.

    Parameters
    ----------
    names : tuple of str

    Returns
    -------
    dict
    """
    return {_LABELS: list(names)}


def checked_names(stored: StoredModel, architecture: str) -> tuple[str, ...]:
    """Names of the phases of a stored classifier.

    Parameters
    ----------
    stored : StoredModel
    architecture : str
        What it should be.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If it is something else, or does not say its phases.
    """
    card = stored.card
    if card.task != TASK or card.architecture != architecture:
        raise ValueError(
            f"The model is a {card.architecture} for {card.task}; a {architecture} for "
            f"{TASK} is expected."
        )
    names = card.conditions.get(_LABELS)
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise ValueError("its card does not say its phases")
    return tuple(names)


def prefixed(weights: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Weights under longer names.

    Parameters
    ----------
    weights : mapping of str to ndarray
    prefix : str

    Returns
    -------
    dict of str to ndarray
    """
    return {prefix + name: array for name, array in weights.items()}


def without_prefix(
    weights: Mapping[str, np.ndarray], prefix: str
) -> dict[str, np.ndarray]:
    """Those weights whose names begin so, under what follows.

    Parameters
    ----------
    weights : mapping of str to ndarray
    prefix : str

    Returns
    -------
    dict of str to ndarray
    """
    n = len(prefix)
    return {k[n:]: w for k, w in weights.items() if k.startswith(prefix)}
