# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure of a result: a row for each phase, with map, spectrum, composition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .result_table import percent_with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .result import PhysicsNMFResult

_ROW_HEIGHT = 2.5  # inches
_BAR_HEIGHT = 0.16  # inches
_SMALLEST_PEAK = 0.01  # of the highest channel: lower peaks get no label
_CLOSE = 0.035  # of the width of the axis: such labels would overlap


def plot_result(result: PhysicsNMFResult) -> Figure:
    """Draw each phase: its map, its spectrum and its composition.

    Parameters
    ----------
    result : PhysicsNMFResult
        The result.

    Returns
    -------
    matplotlib.figure.Figure
        Without a map for a single spectrum.
    """
    import matplotlib.pyplot as plt

    with_map = result.frame.n_pixels > 1
    row_height = max(_ROW_HEIGHT, _BAR_HEIGHT * len(result.elements))
    widths = [1.1, 2.2, 1.0] if with_map else [2.2, 1.0]
    figure, axes = plt.subplots(
        result.n_phases,
        len(widths),
        figsize=(12 if with_map else 9, row_height * result.n_phases + 0.5),
        width_ratios=widths,
        squeeze=False,
        layout="constrained",
    )
    for phase, ax in enumerate(axes[:, 0]):
        ax.set_title(_row_title(result, phase), fontsize="medium")
    colours = _element_colours(result)
    for phase, row in enumerate(axes):
        if with_map:
            _draw_abundance(row[0], result, phase)
        _draw_spectrum(row[-2], result, phase, colours)
        _draw_composition(row[-1], result, phase, colours)
    axes[0, -1].set_title("atomic percent")
    axes[-1, -2].set_xlabel(_energy_label(result))
    return figure


def _row_title(result: PhysicsNMFResult, phase: int) -> str:
    percent = 100 * result.area_fractions[phase]
    return f"phase {phase}: {percent:.1f} % of the area"


def _element_colours(result: PhysicsNMFResult) -> dict[str, Any]:
    import matplotlib as mpl

    colours = mpl.colormaps["tab20"].colors
    order = [*colours[::2], *colours[1::2]]
    return {e: order[i % len(order)] for i, e in enumerate(result.elements)}


def _draw_abundance(ax: Axes, result: PhysicsNMFResult, phase: int) -> None:
    values = result.abundances.data[phase]
    if values.ndim == 1:
        _draw_profile(ax, result, values)
    else:
        _draw_map(ax, result, values)


def _draw_profile(ax: Axes, result: PhysicsNMFResult, values: np.ndarray) -> None:
    axis = result.abundances.axes_manager.signal_axes[0]
    ax.plot(axis.axis, values, drawstyle="steps-mid", color="0.2")
    ax.set(xlabel=_label(axis, "position"), ylabel="abundance", ylim=(-0.02, 1.02))


def _draw_map(ax: Axes, result: PhysicsNMFResult, values: np.ndarray) -> None:
    """Draw the last two dimensions, and the mean over those before them."""
    while values.ndim > 2:
        values = np.nanmean(values, axis=0)
    x, y = result.abundances.axes_manager.signal_axes[:2]
    image = ax.imshow(
        values, vmin=0, vmax=1, cmap="viridis", extent=_extent(x, y), aspect="equal"
    )
    ax.set(xlabel=_label(x, "x"), ylabel=_label(y, "y"))
    ax.figure.colorbar(image, ax=ax, label="abundance", shrink=0.9)


def _extent(x: Any, y: Any) -> tuple[float, float, float, float]:
    half_x, half_y = _half_step(x), _half_step(y)
    return (
        x.axis[0] - half_x,
        x.axis[-1] + half_x,
        y.axis[-1] + half_y,
        y.axis[0] - half_y,
    )


def _half_step(axis: Any) -> float:
    if axis.size == 1:
        return 0.5 * getattr(axis, "scale", 1.0)
    return 0.5 * (axis.axis[-1] - axis.axis[0]) / (axis.size - 1)


