# SPDX-License-Identifier: GPL-3.0-or-later
"""From the logarithm of a response on a grid of widths to its kernel in channels."""

from __future__ import annotations

import numpy as np

from .profile_grid import ProfileGrid

__all__ = ["kernels_of", "tops_of"]

LOG_FLOOR = float(np.log(1e-14))  # of the top; less makes no difference
_TOP_WITHIN = 0.5  # widths
_TOPS_AGREE = 0.3  # widths
_CONTINUED_OVER = 6  # nodes at either end, whose slope goes on past the grid
_LEAST_POWER = 1.0  # of the distance, by which a tail falls past the grid
_FARTHER = 5.0  # of the scale of the grid: 150 times as far


def tops_of(
    log_response: np.ndarray, grid: ProfileGrid, fitted: np.ndarray
) -> np.ndarray:
    """Where responses are highest.

    Parameters
    ----------
    log_response : ndarray, shape (n, n_nodes)
    grid : ProfileGrid
    fitted : ndarray, shape (n,)
        Tops of the fitted peaks, in widths from the middle node. They are more exact,
        and are taken where the response agrees; NaN for none.

    Returns
    -------
    ndarray, shape (n,)
        In widths from the middle node, by a parabola through three nodes; within half
        a width.
    """
    near = np.abs(grid.nodes) <= _TOP_WITHIN
    first = int(np.argmax(near))
    last = first + int(near.sum()) - 1
    top = first + log_response[:, first : last + 1].argmax(axis=1)
    top = np.clip(top, 1, grid.n_nodes - 2)
    rows = np.arange(len(log_response))
    left, middle, right = (log_response[rows, top + k] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    safe = np.where(bend < 0, bend, -1.0)
    part = np.where(bend < 0, np.clip(0.5 * (left - right) / safe, -0.5, 0.5), 0.0)
    place = grid.linear * np.sinh(grid.step * (top + part - grid.n_side))
    return np.where(np.abs(place - fitted) < _TOPS_AGREE, fitted, place)


def kernels_of(
    log_response: np.ndarray,
    grid: ProfileGrid,
    tops: np.ndarray,
    widths: np.ndarray,
    half_width: int,
) -> np.ndarray:
    """Kernels in channels, with their tops in the middle.

    Parameters
    ----------
    log_response : ndarray, shape (n, n_nodes)
    grid : ProfileGrid
    tops : ndarray, shape (n,)
        In widths from the middle node.
    widths : ndarray, shape (n,)
        Channels of a width.
    half_width : int
        Channels of the kernel on either side of its top.

    Returns
    -------
    ndarray, shape (n, 2 half_width + 1)
        Each sums to one. Between nodes the logarithm is a cubic; past the grid a power
        of the distance goes on.
    """
    from .log_profile_kernels import to_channels

    values, nodes = _continued(log_response, grid)
    slopes = np.gradient(values, axis=1) / np.gradient(nodes)
    kernels = np.empty((len(values), 2 * half_width + 1))
    to_channels(values, slopes, nodes, tops, widths, kernels)
    _average_over_channels(kernels)
    return kernels / kernels.sum(axis=1, keepdims=True)


def _average_over_channels(kernels: np.ndarray) -> None:
    """Means over channels instead of values in their middles, to second order."""
    bend = np.diff(kernels, n=2, axis=1) / 24
    kernels[:, 1:-1] = np.maximum(kernels[:, 1:-1] + bend, 0)


def _continued(
    log_response: np.ndarray, grid: ProfileGrid
) -> tuple[np.ndarray, np.ndarray]:
    """More nodes at either end, as a spectrum may need; and where all nodes are."""
    n_more = int(np.ceil(_FARTHER / grid.step))
    k = np.arange(1, n_more + 1) * grid.step
    sides = []
    for side in (log_response[:, ::-1], log_response):
        before, last = side[:, -1 - _CONTINUED_OVER], side[:, -1]
        slope = (last - before) / (_CONTINUED_OVER * grid.step)
        sides.append(last[:, None] + np.minimum(slope, -_LEAST_POWER)[:, None] * k)
    inner = np.maximum(log_response, LOG_FLOOR)
    longer = ProfileGrid(grid.n_side + n_more, grid.linear, grid.step)
    return np.hstack([sides[0][:, ::-1], inner, sides[1]]), longer.nodes
