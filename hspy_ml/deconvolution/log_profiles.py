# SPDX-License-Identifier: GPL-3.0-or-later
"""From the logarithm of a response on a grid of widths to its kernel in channels."""

from __future__ import annotations

import numpy as np

from .profile_grid import ProfileGrid

__all__ = ["kernels_of", "tops_of"]

LOG_FLOOR = float(np.log(1e-14))  # of the top; less makes no difference
_TOP_WITHIN = 0.5  # widths
_TOPS_AGREE = 0.05  # widths
_CONTINUED_OVER = 6  # nodes at either end, whose slope goes on past the grid
_LEAST_POWER = 1.0  # of the distance, by which a tail falls past the grid
_SPECTRA_AT_A_TIME = 64


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
        and are taken where the response agrees.

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
    offset = np.arange(-half_width, half_width + 1.0)
    padded = _continued(log_response, grid)
    kernels = np.empty((len(log_response), offset.size))
    for first in range(0, len(kernels), _SPECTRA_AT_A_TIME):
        some = slice(first, first + _SPECTRA_AT_A_TIME)
        distance = offset / widths[some, None] + tops[some, None]
        number = grid.number(distance) + (padded.shape[1] - grid.n_nodes) // 2
        kernels[some] = np.exp(_cubic(padded[some], number))
    _average_over_channels(kernels)
    return kernels / kernels.sum(axis=1, keepdims=True)


def _average_over_channels(kernels: np.ndarray) -> None:
    """Means over channels instead of values in their middles, to second order."""
    bend = np.diff(kernels, n=2, axis=1) / 24
    kernels[:, 1:-1] = np.maximum(kernels[:, 1:-1] + bend, 0)


def _continued(log_response: np.ndarray, grid: ProfileGrid) -> np.ndarray:
    """As many nodes more at either end as a spectrum may need."""
    n_more = int(np.ceil(5.0 / grid.step))  # 150 times as far
    k = np.arange(1, n_more + 1) * grid.step
    sides = []
    for side in (log_response[:, ::-1], log_response):
        before, last = side[:, -1 - _CONTINUED_OVER], side[:, -1]
        slope = (last - before) / (_CONTINUED_OVER * grid.step)
        sides.append(last[:, None] + np.minimum(slope, -_LEAST_POWER)[:, None] * k)
    return np.hstack([sides[0][:, ::-1], np.maximum(log_response, LOG_FLOOR), sides[1]])


def _cubic(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Values between nodes by the cubic of Catmull and Rom."""
    left = np.clip(number.astype(int), 1, values.shape[1] - 3)
    t = np.clip(number - left, 0.0, 1.0)
    before, here, there, after = (
        np.take_along_axis(values, left + k, axis=1) for k in (-1, 0, 1, 2)
    )
    slope, next_slope = 0.5 * (there - before), 0.5 * (after - here)
    step = there - here
    bent = 3 * step - 2 * slope - next_slope
    return here + t * (slope + t * (bent + t * (slope + next_slope - 2 * step)))
