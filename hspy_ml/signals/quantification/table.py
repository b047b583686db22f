# SPDX-License-Identifier: GPL-3.0-or-later
"""A quantification as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .result import QuantificationResult


def table(result: QuantificationResult) -> str:
    """Composition, errors and what else is known of a result.

    Parameters
    ----------
    result : QuantificationResult

    Returns
    -------
    str
    """
    single = result.frame.n_pixels == 1
    rows = _single_rows(result) if single else _map_rows(result)
    return "\n".join([_title(result), *rows, *_footer(result, single)])


def _title(result: QuantificationResult) -> str:
    shape = " x ".join(map(str, result.frame.map_shape[::-1]))
    kind = "spectrum" if result.frame.n_pixels == 1 else f"map of {shape} pixels"
    name = f" of {result.frame.title!r}" if result.frame.title else ""
    return f"Quantification{name}: {kind}, {result.unit}"


def _single_rows(result: QuantificationResult) -> list[str]:
    values, errors = result.arrays.composition[0], result.arrays.errors[0]
    return [
        f"  {element:<2} {value:8.3f} ± {error:.3f}"
        for element, value, error in zip(result.elements, values, errors, strict=True)
    ]


def _map_rows(result: QuantificationResult) -> list[str]:
    arrays = result.arrays
    used = np.isfinite(arrays.composition).all(axis=1)
    if not used.any():
        return ["  nothing in any pixel"]
    values, counts = arrays.composition[used], arrays.counts[used]
    mean = np.average(values, axis=0, weights=np.maximum(counts, 1e-300))
    scatter = values.std(axis=0)
    error = np.nanmedian(arrays.errors[used], axis=0)
    lines = ["      mean  scatter  error of a pixel (median)"]
    for row in zip(result.elements, mean, scatter, error, strict=True):
        lines.append("  {:<2} {:7.2f} {:8.2f} {:8.2f}".format(*row))
    return lines


def _footer(result: QuantificationResult, single: bool) -> list[str]:
    arrays, lines = result.arrays, []
    with np.errstate(invalid="ignore"):
        goodness = np.nanmedian(arrays.goodness) if arrays.goodness.size else np.nan
    if single:
        total, error = arrays.total[0], arrays.total_errors[0]
        if "relative" not in result.summary.total_kind:
            lines.append(f"{result.summary.total_kind}: {total:.4g} ± {error:.2g}")
    which = "" if single else ", median"
    lines.append(f"Goodness of fit (standard deviations{which}): {goodness:.3g}")
    scale = result.energy_scale
    if scale:
        lines.append(
            f"Energy scale: offset {scale['offset_eV']:+.2f} eV, gain "
            f"{scale['gain']:.5f}, resolution {scale['resolution_MnKa_eV']:.1f} eV"
        )
    return [*lines, *(f"Note: {note}" for note in result.notes)]
