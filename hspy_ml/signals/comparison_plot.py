# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure of a comparison: maps, spectra and compositions beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .peak_labels import draw_peak_labels, peaks_of_elements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..physics.gmatrix import GMatrix
    from .comparison import Comparison

#: Colours that are told apart by the colour-blind (Okabe and Ito).
PHASE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, FAINT = "#222222", "#8a8a8a"
ENERGIES_KEV = (0.22, 10.6)
PERCENT_TICKS = (0, 1, 5, 10, 20, 40, 60)
STYLE = {
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.labelsize": 12,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def plot_comparison(
    comparison: Comparison, counts: Any, g_matrix: GMatrix, subtitle: str = ""
) -> Figure:
    """Draw what was measured, and what was found beside the truth.

    Parameters
    ----------
    comparison : Comparison
    counts : EDSTEMSpectrum
        The simulated image.
    g_matrix : GMatrix
        Says where the peaks of the elements are.
    subtitle : str, optional
        Below the title.

    Returns
    -------
    matplotlib.figure.Figure
        The image and one pixel of it on top; below, a row for each phase.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    n_phases = len(comparison.truth.phases)
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=(17, 2.9 + 2.75 * n_phases), layout="constrained")
        grid = figure.add_gridspec(
            n_phases + 1,
            4,
            width_ratios=[0.88, 0.88, 2.3, 1.95],
            height_ratios=[0.8] + [1] * n_phases,
        )
        _draw_measurement(figure, grid, counts, comparison)
        for phase in range(n_phases):
            axes = [figure.add_subplot(grid[phase + 1, i]) for i in range(4)]
            _draw_phase(axes, comparison, g_matrix, phase)
            if phase == 0:
                axes[0].set_title("true abundance")
                axes[1].set_title("abundance found")
                axes[2].set_title("spectrum found, true one dashed (counts per pixel)")
                axes[3].set_title("composition found, true one as bars (at.%)")
        _write_titles(figure, comparison, counts, subtitle)
    return figure


def _write_titles(
    figure: Figure, comparison: Comparison, counts: Any, subtitle: str
) -> None:
    n = len(comparison.truth.phases)
    mean = counts.data.sum() / counts.axes_manager.navigation_size
    figure.suptitle(
        f"{n} phases and their compositions, from {mean:.0f} counts per pixel",
        fontsize=21,
        fontweight="bold",
        x=0.012,
        ha="left",
    )
    figure.text(0.988, 0.985, subtitle, ha="right", va="top", fontsize=12, color=FAINT)


def _draw_measurement(
    figure: Figure, grid: Any, counts: Any, comparison: Comparison
) -> None:
    total = counts.data.sum(axis=-1, dtype=np.int64)
    ax = figure.add_subplot(grid[0, 0])
    image = ax.imshow(total, cmap="gray")
    ax.set_title("what is measured: counts")
    _hide_ticks(ax)
    _scale_bar(ax, counts)
    figure.colorbar(image, ax=ax, shrink=0.9, aspect=14)
    row, column = _typical_pixel(total)
    ax.plot(column, row, "s", ms=9, mfc="none", mec="#F0E442", mew=2)
    _draw_pixel(
        figure.add_subplot(grid[0, 1:3]), counts, row, column, total[row, column]
    )
    _write_scores(figure.add_subplot(grid[0, 3]), comparison)


def _typical_pixel(total: np.ndarray) -> tuple[int, int]:
    """The pixel in the middle third whose counts are nearest to the mean."""
    rows, columns = (np.arange(n // 3, n - n // 3) for n in total.shape)
    middle = total[np.ix_(rows, columns)]
    at = np.unravel_index(np.abs(middle - total.mean()).argmin(), middle.shape)
    return int(rows[at[0]]), int(columns[at[1]])


def _draw_pixel(ax: Axes, counts: Any, row: int, column: int, total: int) -> None:
    energy = counts.axes_manager.signal_axes[0].axis
    spectrum = counts.data[row, column]
    seen = spectrum > 0
    ax.vlines(energy[seen], 0, spectrum[seen], color=INK, lw=1.2)
    ax.set_title(f"one pixel of it, {total} counts")
    ax.set_ylim(0, 1.15 * spectrum.max())
    ax.yaxis.get_major_locator().set_params(integer=True)
    _energy_axis(ax)


def _write_scores(ax: Axes, comparison: Comparison) -> None:
    ax.axis("off")
    lines = [
        (f"{comparison.atomic_percent_deviation:.2f} at.%", "mean error, compositions"),
        (f"{comparison.spectral_angles.mean():.1f}°", "mean error, spectra"),
        (f"{100 * comparison.normalised_errors.mean():.1f} %", "mean NMSE, maps"),
    ]
    for index, (value, meaning) in enumerate(lines):
        y = 0.80 - 0.34 * index
        ax.text(0.40, y, value, fontsize=20, fontweight="bold", ha="right", va="center")
        ax.text(0.45, y, meaning, fontsize=13, va="center")


def _draw_phase(
    axes: list[Axes], comparison: Comparison, g_matrix: GMatrix, phase: int
) -> None:
    colour = PHASE_COLOURS[phase % len(PHASE_COLOURS)]
    _draw_maps(axes[:2], comparison, phase, colour)
    _draw_spectrum(axes[2], comparison, g_matrix, phase, colour)
    _draw_composition(axes[3], comparison, phase, colour)
    axes[0].set_ylabel(
        comparison.truth.phases[phase], fontsize=15, fontweight="bold", color=colour
    )


def _draw_maps(
    axes: list[Axes], comparison: Comparison, phase: int, colour: str
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    true = comparison.truth.abundances[..., phase]
    cmap = LinearSegmentedColormap.from_list("phase", ["white", colour, "black"])
    low = np.floor(10 * true.min() + 1e-6) / 10
    high = np.ceil(10 * true.max() - 1e-6) / 10
    for ax, values in zip(axes, (true, comparison.abundances[..., phase]), strict=True):
        image = ax.imshow(values, cmap=cmap, vmin=low, vmax=high)
        _hide_ticks(ax)
    axes[1].figure.colorbar(image, ax=axes, shrink=0.95, aspect=16, pad=0.02)


def _hide_ticks(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _scale_bar(ax: Axes, counts: Any) -> None:
    """A white bar of about a quarter of the width."""
    axis = counts.axes_manager.navigation_axes[0]
    quarter = 0.25 * axis.size * axis.scale
    power = 10 ** np.floor(np.log10(quarter))
    length = power * max(n for n in (1, 2, 5) if n * power <= quarter)
    n_rows = counts.data.shape[0]
    start, y = 0.05 * axis.size, 0.93 * n_rows
    ax.plot([start, start + length / axis.scale], [y, y], color="white", lw=4)
    ax.text(
        start,
        y - 0.03 * n_rows,
        f"{length:g} {axis.units}",
        color="white",
        fontweight="bold",
        va="bottom",
    )


def _draw_spectrum(
    ax: Axes, comparison: Comparison, g_matrix: GMatrix, phase: int, colour: str
) -> None:
    energy = g_matrix.acquisition.energy
    found, true = comparison.spectra[phase], comparison.truth.spectra[phase]
    ax.fill_between(energy, found, color=colour, alpha=0.3, lw=0)
    ax.plot(energy, found, color=colour, lw=2)
    ax.plot(energy, true, color=INK, lw=1, ls=(0, (2, 1.5)))
    shown = (energy > ENERGIES_KEV[0]) & (energy < ENERGIES_KEV[1])
    ax.set_yscale("log")
    top = true[shown].max()
    ax.set_ylim(0.5 * true[shown].min(), 30 * top)
    _energy_axis(ax)
    peaks = peaks_of_elements(g_matrix, comparison.truth.weights[:, phase])
    draw_peak_labels(ax, peaks, energy, true)


def _energy_axis(ax: Axes) -> None:
    ax.set_xscale("log")
    ax.set_xlim(*ENERGIES_KEV)
    ticks = [0.3, 0.5, 1, 2, 3, 5, 10]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("energy (keV)", labelpad=1)


def _draw_composition(
    ax: Axes, comparison: Comparison, phase: int, colour: str
) -> None:
    """Bars: the truth. Points with standard errors: what was found.

    The axis is that of the square root, on which traces are seen beside oxygen.
    """
    elements = comparison.truth.elements
    true = comparison.truth.atomic_percent[phase]
    found = comparison.atomic_percent[phase]
    errors = comparison.atomic_percent_errors[phase]
    highest = np.maximum(true, found + np.nan_to_num(errors)).max()
    at = np.arange(len(elements))
    ax.bar(at, true, width=0.75, color=colour, alpha=0.4)
    points = ax.errorbar(
        at,
        found,
        yerr=[np.minimum(errors, found), errors],
        fmt="o",
        ms=4.5,
        color=INK,
        elinewidth=1.6,
        capsize=4,
        clip_on=False,
    )
    for part in (*points[1], *points[2]):
        part.set_clip_on(False)
    ax.set_yscale("function", functions=(_root, np.square))
    ax.set_yticks(PERCENT_TICKS)
    ax.set_ylim(0, 1.1 * highest)
    ax.set_xticks(at, elements)
    ax.set_xlim(-0.7, len(elements) - 0.3)
    ax.tick_params(axis="x", length=0, pad=8)
    ax.grid(axis="y", color="#e4e4e4")
    ax.set_axisbelow(True)


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(values, 0))
