# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantification with a G-matrix that does not depend on what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..acquisition import technique_of
from ..counted_image import read_image
from ..low_loss import incident_counts
from ..progress import progress_bar
from ..response import checked_g_matrix
from ..unexplained import warn_of_unexplained_peaks
from .build import FittedSignal, TotalScale, result_of
from .cautions import coincidences, warn_of
from .plan import (
    Scale,
    completion_of,
    electrons_of,
    unmeasured_element,
    with_element,
)
from .result import QuantificationResult

if TYPE_CHECKING:
    from ...physics.gmatrix import GMatrix


def quantify_columns(
    s: Any,
    *,
    elements: Any,
    g_matrix: Any,
    low_loss: Any,
    by_stoichiometry: str | None,
    by_difference: str | None,
    valences: Any,
    electrons: float | None,
    solid_angle_sr: float | None,
    navigation_mask: Any,
    signal_mask: Any,
    composition_units: str,
    show_progressbar: bool | None,
    num_workers: int | None,
) -> QuantificationResult:
    """See :func:`hspy_ml.signals.methods.ml_quantify`; arguments as there."""
    from ...physics.fractions import reference_columns
    from ...quantification.quantify import quantify

    response = _response(s, elements, g_matrix, low_loss)
    read = read_image(s, response, navigation_mask, signal_mask)
    if by_stoichiometry == "auto":
        by_stoichiometry = None
    unmeasured = unmeasured_element(
        response.elements, by_stoichiometry, by_difference, valences
    )
    symbols = with_element(response.elements, unmeasured.element)
    scale = Scale({}, _electrons(s, response, electrons), solid_angle_sr)
    completion = completion_of(symbols, unmeasured, response.concentration, scale)
    chosen = reference_columns(response)
    columns = [chosen[e] for e in symbols if e != unmeasured.element]
    n_pixels = read.image.counts.n_pixels
    with progress_bar(show_progressbar, "ml_quantify", "pixels", n_pixels) as progress:
        found = quantify(
            read.image.counts,
            read.g_matrix.matrix,
            columns,
            completion,
            concentration=response.concentration,
            num_workers=num_workers,
            progress=progress,
        )
    fitted = FittedSignal(
        found,
        read.image.counts,
        read.g_matrix.matrix,
        response,
        read.excluded_pixels,
        read.excluded_channels,
    )
    fit = read.g_matrix.matrix @ fitted.weights_sum
    notes = coincidences(read.g_matrix, columns, fit)
    warn_of(notes, stacklevel=6)
    if technique_of(s) != "EELS":
        warn_of_unexplained_peaks(*fitted.spectra(), response.acquisition, stacklevel=6)
    settings = {
        "method": "likelihood",
        "unmeasured_element": unmeasured.element or "",
        "rule": unmeasured.rule or "",
        "electrons": scale.electrons or 0.0,
        "solid_angle_sr": solid_angle_sr or 0.0,
        "low_loss": low_loss is not None,
    }
    total = _total_scale(s, scale, low_loss)
    return result_of(s, fitted, total, composition_units, settings, notes)


def _response(s: Any, elements: Any, g_matrix: Any, low_loss: Any) -> GMatrix:
    from ..gmatrix import g_matrix as build

    if g_matrix is not None:
        return checked_g_matrix(s, elements, g_matrix)
    return build(s, elements, low_loss=low_loss)


def _electrons(s: Any, response: GMatrix, electrons: Any) -> float | None:
    if response.acquisition is None:
        return electrons
    return electrons_of(s, response.acquisition, electrons)


def _total_scale(s: Any, scale: Scale, low_loss: Any) -> TotalScale:
    if technique_of(s) == "EELS":
        if low_loss is None:
            return TotalScale("Atoms per area (relative)")
        return TotalScale("Atoms per area (1/nm2)", incident_counts(low_loss, s))
    if scale.whole is None:
        return TotalScale("Mass thickness (relative)")
    return TotalScale("Mass thickness (g/cm2)", scale.whole)
