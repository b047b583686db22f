# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of elements over the peaks of a spectrum, without overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..physics.gmatrix import GMatrix

SMALLEST_PEAK = 0.1  # of the spectrum where it stands
ROW = 0.92  # of the height of the axes
DISTANCE = 0.053  # of their width


@dataclass(frozen=True)
class Peak:
    """The highest channel of a column of G.

    Parameters
    ----------
    element : str
        Symbol.
    energy : float
        In the unit of the axis.
    height : float
        Counts.
    """

    element: str
    energy: float
    height: float


def peaks_of_elements(g_matrix: GMatrix, weights: np.ndarray) -> list[Peak]:
    """Find where the columns of a phase's elements are highest.

    Parameters
    ----------
    g_matrix : GMatrix
        With an acquisition.
    weights : ndarray, shape (n_columns,)
        Weights of the columns in the phase.

    Returns
    -------
    list of Peak
        By energy; none for a weight of zero.
    """
    peaks = []
    for column, spectrum in zip(
        g_matrix.columns, (g_matrix.matrix * weights).T, strict=True
    ):
        if column.element and spectrum.any():
            at = spectrum.argmax()
            energy = float(g_matrix.acquisition.energy[at])
            peaks.append(Peak(column.element, energy, float(spectrum[at])))
    return sorted(peaks, key=lambda peak: peak.energy)


def draw_peak_labels(
    ax: Axes, peaks: list[Peak], energy: np.ndarray, spectrum: np.ndarray
) -> None:
    """Write the symbols in a row above the spectrum, with lines down to the peaks.

    Call it when the limits and scales of the axes are set.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    peaks : list of Peak
        By energy. Those that hardly rise from the spectrum, or lie outside, get no
        label.
    energy, spectrum : ndarray, shape (n_channels,)
        What is drawn.
    """
    low, high = ax.get_xlim()
    tops = np.interp([peak.energy for peak in peaks], energy, spectrum)
    seen = [
        (peak, top)
        for peak, top in zip(peaks, tops, strict=True)
        if low < peak.energy < high and peak.height > SMALLEST_PEAK * top
    ]
    if not seen:
        return
    to_axes = ax.transScale + ax.transLimits
    places = to_axes.transform([(peak.energy, top) for peak, top in seen])
    for (peak, _), place, x in zip(seen, places, spread(places[:, 0]), strict=True):
        ax.annotate(
            peak.element,
            xy=(place[0], place[1] + 0.02),
            xytext=(x, ROW),
            xycoords="axes fraction",
            textcoords="axes fraction",
            ha="center",
            va="bottom",
            arrowprops={
                "arrowstyle": "-",
                "color": "0.65",
                "lw": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0.5, 0),
            },
        )


def spread(places: np.ndarray, distance: float = DISTANCE) -> np.ndarray:
    """Move places as little as possible until they keep their distance.

    Least squares under order, on the places less what they must keep between them.

    Parameters
    ----------
    places : ndarray, shape (n,)
        Increasing, from 0 to 1.
    distance : float

    Returns
    -------
    ndarray, shape (n,)
    """
    from scipy.optimize import isotonic_regression

    kept = distance * np.arange(len(places))
    highest = 1 - distance / 2 - kept[-1]
    return np.clip(isotonic_regression(places - kept).x, 0, highest) + kept
