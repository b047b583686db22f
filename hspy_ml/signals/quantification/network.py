# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantification of a signal by a network."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frame import SignalFrame
from ..options import check_choice
from ..plain import plain_tree
from ..progress import progress_bar
from .build import energy_scale_in_eV
from .cautions import warn_of
from .network_plan import NetworkNeed, fitting_model, xray_need
from .result import QuantificationArrays, QuantificationResult, Summary
from .specimen_reading import SpecimenReading, read_specimen, settings_of
from .task import network_channels

if TYPE_CHECKING:
    from ...quantification.network_quantify import NetworkQuantification
    from ...quantification.quantifier_model import QuantifierModel

FEWEST_COUNTS = 5
_FLAGGED_NOTE = (
    "{percent:.0f} % of the pixels show something that the elements named do not "
    "explain; see `result.flagged` and `result.goodness_of_fit`."
)
LARGEST_SHARE_FLAGGED = 0.05


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
    """See :func:`hspy_ml.signals.methods.ml_quantify`; arguments as there.

    `specimen` are those of :func:`read_specimen`.
    """
    from ...quantification.network_quantify import PRIORS, quantify_by_network

    check_choice("prior", prior, PRIORS)
    fewest = FEWEST_COUNTS if fewest_counts is None else fewest_counts
    read = read_specimen(s, network_channels, **specimen)
    model, origin = chosen_model(model, xray_need(read), random_state, show_progressbar)
    task = read.task
    n_pixels = task.counts.n_pixels
    with progress_bar(show_progressbar, "ml_quantify", "pixels", n_pixels) as progress:
        found = quantify_by_network(
            model,
            task.counts,
            np.flatnonzero(~task.excluded_channels),
            SignalFrame.from_signal(s).map_shape,
            ~task.excluded_pixels,
            prior=prior,
            num_workers=num_workers,
            progress=progress,
        )
    notes = [origin, *read.notes, *_notes(found, fewest)]
    warn_of(notes[1:], stacklevel=6)
    settings = settings_of(read) | {
        "method": "network",
        "prior": prior,
        "fewest_counts": int(fewest),
        "model": model.training,
    }
    return _result(s, read, model, found, fewest, composition_units, settings, notes)


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
    from ...quantification.quantifier_model import QuantifierModel, load_model

    if model is None:
        return fitting_model(need, random_state, None, show_progressbar)
    if isinstance(model, str | PathLike):
        model = load_model(model)
    if not isinstance(model, QuantifierModel):
        raise TypeError(
            f"`model` is {type(model).__name__}; give a file, or what "
            "`hspy_ml.train_quantifier(s)` or `hspy_ml.load_model(path)` returned."
        )
    differences = model.conditions.differences(need.conditions)
    if differences:
        raise ValueError(
            f"`model` does not fit the signal: {'; '.join(differences)}. Train one for "
            "it with `hspy_ml.train_quantifier(s)`, or leave `model` out."
        )
    return model, "The network was given."


def _notes(found: NetworkQuantification, fewest: float) -> list[str]:
    from ...quantification.network_quantify import flagged

    used = found.readings.counts >= max(fewest, 1)
    share = np.mean(flagged(found.goodness[used])) if used.any() else 0.0
    if share <= LARGEST_SHARE_FLAGGED:
        return []
    return [_FLAGGED_NOTE.format(percent=100 * share)]


def _result(
    s: Any,
    read: SpecimenReading,
    model: QuantifierModel,
    found: NetworkQuantification,
    fewest: float,
    composition_units: str,
    settings: dict[str, Any],
    notes: list[str],
) -> QuantificationResult:
    there = ~read.task.excluded_pixels
    counts = found.readings.counts
    filled = counts >= fewest

    def on_the_map(values: np.ndarray) -> np.ndarray:
        whole = np.full((there.size, *values.shape[1:]), np.nan)
        whole[there] = np.where(
            filled.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan
        )
        return whole

    fraction, error = found.in_units(composition_units)
    order = [model.elements.index(e) for e in read.task.model.elements]
    total, total_error = _totals(read, model, found)
    converged = np.zeros(there.size, bool)
    converged[there] = filled
    observed, fitted = _spectra(read, model, found)
    arrays = QuantificationArrays(
        composition=on_the_map(100 * fraction[:, order]),
        errors=on_the_map(100 * error[:, order]),
        total=on_the_map(total),
        total_errors=on_the_map(total_error),
        goodness=on_the_map(found.goodness),
        counts=on_the_map(counts),
        converged=converged,
        observed=observed,
        fitted=fitted,
    )
    bulk = read.task.model.geometry == "bulk"
    kind = "Total of the elements (relative)" if bulk else "Mass thickness (relative)"
    scale = read.named.reference.energy_scale
    summary = Summary(
        composition_units,
        kind,
        plain_tree(settings),
        scale and energy_scale_in_eV(scale),
        tuple(notes),
    )
    return QuantificationResult(
        SignalFrame.from_signal(s),
        read.task.model.elements,
        arrays,
        summary,
        read.named.reference.g_matrix,
    )


def _totals(
    read: SpecimenReading, model: QuantifierModel, found: NetworkQuantification
) -> tuple[np.ndarray, np.ndarray]:
    """Amount of all elements over its mean, and its error from the counts."""
    g_matrix = read.named.reference.g_matrix
    sums = dict(zip(g_matrix.names, g_matrix.matrix.sum(axis=0), strict=True))
    names = [model.conditions.columns[i] for i in model.conditions.measuring]
    sensitivity = np.array([sums[name] for name in names])
    shares = found.readings.shares[:, list(model.conditions.measuring)]
    of_lines = found.readings.counts * shares.sum(axis=1)
    total = found.readings.counts * (shares / sensitivity).sum(axis=1)
    mean = total.mean() if total.size and total.any() else 1.0
    relative = 1 / np.sqrt(np.maximum(of_lines, 1))
    return total / mean, total / mean * relative


def _spectra(
    read: SpecimenReading, model: QuantifierModel, found: NetworkQuantification
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of all pixels, and what the network thinks they are; NaN where unused."""
    from ...networks.weights import network_weights

    bins = model.conditions.bins
    shapes = network_weights(model.network)["shapes"]
    of_columns = found.readings.counts @ found.readings.shares
    fitted = bins.spread(of_columns @ shapes)
    unused = ~bins.used_channels
    return tuple(
        np.where(unused, np.nan, spectrum) for spectrum in (read.task.spectrum, fitted)
    )