def _draw_spectrum(
    ax: Axes, result: PhysicsNMFResult, phase: int, colours: dict[str, Any]
) -> None:
    energy = result.spectra.axes_manager.signal_axes[0].axis
    total = result.spectra.data[phase]
    continuum = result.continuum.data[phase]
    ax.fill_between(energy, total, color="0.85", lw=0)
    ax.plot(energy, continuum, color="0.4", lw=1, ls="--", label="continuum")
    ax.plot(energy, total, color="0.2", lw=0.8, label="total")
    for element, spectra in result.element_spectra.items():
        part = spectra.data[phase]
        ax.fill_between(energy, part, color=colours[element], alpha=0.7, lw=0)
    ax.set_xlim(*_energies_shown(result, energy))
    ax.set_ylim(0, 1.3 * max(total.max(), np.finfo(float).tiny))
    ax.set_ylabel("counts per pixel")
    if phase == 0:
        ax.legend(fontsize="small", frameon=False)
    _label_peaks(ax, result, phase, colours)


def _label_peaks(
    ax: Axes, result: PhysicsNMFResult, phase: int, colours: dict[str, Any]
) -> None:
    """Name each column's peak; where two are close, the lower one higher up."""
    energy = result.spectra.axes_manager.signal_axes[0].axis
    total = result.spectra.data[phase]
    low, high = ax.get_xlim()
    labels: list[tuple[float, float, str]] = []
    for height, position, element in _peaks(result, phase, energy):
        if height < _SMALLEST_PEAK * total.max() or not low < position < high:
            continue
        top = float(np.interp(position, energy, total))
        close = [y for x, y, _ in labels if abs(x - position) < _CLOSE * (high - low)]
        if close and element in [e for *_, e in labels]:
            continue
        labels.append((position, top, element))
        ax.annotate(
            element,
            (position, max([top, *close])),
            xytext=(0, 3 + 11 * len(close)),
            textcoords="offset points",
            ha="center",
            color=colours[element],
            fontweight="bold",
        )


def _peaks(
    result: PhysicsNMFResult, phase: int, energy: np.ndarray
) -> list[tuple[float, float, str]]:
    """Return height, energy and element of each column's peak, highest first."""
    counts = result.g_matrix.matrix * result.factorization.weights[:, phase]
    peaks = [
        (float(spectrum.max()), float(energy[spectrum.argmax()]), column.element)
        for column, spectrum in zip(result.g_matrix.columns, counts.T, strict=True)
        if column.kind == "element"
    ]
    return sorted(peaks, reverse=True)


def _energies_shown(
    result: PhysicsNMFResult, energy: np.ndarray
) -> tuple[float, float]:
    """From zero to beyond the last channel that holds a visible share of a phase."""
    spectra = result.spectra.data
    heights = spectra.max(axis=1, keepdims=True)
    seen = (spectra > 0.5 * _SMALLEST_PEAK * heights).any(axis=0)
    last = energy[seen].max() if seen.any() else energy[-1]
    low = max(0.0, energy[0])
    return low, min(energy[-1], low + 1.08 * (last - low))


def _draw_composition(
    ax: Axes, result: PhysicsNMFResult, phase: int, colours: dict[str, Any]
) -> None:
    values = np.array([c.data[phase] for c in result.concentrations])
    errors = [None] * values.size
    if result.concentration_errors is not None:
        errors = [float(e.data[phase]) for e in result.concentration_errors]
    rows = np.arange(values.size)
    ax.barh(
        rows,
        values,
        xerr=None if None in errors else errors,
        color=[colours[e] for e in result.elements],
        error_kw={"lw": 1},
    )
    for row, value, error in zip(rows, values, errors, strict=True):
        ax.text(102, row, percent_with_error(value, error), va="center", fontsize=8)
    ax.set_yticks(rows, result.elements)
    ax.set(xlim=(0, 150), ylim=(values.size - 0.5, -0.5))
    ax.set_xticks([0, 50, 100])
    ax.spines[["top", "right"]].set_visible(False)


def _energy_label(result: PhysicsNMFResult) -> str:
    return _label(result.spectra.axes_manager.signal_axes[0], "energy")


def _label(axis: Any, otherwise: str) -> str:
    name = str(axis.name) if str(axis.name) != "<undefined>" else otherwise
    units = "" if str(axis.units) == "<undefined>" else str(axis.units)
    return f"{name} ({units})" if units else name
