# SPDX-License-Identifier: GPL-3.0-or-later
"""A result as a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..physics.fractions import reference_columns

if TYPE_CHECKING:
    from .result import PhysicsNMFResult


def result_table(result: PhysicsNMFResult) -> str:
    """Write the compositions of the phases as text.

    Parameters
    ----------
    result : PhysicsNMFResult
        The result.

    Returns
    -------
    str
        A row for each phase: its share of the area and its atomic percent.
    """
    header = ["phase", "area %", *_marked_elements(result)]
    rows = [header, *_rows(result)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
    return "\n".join([_headline(result), *lines, *_footnotes(header)])


def percent_with_error(value: float, error: float | None) -> str:
    """Write a percentage to the digits that its standard error allows.

    Parameters
    ----------
    value : float
        In percent.
    error : float or None
        Its standard error.

    Returns
    -------
    str
        Such as "12.3 ± 0.4".
    """
    if error is None or not np.isfinite(error):
        return f"{value:.1f}"
    decimals = 1 if error >= 0.1 or error == 0 else 2
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _headline(result: PhysicsNMFResult) -> str:
    pixels = " x ".join(str(size) for size in result.frame.map_shape[::-1])
    state = "converged" if result.factorization.converged else "not converged"
    return (
        f"PhysicsNMFResult: {_count(result.n_phases, 'phase')}, "
        f"{pixels} pixel{'s' * (result.frame.n_pixels > 1)}, "
        f"{result.frame.n_channels} channels; "
        f"{state} in {_count(result.factorization.n_iterations, 'iteration')}; "
        "atomic percent"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def _rows(result: PhysicsNMFResult) -> list[list[str]]:
    values = np.array([c.data for c in result.concentrations]).T
    errors = np.full(values.shape, np.nan)
    if result.concentration_errors is not None:
        errors = np.array([e.data for e in result.concentration_errors]).T
    return [
        [str(phase), f"{100 * area:.1f}", *map(percent_with_error, value, error)]
        for phase, (area, value, error) in enumerate(
            zip(result.area_fractions, values, errors, strict=True)
        )
    ]


def _marked_elements(result: PhysicsNMFResult) -> list[str]:
    """Return the symbols, with a star where the scale is not known."""
    columns = [
        result.g_matrix.columns[index]
        for index in reference_columns(result.g_matrix).values()
    ]
    return [c.element + "*" * (not c.quantitative) for c in columns]


def _footnotes(header: list[str]) -> list[str]:
    if not any(name.endswith("*") for name in header):
        return []
    return ["* from lines whose absolute intensity is not well known"]
