# SPDX-License-Identifier: GPL-3.0-or-later
"""A classification as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .confusion import NO_PHASE_NAME

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .result import ClassificationResult

__all__ = ["draw_labels", "phase_colours", "plot"]

_NOT_SEEN = "0.85"
_NO_PHASE = "black"
_LOWEST_SHARE_DRAWN = 1e-4


def plot(result: ClassificationResult, **kwargs: Any) -> Figure:
    """Map of phases, confidence and mean spectra.

    Parameters
    ----------
    result : ClassificationResult
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
            f"`plot` draws maps of two axes at most, and the result has {n_axes}; plot "
            "a part of `result.labels`, such as `result.labels.inav[..., 0].plot()`."
        )
    if n_axes == 0:
        figure = _figure(kwargs, (7, 3.5))
        _draw_spectra(result, figure.subplots())
        return figure
    figure = _figure(kwargs, (12, 3.8))
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.6))
    if n_axes == 1:
        _draw_line(result, axes[0], axes[1])
    else:
        _draw_maps(result, axes[0], axes[1])
    _draw_spectra(result, axes[2])
    return figure


def phase_colours(n_phases: int) -> list[Any]:
    """Colours of the labels from 0: black for none, then those of the phases.

    Parameters
    ----------
    n_phases : int

    Returns
    -------
    list of colour
    """
    import matplotlib as mpl

    cycle = mpl.colormaps["tab10" if n_phases <= 10 else "tab20"].colors
    return [_NO_PHASE, *(cycle[i % len(cycle)] for i in range(n_phases))]


def draw_labels(
    ax: Axes, labels: np.ndarray, names: Sequence[str], legend: bool = True
) -> None:
    """Draw a map of labels.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    labels : ndarray of int, shape (n_rows, n_columns)
        0 for no phase; negative where nothing is to be drawn.
    names : sequence of str
        Of the labels from 1.
    legend : bool, default True
        Whether the phases that occur are named below the map.
    """
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    colours = phase_colours(len(names))
    table = np.array([to_rgba(c) for c in [*colours, _NOT_SEEN]])
    ax.imshow(table[labels], interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    if not legend:
        return
    shown = [(0, NO_PHASE_NAME), *enumerate(names, start=1)]
    handles = [
        Patch(color=colours[label], label=name)
        for label, name in shown
        if (labels == label).any()
    ]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.02),
        ncols=min(3, len(handles)),
        frameon=False,
        fontsize="small",
    )


def _figure(kwargs: dict[str, Any], size: tuple[float, float]) -> Figure:
    import matplotlib.pyplot as plt

    return plt.figure(**{"figsize": size, "layout": "constrained", **kwargs})


def _shown_labels(result: ClassificationResult) -> np.ndarray:
    return np.where(result.is_classified, result.label_array, -1)


def _draw_maps(result: ClassificationResult, left: Axes, right: Axes) -> None:
    shape = [n for n in result.frame.map_shape if n > 1]
    draw_labels(left, _shown_labels(result).reshape(shape), result.names)
    left.set_title("phases")
    image = right.imshow(
        result.confidence.data.reshape(shape), cmap="viridis", interpolation="nearest"
    )
    right.set(xticks=[], yticks=[], title="confidence")
    right.figure.colorbar(image, ax=right, shrink=0.85)


def _draw_line(result: ClassificationResult, left: Axes, right: Axes) -> None:
    axis = next(a for a in result.frame.map_axes if a["size"] > 1)
    place = axis.get("offset", 0) + axis.get("scale", 1) * np.arange(axis["size"])
    colours = phase_colours(result.n_phases)
    labels = result.label_array
    for label, name in enumerate((NO_PHASE_NAME, *result.names)):
        here = result.is_classified & (labels == label)
        if here.any():
            left.plot(place[here], labels[here], "s", color=colours[label], label=name)
    names = (NO_PHASE_NAME, *result.names)
    left.set_yticks(range(len(names)), names)
    right.plot(place, result.confidence.data.ravel(), ".", color="0.3")
    right.set_title("confidence")
    for ax in (left, right):
        ax.set_xlabel(f"{axis.get('name', 'Position')} ({axis.get('units', 'pixel')})")


def _draw_spectra(result: ClassificationResult, ax: Axes) -> None:
    axis = result.frame.energy_axis
    energy = axis.get("offset", 0) + axis.get("scale", 1) * np.arange(axis["size"])
    colours = phase_colours(result.n_phases)
    highest = 0.0
    for label, name in enumerate((NO_PHASE_NAME, *result.names)):
        spectrum = result.arrays.mean_spectra[label]
        if not spectrum.any():
            continue
        highest = max(highest, spectrum.max())
        ax.step(energy, spectrum, where="mid", lw=1, color=colours[label], label=name)
    if highest > 0:
        ax.set_yscale("log")
        ax.set_ylim(_LOWEST_SHARE_DRAWN * highest, 2 * highest)
        ax.legend(frameon=False, fontsize="small")
    ax.set_xlim(max(energy[0], 0.0), energy[-1])
    ax.set(xlabel=f"Energy ({axis.get('units', '')})", ylabel="mean counts per pixel")
