# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantification of a signal by a network."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frame import SignalFrame
from ..options import check_choice
from ..progress import progress_bar
from .build import TotalScale, energy_scale_in_eV
from .cautions import warn_of
from .network_plan import NetworkNeed, fitting_model
from .network_result import NetworkInput, network_result
from .result import QuantificationResult
from .specimen_reading import SpecimenReading, read_specimen, settings_of
from .task import network_channels
from .xray_network import xray_need

if TYPE_CHECKING:
    from ...quantification.network_quantify import NetworkQuantification
    from ...quantification.quantifier_model import QuantifierModel

FEWEST_COUNTS = 5
_FLAGGED_NOTE = (
    "{percent:.0f} % of the pixels show something that the elements named do not "
    "explain; see `result.flagged` and `result.goodness_of_fit`."
)
LARGEST_SHARE_FLAGGED = 0.05
_LEFT_OUT_NOTE = (
    "{percent:.0f} % of the pixels that are not empty have fewer than {fewest} counts "
    "and are left out; sum pixels with `s.rebin`, or give `fewest_counts=0` for what "
    "is known of them beside their counts."
)
LARGEST_SHARE_LEFT_OUT = 0.5
_BRIGHT_NOTE = (
    "{percent:.0f} % of the pixels have more counts than the {most:.0f} that the "
    'network was trained for; `method="likelihood"` is exact there.'
)
BRIGHT = 1.2  # times the most that are expected


def quantify_network(
    s: Any,
    *,
    model: Any,
    prior: str,
    fewest_counts: int | None,
    random_state: int | None,
    composition_units: str,
    show_progressbar: bool | None,
    num_workers: int | None,
    **specimen: Any,
) -> QuantificationResult:
    """See :func:`hspy_ml.signals.methods.ml_quantify`, for EDS; arguments as there.

    `specimen` are those of :func:`read_specimen`.
    """
    check_prior(prior)
    read = read_specimen(s, network_channels, **specimen)
    result = quantified(
        s,
        xray_need(read),
        _input(read),
        model=model,
        prior=prior,
        fewest_counts=fewest_counts,
        random_state=random_state,
        composition_units=composition_units,
        show_progressbar=show_progressbar,
        num_workers=num_workers,
    )
    warn_of(result.notes[1:], stacklevel=6)
    return result


def check_prior(prior: str) -> None:
    """Refuse a prior that there is not.

    Parameters
    ----------
    prior : str

    Raises
    ------
    ValueError
        If it is none of "neighbours", "image" and "anything".
    """
    from ...quantification.network_quantify import PRIORS

    check_choice("prior", prior, PRIORS)


def quantified(
    s: Any,
    need: NetworkNeed,
    read: NetworkInput,
    *,
    model: Any,
    prior: str,
    fewest_counts: int | None,
    random_state: int | None,
    composition_units: str,
    show_progressbar: bool | None,
    num_workers: int | None,
) -> QuantificationResult:
    """Find or train the network that a signal needs, and use it.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
    need : NetworkNeed
    read : NetworkInput
    model, prior, fewest_counts, random_state, composition_units, show_progressbar, \
num_workers
        As for :func:`hspy_ml.signals.methods.ml_quantify`.

    Returns
    -------
    QuantificationResult
        Its first note says where the network is from.
    """
    from ...quantification.network_quantify import quantify_by_network

    fewest = FEWEST_COUNTS if fewest_counts is None else fewest_counts
    model, origin = chosen_model(model, need, random_state, show_progressbar)
    n_pixels = read.counts.n_pixels
    with progress_bar(show_progressbar, "ml_quantify", "pixels", n_pixels) as progress:
        found = quantify_by_network(
            model,
            read.counts,
            np.flatnonzero(~read.excluded_channels),
            SignalFrame.from_signal(s).map_shape,
            ~read.excluded_pixels,
            prior=prior,
            num_workers=num_workers,
            progress=progress,
        )
    notes = [origin, *read.notes, *_notes(found, model, fewest)]
    settings = read.settings | {
        "method": "network",
        "prior": prior,
        "fewest_counts": int(fewest),
        "model": model.training,
    }
    return network_result(
        s, read, model, found, fewest, composition_units, settings, notes
    )


def chosen_model(
    model: Any,
    need: NetworkNeed,
    random_state: int | None,
    show_progressbar: bool | None,
) -> tuple[QuantifierModel, str]:
    """The model that the user gave, if it fits, or else one of the cache or a new one.

    Parameters
    ----------
    model : QuantifierModel, path or None
    need : NetworkNeed
    random_state : int or None
    show_progressbar : bool or None

    Returns
    -------
    model : QuantifierModel
    origin : str
        A sentence on where it is from.

    Raises
    ------
    TypeError, ValueError
        If it is no model, or does not fit the signal.
    """
    if model is None:
        return fitting_model(need, random_state, show_progressbar)
    model = given_model(model)
    differences = model.conditions.differences(need.conditions)
    if differences:
        raise ValueError(
            f"`model` does not fit the signal: {'; '.join(differences)}. Train one for "
            "it with `hspy_ml.train_quantifier(s)`, or leave `model` out."
        )
    return model, "The network was given."


def given_model(model: Any) -> QuantifierModel:
    """A model that the user gave, or that of the file.

    Parameters
    ----------
    model : QuantifierModel or path

    Returns
    -------
    QuantifierModel

    Raises
    ------
    TypeError, ValueError, OSError
        If it is no model, or the file holds none.
    """
    from ...quantification.quantifier_model import QuantifierModel, load_model

    if isinstance(model, str | PathLike):
        return load_model(model)
    if not isinstance(model, QuantifierModel):
        raise TypeError(
            f"`model` is {type(model).__name__}; give a file, or what "
            "`hspy_ml.train_quantifier(s)` or `hspy_ml.load_model(path)` returned."
        )
    return model


def _notes(
    found: NetworkQuantification, model: QuantifierModel, fewest: float
) -> list[str]:
    from ...quantification.network_quantify import flagged

    counts = found.readings.counts
    most = model.conditions.counts[1]
    used = counts >= max(fewest, 1)
    shares = (
        (flagged(found.goodness[used]), LARGEST_SHARE_FLAGGED, _FLAGGED_NOTE),
        (counts[counts > 0] < fewest, LARGEST_SHARE_LEFT_OUT, _LEFT_OUT_NOTE),
        (counts[used] > BRIGHT * most, 0.0, _BRIGHT_NOTE),
    )
    return [
        note.format(percent=max(100 * np.mean(which), 1), fewest=fewest, most=most)
        for which, largest, note in shares
        if which.size and np.mean(which) > largest
    ]


def _input(read: SpecimenReading) -> NetworkInput:
    task, reference = read.task, read.named.reference
    bulk = task.model.geometry == "bulk"
    kind = "Total of the elements (relative)" if bulk else "Mass thickness (relative)"
    return NetworkInput(
        task.counts,
        task.excluded_pixels,
        task.excluded_channels,
        task.spectrum,
        task.model.elements,
        reference.g_matrix,
        TotalScale(kind),
        settings_of(read),
        read.notes,
        reference.energy_scale and energy_scale_in_eV(reference.energy_scale),
    )
