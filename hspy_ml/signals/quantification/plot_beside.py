# SPDX-License-Identifier: GPL-3.0-or-later
"""Two quantifications of the same signal in one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import QuantificationResult

_HIGHEST_SHARE = 99.5  # percentile of a map at which its colours end


def plot_beside(
    first: QuantificationResult, second: QuantificationResult, kwargs: dict[str, Any]
) -> Figure:
    """Maps of both in the same colours, or profiles or bars with errors.

    Parameters
    ----------
    first, second : QuantificationResult
        Of the same elements, units and pixels.
    kwargs : dict
        Given to ``matplotlib.pyplot.figure``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        If they cannot be compared, or have more than two navigation axes.
    """
    _check_alike(first, second)
    shape = [n for n in first.frame.map_shape if n > 1]
    if len(shape) == 2:
        return _maps(first, second, shape, kwargs)
    if len(shape) > 2:
        raise ValueError("`plot` draws maps of two axes at most.")
    return _values(first, second, kwargs)


def _check_alike(first: QuantificationResult, second: Any) -> None:
    from .result import QuantificationResult

    if not isinstance(second, QuantificationResult):
        raise TypeError(
            f"`beside` is {type(second).__name__}; give a result of `ml_quantify`."
        )
    if (
        set(first.elements) != set(second.elements)
        or first.frame.map_shape != second.frame.map_shape
        or first.unit != second.unit
    ):
        raise ValueError(
            "`beside` has other elements, units or pixels; give a result of the same "
            "signal."
        )


def _maps(
    first: QuantificationResult,
    second: QuantificationResult,
    shape: list[int],
    kwargs: dict[str, Any],
) -> Figure:
    import matplotlib.pyplot as plt

    names = first.elements
    size = (2.6 * len(names) + 0.4, 5.2)
    figure = plt.figure(**{"figsize": size, "layout": "constrained", **kwargs})
    grid = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        pair = [r[name].data.reshape(shape) for r in (first, second)]
        highest = np.nanpercentile(np.stack(pair), _HIGHEST_SHARE)
        for row, (values, result) in enumerate(zip(pair, (first, second), strict=True)):
            ax = grid[row, column]
            image = ax.imshow(values, vmin=0, vmax=max(highest, 1e-9))
            ax.set_xticks([])
            ax.set_yticks([])
            if column == 0:
                ax.set_ylabel(result.settings.get("method", ""))
        grid[0, column].set_title(f"{name} ({first.unit})")
        figure.colorbar(image, ax=grid[:, column], shrink=0.7)
    return figure


def _values(
    first: QuantificationResult, second: QuantificationResult, kwargs: dict[str, Any]
) -> Figure:
    """Each element along a line, or of one spectrum, with its errors."""
    import matplotlib.pyplot as plt

    names = first.elements
    size = (2.6 * len(names) + 0.4, 3.2)
    figure = plt.figure(**{"figsize": size, "layout": "constrained", **kwargs})
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for ax, name in zip(axes, names, strict=True):
        for shift, result in zip((-0.1, 0.1), (first, second), strict=True):
            values = result[name].data.ravel()
            errors = result.standard_errors[name].data.ravel()
            label = result.settings.get("method", "")
            places = np.arange(values.size) + shift
            ax.errorbar(places, values, errors, fmt=".", capsize=2, label=label)
        ax.set_title(f"{name} ({first.unit})")
        ax.set_xlabel("pixel")
    axes[0].legend(frameon=False)
    return figure
