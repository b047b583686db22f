# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal as a training of a network reads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import technique_of
from .eels_network import eels_need, read_core_losses
from .method import check_specimen_arguments
from .network_plan import NetworkNeed, default_plan
from .specimen_reading import read_specimen
from .task import network_channels
from .xray_network import xray_need

if TYPE_CHECKING:
    from ...networks.training import TrainingPlan


@dataclass(frozen=True, eq=False)
class PreparedSignal:
    """What a signal needs, and what of it is not used.

    Parameters
    ----------
    need : NetworkNeed
    excluded_pixels, excluded_channels : ndarray of bool
    """

    need: NetworkNeed
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray


def prepared(
    s: Any, elements: Any, by_stoichiometry: str | None, specimen: dict[str, Any]
) -> PreparedSignal:
    """Read a signal for a network that is to be trained.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
    elements, by_stoichiometry
        As for ``s.ml_quantify``.
    specimen : dict
        The other arguments that describe specimen and instrument.

    Returns
    -------
    PreparedSignal

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or an argument do not allow it.
    """
    if technique_of(s) == "EELS":
        return _prepared_core_losses(s, elements, by_stoichiometry, specimen)
    if specimen["low_loss"] is not None:
        raise ValueError("`low_loss` is for EELS; leave it out for an EDS signal.")
    read = read_specimen(
        s,
        network_channels,
        elements=elements,
        by_stoichiometry=by_stoichiometry,
        by_difference=None,
        standards=None,
        electrons=None,
        solid_angle_sr=None,
        navigation_mask=None,
        **{name: value for name, value in specimen.items() if name != "low_loss"},
    )
    task = read.task
    return PreparedSignal(xray_need(read), task.excluded_pixels, task.excluded_channels)


def _prepared_core_losses(
    s: Any, elements: Any, by_stoichiometry: str | None, specimen: dict[str, Any]
) -> PreparedSignal:
    check_specimen_arguments(specimen, "EELS")
    if by_stoichiometry not in (None, "auto") or specimen["valences"] is not None:
        raise ValueError(
            "`by_stoichiometry` and `valences` cannot be used here: all elements of "
            "core losses are measured by their edges. Leave them out."
        )
    read = read_core_losses(
        s, elements, specimen["low_loss"], signal_mask=specimen["signal_mask"]
    )
    image = read.image
    return PreparedSignal(
        eels_need(read), image.excluded_pixels, image.excluded_channels
    )


def training_plan(
    n_steps: int, random_state: int | None, learning_rate: float
) -> TrainingPlan:
    """The usual training with another length and rate.

    Parameters
    ----------
    n_steps : int
    random_state : int or None
    learning_rate : float

    Returns
    -------
    TrainingPlan
    """
    return replace(
        default_plan(random_state),
        n_steps=max(2, n_steps),
        validate_every=max(1, n_steps // 5),
        learning_rate=learning_rate,
    )
