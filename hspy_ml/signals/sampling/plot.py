# SPDX-License-Identifier: GPL-3.0-or-later
"""A replay of an acquisition as a series of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..classification.plot import draw_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .result import SamplingResult

__all__ = ["after", "draw_measurements", "plot"]


def plot(result: SamplingResult, n_steps: int = 3, **kwargs: Any) -> Figure:
    """Reconstructions on the way, the whole map, and the distortion.

    Parameters
    ----------
    result : SamplingResult
    n_steps : int, default 3
        Reconstructions, the last of them the outcome.
    **kwargs
        Given to ``matplotlib.pyplot.figure``.

    Returns
    -------
    matplotlib.figure.Figure
        Above, where was measured; below, what was made of it.

    Raises
    ------
    ValueError
        If `n_steps` is no whole number of 1 or more.
    """
    import matplotlib.pyplot as plt

    if isinstance(n_steps, bool) or not isinstance(n_steps, int) or n_steps < 1:
        raise ValueError(f"`n_steps` is {n_steps!r}; give a whole number, 1 or more.")
    options = {"figsize": (2.7 * (n_steps + 1) + 0.6, 5.8), "layout": "constrained"}
    figure = plt.figure(**{**options, **kwargs})
    axes = figure.subplots(2, n_steps + 1)
    for column, n_measured in enumerate(_stages(result.n_measured, n_steps)):
        draw_measurements(axes[0, column], result, n_measured)
        share = 100 * n_measured / result.arrays.reconstruction.size
        axes[0, column].set_title(f"{share:.3g} % measured", fontsize="medium")
        image = after(result, n_measured)
        draw_labels(axes[1, column], image, result.names, legend=False)
        axes[1, column].set_title(_error_in_words(result, image), fontsize="medium")
    _draw_distortion(axes[0, -1], result)
    draw_labels(axes[1, -1], result.arrays.full_labels, result.names)
    axes[1, -1].set_title("whole map", fontsize="medium")
    return figure


def after(result: SamplingResult, n_measured: int) -> np.ndarray:
    """The reconstruction from the first measurements.

    Parameters
    ----------
    result : SamplingResult
    n_measured : int

    Returns
    -------
    ndarray of int, shape (n_rows, n_columns)
        All 0 if none of them is of a known phase.
    """
    from ...sampling.reconstruction import reconstruct

    arrays = result.arrays
    if n_measured >= result.n_measured:
        return arrays.reconstruction
    known = arrays.measured_labels[:n_measured] > 0
    if not known.any():
        return np.zeros_like(arrays.reconstruction)
    return reconstruct(
        arrays.reconstruction.shape,
        arrays.positions[:n_measured][known],
        arrays.measured_labels[:n_measured][known],
    )


def draw_measurements(ax: Axes, result: SamplingResult, n_measured: int) -> None:
    """Mark the pixels that were measured so far.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    result : SamplingResult
    n_measured : int
    """
    measured = np.full(result.arrays.reconstruction.shape, -1)
    places = tuple(result.arrays.positions[:n_measured].T)
    measured[places] = result.arrays.measured_labels[:n_measured]
    draw_labels(ax, measured, result.names, legend=False)


def _stages(n_measured: int, n_steps: int) -> list[int]:
    """From a tenth of the measurements to all, in equal ratios."""
    if n_steps == 1:
        return [n_measured]
    shares = np.geomspace(0.1, 1.0, n_steps)
    return [max(1, round(share * n_measured)) for share in shares]


def _error_in_words(result: SamplingResult, image: np.ndarray) -> str:
    compared = result.arrays.full_labels > 0
    wrong = (image != result.arrays.full_labels)[compared]
    return f"{100 * wrong.mean():.3g} % wrong" if wrong.size else "reconstruction"


def _draw_distortion(ax: Axes, result: SamplingResult) -> None:
    arrays = result.arrays
    measured = 100 * arrays.history_measured / arrays.reconstruction.size
    floor = 0.5 / arrays.reconstruction.size
    estimate, low, high = 100 * np.maximum(arrays.history_estimate, floor).T
    ax.fill_between(measured, low, high, color="C0", alpha=0.2, lw=0)
    ax.plot(measured, estimate, color="C0", label="estimated")
    truth = 100 * np.maximum(arrays.history_distortion, floor)
    ax.plot(measured, truth, color="k", lw=1, label="against the whole map")
    ax.set_yscale("log")
    ax.set_xlabel("pixels measured (%)")
    ax.set_title("wrong labels (%)", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
