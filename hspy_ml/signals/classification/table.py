# SPDX-License-Identifier: GPL-3.0-or-later
"""A classification as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...classification.classified import NO_PHASE
from .confusion import NO_PHASE_NAME

if TYPE_CHECKING:
    from .result import ClassificationResult


def table(result: ClassificationResult) -> str:
    """Area fractions, how sure the labels are, and notes.

    Parameters
    ----------
    result : ClassificationResult

    Returns
    -------
    str
    """
    rows = _single_rows(result) if result.frame.n_pixels == 1 else _map_rows(result)
    notes = [f"Note: {note}" for note in result.notes]
    return "\n".join([_title(result), *rows, *notes])


def _title(result: ClassificationResult) -> str:
    shape = " x ".join(map(str, result.frame.map_shape[::-1]))
    kind = "spectrum" if result.frame.n_pixels == 1 else f"map of {shape} pixels"
    name = f" of {result.frame.title!r}" if result.frame.title else ""
    return f"Phases{name}: {kind}"


def _single_rows(result: ClassificationResult) -> list[str]:
    if not result.is_classified[0]:
        return ["  nothing was counted"]
    label = result.label_array[0]
    width = max(map(len, result.names))
    rows = [
        f"  {name:<{width}}  {probability:.4f}" + (" *" if index == label else "")
        for index, (name, probability) in enumerate(
            zip(result.names, result.arrays.probabilities[0], strict=True), start=1
        )
    ]
    if label == 0:
        rows.append("  its spectrum is of none of them")
    return rows


def _map_rows(result: ClassificationResult) -> list[str]:
    seen = result.is_classified
    if not seen.any():
        return ["  nothing was counted in any pixel"]
    fractions = result.area_fractions
    width = max(map(len, (NO_PHASE_NAME, *result.names)))
    rows = [f"  {'':<{width}}  area (95 % interval)         pixels  confidence"]
    best = result.confidence.data.ravel()
    for index, name in enumerate(result.names):
        of_label = result.label_array == index + 1
        sure = f"{np.median(best[of_label]):.4f}" if of_label.any() else "-"
        low, high = 100 * fractions.interval_95[index]
        rows.append(
            f"  {name:<{width}}  {100 * fractions.estimate[index]:6.2f} % "
            f"({low:6.2f} to {high:6.2f}) {of_label.sum():8d}  {sure}"
        )
    n_unknown = int((seen & (result.label_array == NO_PHASE)).sum())
    rows.append(
        f"  {NO_PHASE_NAME:<{width}}  {100 * fractions.unknown:6.2f} % of all pixels"
        f"    {n_unknown:8d}"
    )
    return rows
