# SPDX-License-Identifier: GPL-3.0-or-later
"""A replay of an acquisition as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import SamplingResult


def table(result: SamplingResult) -> str:
    """Dose, distortion and notes.

    Parameters
    ----------
    result : SamplingResult

    Returns
    -------
    str
    """
    arrays, dose = result.arrays, result.dose
    rows, columns = arrays.reconstruction.shape
    name = f" of {result.frame.title!r}" if result.frame.title else ""
    estimate, low, high = arrays.history_estimate[-1]
    ill = int((arrays.measured_labels == 0).sum())
    lines = [
        f"Dynamic sampling{name}: map of {columns} x {rows} pixels",
        f"  measured: {result.n_measured} pixels ({100 * dose['pixels']:.2f} %), "
        f"{100 * dose['counts']:.2f} % of the counts of the whole map",
        f"  of no phase that is known: {ill}",
        f"  wrong labels: {100 * result.distortion:.3f} % of the map "
        f"(estimated without it: {100 * estimate:.3f} %, "
        f"{100 * low:.3f} to {100 * high:.3f})",
    ]
    return "\n".join([*lines, *(f"Note: {note}" for note in result.notes)])
