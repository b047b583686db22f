# SPDX-License-Identifier: GPL-3.0-or-later
"""A quantification as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .result import QuantificationResult

_MAPS_IN_A_ROW = 4
_LOWEST_SHARE_DRAWN = 1e-6
_MARGIN = 0.02


def plot(result: QuantificationResult, **kwargs: Any) -> Figure:
    """Maps of all elements, profiles along a line, or a spectrum with its fit.

    Parameters
    ----------
    result : QuantificationResult
    **kwargs
        Given to ``matplotlib.pyplot.figure``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than two navigation axes.
    """
    n_axes = len([n for n in result.frame.map_shape if n > 1])
    if n_axes > 2:
        raise ValueError(
            f"`plot` draws maps of two axes at most, and the result has {n_axes}; take "
            "one of them, such as `result[0].inav[..., 0].plot()`."
        )
    return (_plot_single, _plot_profile, _plot_maps)[n_axes](result, kwargs)


def _figure(kwargs: dict[str, Any], size: tuple[float, float]) -> Figure:
    import matplotlib.pyplot as plt

    return plt.figure(**{"figsize": size, "layout": "constrained", **kwargs})


def _plot_single(result: QuantificationResult, kwargs: dict[str, Any]) -> Figure:
    figure = _figure(kwargs, (10, 4))
    spectrum, bars = figure.subplots(1, 2, width_ratios=(3, 1.2))
    _draw_fit(result, spectrum)
    places = np.arange(len(result.elements))
    values, errors = result.arrays.composition[0], result.arrays.errors[0]
    bars.barh(places, values, xerr=errors, color="0.7", ecolor="k", capsize=2)
    bars.set_yticks(places, result.elements)
    bars.invert_yaxis()
    bars.set_xlabel(result.unit)
    for place, value in zip(places, values, strict=True):
        bars.annotate(
            f"{value:.2f}",
            (value, place),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    bars.margins(x=0.25)
    return figure


def _draw_fit(result: QuantificationResult, ax: Axes) -> None:
    axis = result.frame.energy_axis
    energy = axis.get("offset", 0) + axis.get("scale", 1) * np.arange(axis["size"])
    observed, fitted = result.arrays.observed, result.arrays.fitted
    ax.step(energy, observed, where="mid", color="0.6", lw=1, label="counts")
    ax.plot(energy, fitted, color="C3", lw=1, label="fit")
    positive = fitted[np.isfinite(fitted) & (fitted > 0)]
    if positive.size:
        lowest = max(0.5, _LOWEST_SHARE_DRAWN * positive.max())
        ax.set_yscale("log")
        ax.set_ylim(bottom=max(lowest, 0.5 * positive.min()))
    used = np.flatnonzero(np.isfinite(fitted))
    if used.size:
        margin = _MARGIN * (energy[used[-1]] - energy[used[0]])
        ax.set_xlim(energy[used[0]] - margin, energy[used[-1]] + margin)
    ax.set_xlabel(f"Energy ({axis.get('units', '')})")
    ax.set_ylabel("Counts")
    ax.legend(frameon=False)


def _plot_profile(result: QuantificationResult, kwargs: dict[str, Any]) -> Figure:
    figure = _figure(kwargs, (7, 4))
    ax = figure.subplots()
    axis = next(a for a in result.frame.map_axes if a["size"] > 1)
    place = axis.get("offset", 0) + axis.get("scale", 1) * np.arange(axis["size"])
    for index, element in enumerate(result.elements):
        value = result.arrays.composition[:, index]
        error = result.arrays.errors[:, index]
        (line,) = ax.plot(place, value, label=element)
        low, high = value - error, value + error
        ax.fill_between(place, low, high, color=line.get_color(), alpha=0.2, lw=0)
    ax.set_xlabel(f"{axis.get('name', 'Position')} ({axis.get('units', 'pixel')})")
    ax.set_ylabel(result.unit)
    ax.legend(frameon=False)
    return figure


def _plot_maps(result: QuantificationResult, kwargs: dict[str, Any]) -> Figure:
    panels = [
        *zip(result.elements, result.arrays.composition.T, strict=True),
        ("goodness of fit", result.arrays.goodness),
    ]
    n_columns = min(_MAPS_IN_A_ROW, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = _figure(kwargs, (3.0 * n_columns, 2.7 * n_rows))
    grid = np.ravel(figure.subplots(n_rows, n_columns, squeeze=False))
    shape = [n for n in result.frame.map_shape if n > 1]
    for ax, (name, values) in zip(grid, panels, strict=False):
        is_element = name in result.elements
        image = ax.imshow(
            values.reshape(shape), cmap="viridis" if is_element else "magma"
        )
        ax.set_title(f"{name} ({result.unit})" if is_element else name)
        ax.set_xticks([])
        ax.set_yticks([])
        figure.colorbar(image, ax=ax, shrink=0.85)
    for ax in grid[len(panels) :]:
        ax.axis("off")
    return figure
