# SPDX-License-Identifier: GPL-3.0-or-later
"""A replay of an acquisition as an animation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..classification.plot import draw_labels
from .plot import after, draw_measurements

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

    from .result import SamplingResult

_INTERVAL_MS = 150


def animate(result: SamplingResult, n_frames: int = 40, **kwargs: Any) -> FuncAnimation:
    """Show where was measured, and what was made of it, step by step.

    Parameters
    ----------
    result : SamplingResult
    n_frames : int, default 40
    **kwargs
        Given to ``matplotlib.pyplot.figure``.

    Returns
    -------
    matplotlib.animation.FuncAnimation

    Raises
    ------
    ValueError
        If `n_frames` is no whole number of 2 or more.
    """
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation

    if isinstance(n_frames, bool) or not isinstance(n_frames, int) or n_frames < 2:
        raise ValueError(f"`n_frames` is {n_frames!r}; give a whole number, 2 or more.")
    figure = plt.figure(**{"figsize": (8, 4.2), "layout": "constrained", **kwargs})
    left, right = figure.subplots(1, 2)
    first = max(1, result.n_measured // n_frames)
    stages = np.unique(np.linspace(first, result.n_measured, n_frames).astype(int))

    def draw(n_measured: int) -> list:
        for ax in (left, right):
            ax.clear()
        draw_measurements(left, result, n_measured)
        draw_labels(right, after(result, n_measured), result.names, legend=False)
        share = 100 * n_measured / result.arrays.reconstruction.size
        left.set_title(f"{share:.2f} % measured")
        right.set_title("reconstruction")
        return []

    return FuncAnimation(
        figure, draw, frames=[int(n) for n in stages], interval=_INTERVAL_MS
    )
