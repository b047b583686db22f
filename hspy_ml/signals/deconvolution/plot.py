# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a deconvolved signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .report import DeconvolutionReport

__all__ = ["plot_report"]

_MEASURED, _FOUND = "0.6", "C0"


def plot_report(
    report: DeconvolutionReport, measured: Any, index: tuple[int, ...] | None
) -> Figure:
    """Draw a spectrum beside what was measured, and maps of how well it went.

    Parameters
    ----------
    report : DeconvolutionReport
    measured : signal or None
    index : tuple of int or None

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib.pyplot as plt

    maps = report.signal.axes_manager.navigation_dimension == 2
    columns = [3, 1, 1] if maps else [1]
    figure, axes = plt.subplots(
        1,
        len(columns),
        figsize=(4 + 2.2 * sum(columns), 4),
        width_ratios=columns,
        squeeze=False,
        constrained_layout=True,
    )
    _draw_spectrum(axes[0, 0], report, measured, index)
    if maps:
        _draw_map(axes[0, 1], report.deviance, "reduced deviance")
        _draw_map(axes[0, 2], report.flagged, "flagged")
    return figure


def _draw_spectrum(
    axes: Axes, report: DeconvolutionReport, measured: Any, index: Any
) -> None:
    energy = report.signal.axes_manager.signal_axes[0]
    found = _one(report.signal, index)
    errors = _one(report.standard_errors, index)
    if measured is not None:
        own = measured.axes_manager.signal_axes[0]
        axes.step(own.axis, _one(measured, index), _MEASURED, where="mid", lw=0.8)
        axes.lines[-1].set_label("measured")
    low, high = found - errors, found + errors
    axes.fill_between(energy.axis, low.clip(0), high, color=_FOUND, alpha=0.3, lw=0)
    axes.plot(energy.axis, found, _FOUND, lw=1.2, label=report.method)
    axes.set_ylim(0, _highest_loss(energy.axis, found, errors))
    axes.set_xlabel(f"Energy ({energy.units})")
    axes.set_ylabel("counts")
    axes.set_title(report.signal.metadata.General.title, fontsize=10)
    axes.legend(frameon=False, fontsize=9)


def _highest_loss(energy: np.ndarray, found: np.ndarray, errors: np.ndarray) -> float:
    """Top of the losses: the zero-loss line would hide them."""
    top = float(np.nanmax(found))
    peak = int(np.nanargmax(found))
    reach = peak
    while reach + 1 < found.size and found[reach + 1] < found[reach]:
        reach += 1
    beyond = (found + errors)[reach:]
    is_zero_loss = abs(energy[peak]) < 3 * (energy[1] - energy[0])
    if not is_zero_loss or not beyond.size or not np.nanmax(beyond) > 0:
        return 1.05 * top
    return 1.15 * float(np.nanmax(beyond))


def _one(signal: Any, index: Any) -> np.ndarray:
    """Data of one spectrum."""
    if signal.axes_manager.navigation_dimension:
        index = index if index is not None else signal.axes_manager.indices
        signal = signal.inav[tuple(np.atleast_1d(index))]
    return np.asarray(signal.data, float).ravel()


def _draw_map(axes: Axes, quantity: Any, title: str) -> None:
    image = axes.imshow(np.asarray(quantity.data, float))
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()
    axes.figure.colorbar(image, ax=axes, shrink=0.7)
