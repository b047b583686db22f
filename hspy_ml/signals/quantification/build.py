# SPDX-License-Identifier: GPL-3.0-or-later
"""From a quantification of pixels to the result of a signal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frame import SignalFrame
from ..plain import plain_tree
from .result import QuantificationArrays, QuantificationResult, Summary

if TYPE_CHECKING:
    from ...counts import Counts
    from ...physics.gmatrix import GMatrix
    from ...quantification.energy_scale import EnergyScale
    from ...quantification.quantify import Quantification

FEWEST_COUNTS = 1.0


@dataclass(frozen=True, eq=False)
class FittedSignal:
    """What was fitted, and where it belongs in the signal.

    Parameters
    ----------
    found : Quantification
        Of the pixels that are used.
    counts : Counts
        Of the pixels and channels that are used.
    matrix : ndarray, shape (n_used_channels, n_columns)
        What was fitted; rows of zeros are channels that were left out.
    g_matrix : GMatrix
        In all channels.
    excluded_pixels, excluded_channels : ndarray of bool
    """

    found: Quantification
    counts: Counts
    matrix: np.ndarray
    g_matrix: GMatrix
    excluded_pixels: np.ndarray
    excluded_channels: np.ndarray

    def on_the_map(self, values: np.ndarray) -> np.ndarray:
        """Values of the used pixels among NaN."""
        shape = (self.excluded_pixels.size, *values.shape[1:])
        whole = np.full(shape, np.nan)
        whole[~self.excluded_pixels] = values
        return whole

    def in_the_channels(self, values: np.ndarray) -> np.ndarray:
        """Values of the channels that were fitted among NaN."""
        fitted = self.matrix.sum(axis=1) > 0
        whole = np.full(self.excluded_channels.size, np.nan)
        whole[np.flatnonzero(~self.excluded_channels)[fitted]] = values[fitted]
        return whole

    @property
    def weights_sum(self) -> np.ndarray:
        """Weights of the columns, summed over the pixels."""
        return self.found.fit.weights.sum(axis=0)

    def spectra(self) -> np.ndarray:
        """Counts, fit, and what elements contribute to it; shape (3, n_channels)."""
        of_elements = np.array([c.element is not None for c in self.g_matrix.columns])
        parts = (
            self.counts.channel_totals,
            self.matrix @ self.weights_sum,
            self.matrix @ (self.weights_sum * of_elements),
        )
        return np.stack([self.in_the_channels(part) for part in parts])


@dataclass(frozen=True)
class TotalScale:
    """What the sum of the amounts means.

    Parameters
    ----------
    kind : str
        Title of the total.
    divisor : float or ndarray, shape (n_pixels,), or None
        Divides the totals; None for totals relative to their mean.
    factor : float, default 1
        Multiplies them, 100 for percent.
    """

    kind: str
    divisor: Any = None
    factor: float = 1.0

    def applied(self, fitted: FittedSignal) -> tuple[np.ndarray, np.ndarray]:
        """Totals and their errors on the map, in the unit of `kind`."""
        found = fitted.found
        filled = found.fit.counts >= FEWEST_COUNTS
        total = np.where(filled, found.totals, 0.0)
        error = np.where(filled, found.total_errors, np.nan)
        divisor = self.divisor
        if divisor is None:
            divisor = total[filled].mean() if total[filled].any() else 1.0
        elif np.ndim(divisor):
            divisor = np.asarray(divisor)[~fitted.excluded_pixels]
        scale = self.factor / divisor
        return fitted.on_the_map(total * scale), fitted.on_the_map(error * scale)


def result_of(
    s: Any,
    fitted: FittedSignal,
    total: TotalScale,
    composition_units: str,
    settings: dict[str, Any],
    notes: list[str],
    energy_scale: EnergyScale | None = None,
) -> QuantificationResult:
    """Make the result of a signal.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
    fitted : FittedSignal
    total : TotalScale
    composition_units : {"atomic", "weight"}
    settings : dict
        Of the call, plain values.
    notes : list of str
    energy_scale : EnergyScale, optional

    Returns
    -------
    QuantificationResult
    """
    found = fitted.found
    totals, total_errors = total.applied(fitted)
    percent = 100 * found.fractions(composition_units)
    errors = 100 * found.standard_errors(composition_units)
    observed, fit, _ = fitted.spectra()
    converged = np.zeros(fitted.excluded_pixels.size, bool)
    converged[~fitted.excluded_pixels] = found.converged
    arrays = QuantificationArrays(
        composition=fitted.on_the_map(percent),
        errors=fitted.on_the_map(errors),
        total=totals,
        total_errors=total_errors,
        goodness=fitted.on_the_map(found.fit.goodness),
        counts=fitted.on_the_map(found.fit.counts),
        converged=converged,
        observed=observed,
        fitted=fit,
    )
    summary = Summary(
        composition_units,
        total.kind,
        plain_tree(settings),
        energy_scale and energy_scale_in_eV(energy_scale),
        tuple(notes),
    )
    frame = SignalFrame.from_signal(s)
    return QuantificationResult(frame, found.elements, arrays, summary, fitted.g_matrix)


def energy_scale_in_eV(scale: EnergyScale) -> dict[str, float]:
    """A refined energy scale as plain values for the result.

    Parameters
    ----------
    scale : EnergyScale

    Returns
    -------
    dict of str to float
    """
    values = asdict(scale)
    errors = values["standard_errors"]
    return {
        "offset_eV": 1e3 * values["offset_keV"],
        "gain": values["gain"],
        "resolution_MnKa_eV": values["resolution_MnKa_eV"],
        "offset_error_eV": 1e3 * errors[0],
        "gain_error": errors[1],
        "resolution_error_eV": errors[2],
    }
