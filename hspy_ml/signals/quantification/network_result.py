# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a network says of pixels to the result of a signal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frame import SignalFrame
from ..plain import plain_tree
from .build import TotalScale
from .result import QuantificationArrays, QuantificationResult, Summary

if TYPE_CHECKING:
    from ...counts import Counts
    from ...physics.gmatrix import GMatrix
    from ...quantification.network_quantify import NetworkQuantification
    from ...quantification.quantifier_model import QuantifierModel


@dataclass(frozen=True, eq=False)
class NetworkInput:
    """What a network reads of a signal, and what its result is made with.

    Parameters
    ----------
    counts : Counts
        Of the pixels and channels that are not excluded.
    excluded_pixels, excluded_channels : ndarray of bool
    spectrum : ndarray, shape (n_channels,)
        Sum over the pixels; zero in excluded channels.
    elements : tuple of str
        In the order of the result.
    g_matrix : GMatrix
        In all channels.
    total : TotalScale
    settings : dict
        How the signal was read.
    notes : list of str
    energy_scale : dict, optional
        As refined.
    """

    counts: Counts
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray
    spectrum: np.ndarray
    elements: tuple[str, ...]
    g_matrix: GMatrix
    total: TotalScale
    settings: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    energy_scale: dict[str, float] | None = None


def network_result(
    s: Any,
    read: NetworkInput,
    model: QuantifierModel,
    found: NetworkQuantification,
    fewest: float,
    composition_units: str,
    settings: dict[str, Any],
    notes: list[str],
) -> QuantificationResult:
    """Make the result of a signal.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
    read : NetworkInput
    model : QuantifierModel
    found : NetworkQuantification
    fewest : float
        Counts below which a pixel is left out.
    composition_units : {"atomic", "weight"}
    settings : dict
        Of the call, plain values.
    notes : list of str

    Returns
    -------
    QuantificationResult
    """
    there = ~read.excluded_pixels
    counts = found.readings.counts
    filled = counts >= fewest

    def on_the_map(values: np.ndarray) -> np.ndarray:
        whole = np.full((there.size, *values.shape[1:]), np.nan)
        whole[there] = values
        return whole

    def answered(values: np.ndarray) -> np.ndarray:
        return on_the_map(np.where(filled[:, None], values, np.nan))

    fraction, error = found.in_units(composition_units)
    order = [model.elements.index(e) for e in read.elements]
    total, total_error = _totals(read, model, found)
    converged = np.zeros(there.size, bool)
    converged[there] = filled
    observed, fitted = _spectra(read, model, found)
    arrays = QuantificationArrays(
        composition=answered(100 * fraction[:, order]),
        errors=answered(100 * error[:, order]),
        total=on_the_map(total),
        total_errors=on_the_map(total_error),
        goodness=answered(found.goodness[:, None])[:, 0],
        counts=on_the_map(counts),
        converged=converged,
        observed=observed,
        fitted=fitted,
    )
    summary = Summary(
        composition_units,
        read.total.kind,
        plain_tree(settings),
        read.energy_scale,
        tuple(notes),
    )
    frame = SignalFrame.from_signal(s)
    return QuantificationResult(frame, read.elements, arrays, summary, read.g_matrix)


def _totals(
    read: NetworkInput, model: QuantifierModel, found: NetworkQuantification
) -> tuple[np.ndarray, np.ndarray]:
    """Amount of all elements in the unit of the total, and its error of counting."""
    seen = read.g_matrix.matrix[~read.excluded_channels].sum(axis=0)
    sums = dict(zip(read.g_matrix.names, seen, strict=True))
    names = [model.conditions.columns[i] for i in model.conditions.measuring]
    sensitivity = np.array([sums[name] for name in names])
    shares = found.readings.shares[:, list(model.conditions.measuring)]
    of_lines = found.readings.counts * shares.sum(axis=1)
    total = found.readings.counts * (shares / sensitivity).sum(axis=1)
    scale = read.total.factor / _divisor(read, total)
    relative = 1 / np.sqrt(np.maximum(of_lines, 1))
    return scale * total, scale * total * relative


def _divisor(read: NetworkInput, total: np.ndarray) -> Any:
    divisor = read.total.divisor
    if divisor is None:
        return total.mean() if total.size and total.any() else 1.0
    return np.asarray(divisor)[~read.excluded_pixels] if np.ndim(divisor) else divisor


def _spectra(
    read: NetworkInput, model: QuantifierModel, found: NetworkQuantification
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of all pixels, and what the network thinks they are; NaN where unused."""
    from ...networks.weights import network_weights

    bins = model.conditions.bins
    shapes = network_weights(model.network)["shapes"]
    of_columns = found.readings.counts @ found.readings.shares
    fitted = bins.spread(of_columns @ shapes)
    unused = ~bins.used_channels
    return tuple(
        np.where(unused, np.nan, spectrum) for spectrum in (read.spectrum, fitted)
    )
