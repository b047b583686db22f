# SPDX-License-Identifier: GPL-3.0-or-later
"""Compositions found and true as a table to read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .result_table import percent_with_error

if TYPE_CHECKING:
    from .comparison import Comparison

_NAME, _FOUND, _TRUE = 10, 14, 7
_PHASE = _FOUND + _TRUE


def comparison_table(comparison: Comparison) -> str:
    """Write the compositions beside the truth.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
        A row for each element: for each phase the atomic percent found, with its
        standard error, and the true one. Below, how far maps and spectra are off.
    """
    truth = comparison.truth
    rule = "-" * (_NAME + (_PHASE + 2) * len(truth.phases))
    maps = (f"{100 * value:.2f} %" for value in comparison.normalised_errors)
    angles = (f"{value:.2f}°" for value in comparison.spectral_angles)
    lines = [
        _line("", (name[:_PHASE] for name in truth.phases)),
        _line("at.%", [f"{'found':>{_FOUND}}{'true':>{_TRUE}}"] * len(truth.phases)),
        rule,
        *(_element_line(comparison, i) for i in range(len(truth.elements))),
        rule,
        _line("map NMSE", (f"{value:>{_FOUND}}{'':>{_TRUE}}" for value in maps)),
        _line("angle", (f"{value:>{_FOUND}}{'':>{_TRUE}}" for value in angles)),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _element_line(comparison: Comparison, element: int) -> str:
    truth = comparison.truth
    found = zip(
        comparison.atomic_percent[:, element],
        comparison.atomic_percent_errors[:, element],
        truth.atomic_percent[:, element],
        strict=True,
    )
    cells = (
        f"{percent_with_error(value, error):>{_FOUND}}{true:>{_TRUE}.1f}"
        for value, error, true in found
    )
    return _line(truth.elements[element], cells)


def _line(name: str, cells: Iterable[str]) -> str:
    return f"{name:<{_NAME}}" + "".join(f"  {cell:>{_PHASE}}" for cell in cells)
