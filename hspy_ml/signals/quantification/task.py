# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from a signal before its composition is looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..counted_image import check_scale
from ..data import signal_array
from ..masks import flat_navigation_mask, flat_signal_mask
from .oxygen import could_be_an_oxide, is_an_oxide
from .plan import Scale, UnmeasuredElement, completion_of

if TYPE_CHECKING:
    from ...counts import Counts
    from ...physics.acquisition import Acquisition
    from ...physics.gmatrix import GMatrix
    from ...quantification.reference import SpecimenModel
    from ...quantification.unmeasured import Completion
    from ...quantification.unnamed import NamedPart

ChannelChoice = Callable[["Acquisition", "SpecimenModel"], np.ndarray]


@dataclass(frozen=True, eq=False)
class SpecimenTask:
    """What stays the same while the composition is looked for.

    Parameters
    ----------
    acquisition : Acquisition
        As the metadata have it.
    model : SpecimenModel
    counts : Counts
        Of the pixels and channels that are not excluded.
    spectrum : ndarray, shape (n_channels,)
        Their sum over the pixels; zero in excluded channels.
    excluded_pixels, excluded_channels : ndarray of bool
    own_channels : bool
        Whether the user chose the channels, so that no more are left out.
    refine : bool
        Whether to refine the energy scale.
    """

    acquisition: Acquisition
    model: SpecimenModel
    counts: Counts
    spectrum: np.ndarray
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray
    own_channels: bool
    refine: bool


def read_task(
    s: Any,
    acquisition: Acquisition,
    model: SpecimenModel,
    navigation_mask: Any,
    signal_mask: Any,
    refine: bool,
    choose_channels: ChannelChoice,
) -> SpecimenTask:
    """Read the counts of a signal.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
    acquisition : Acquisition
    model : SpecimenModel
    navigation_mask, signal_mask
        As HyperSpy's methods take them; True is excluded.
    refine : bool
    choose_channels : callable
        Which channels to read if `signal_mask` is None.

    Returns
    -------
    SpecimenTask

    Raises
    ------
    ValueError, TypeError
        If masks or data do not allow it.
    """
    from ...counts.building import counts_from_array

    pixels = flat_navigation_mask(s, navigation_mask)
    channels = flat_signal_mask(s, signal_mask)
    g_matrix = _of_an_even_mixture(model, acquisition)
    channels = channels | (g_matrix.matrix.sum(axis=1) <= 0)
    if signal_mask is None:
        channels = channels | ~choose_channels(acquisition, model)
    counts = counts_from_array(
        signal_array(s), excluded_pixels=pixels, excluded_channels=channels
    )
    check_scale(counts)
    spectrum = np.zeros(channels.size)
    spectrum[~channels] = counts.channel_totals
    own_channels = signal_mask is not None
    return SpecimenTask(
        acquisition, model, counts, spectrum, pixels, channels, own_channels, refine
    )


def likelihood_channels(acquisition: Acquisition, model: SpecimenModel) -> np.ndarray:
    """Channels that the model describes well enough to fit them.

    Parameters
    ----------
    acquisition : Acquisition
    model : SpecimenModel

    Returns
    -------
    ndarray of bool, shape (n_channels,)
    """
    from ...quantification.reference import trusted_channels

    g_matrix = _of_an_even_mixture(model, acquisition)
    seen = [e for e in model.elements if e in g_matrix.elements]
    return trusted_channels(acquisition, seen, g_matrix)


def network_channels(acquisition: Acquisition, model: SpecimenModel) -> np.ndarray:
    """Channels that a network reads.

    Of a film all from 0.2 keV, since it is trained for lines that nobody named and
    families of which only the shape is known; of a bulk those of the likelihood.

    Parameters
    ----------
    acquisition : Acquisition
    model : SpecimenModel

    Returns
    -------
    ndarray of bool, shape (n_channels,)
    """
    from ...quantification.reference import (
        HIGHEST_SHARE_OF_BEAM_ENERGY,
        LOWEST_ENERGY_KEV,
    )

    if model.geometry == "bulk":
        return likelihood_channels(acquisition, model)
    end = HIGHEST_SHARE_OF_BEAM_ENERGY * acquisition.beam_energy_keV
    energy = acquisition.energy
    return (energy >= LOWEST_ENERGY_KEV) & (energy <= end)


def _of_an_even_mixture(model: SpecimenModel, acquisition: Acquisition) -> GMatrix:
    equal = np.full(len(model.elements), 1 / len(model.elements))
    return model.g_matrix(acquisition, equal)


def used_channels(task: SpecimenTask) -> np.ndarray:
    """Channels to fit: what the lines need that measure.

    Parameters
    ----------
    task : SpecimenTask

    Returns
    -------
    ndarray of bool, shape (n_channels,)
    """
    from ...quantification.reference import trusted_channels

    if task.own_channels:
        return ~task.excluded_channels
    model = task.model
    g_matrix = _of_an_even_mixture(model, task.acquisition)
    return ~task.excluded_channels & trusted_channels(
        task.acquisition, model.measured, g_matrix
    )


def oxygen_rule(task: SpecimenTask, scale: Scale, valences: Any) -> UnmeasuredElement:
    """Stoichiometry for what shows as much oxygen as an oxide has.

    Parameters
    ----------
    task : SpecimenTask
        With all elements measured.
    scale : Scale
    valences : mapping of str to float or None

    Returns
    -------
    UnmeasuredElement
        Oxygen, or none.
    """
    elements = task.model.elements
    if not could_be_an_oxide(elements, task.model.geometry):
        return UnmeasuredElement()
    by_line = completion_of(elements, UnmeasuredElement(), "mass", scale)
    reference = named_part(task, by_line).reference
    rule = UnmeasuredElement("O", "stoichiometry", valences)
    oxide = completion_of(elements, rule, "mass", Scale({}, None, None))
    fits = is_an_oxide(reference.mass_fractions, oxide)
    return rule if fits else UnmeasuredElement()


def named_part(task: SpecimenTask, completion: Completion) -> NamedPart:
    """Composition and G-matrix of what the named elements explain.

    Parameters
    ----------
    task : SpecimenTask
    completion : Completion

    Returns
    -------
    NamedPart
    """
    from ...quantification.unnamed import find_named_part

    return find_named_part(
        task.spectrum,
        task.acquisition,
        task.model,
        completion,
        used_channels(task),
        refine=task.refine,
    )
