# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel that takes responses from a grid of widths to channels."""

from __future__ import annotations

import math

import numba

__all__ = ["to_channels"]


@numba.njit(cache=True, nogil=True)
def hermite(values, slopes, nodes, left, x):
    """A cubic between the nodes `left` and the next; `slopes` are by the place."""
    length = nodes[left + 1] - nodes[left]
    t = (x - nodes[left]) / length
    step = values[left + 1] - values[left]
    first, second = slopes[left] * length, slopes[left + 1] * length
    bent = 3.0 * step - 2.0 * first - second
    return values[left] + t * (first + t * (bent + t * (first + second - 2.0 * step)))


@numba.njit(cache=True, nogil=True)
def to_channels(values, slopes, nodes, tops, widths, responses):
    """Exponentials of the values at every channel.

    Parameters
    ----------
    values, slopes : ndarray of float64, shape (n, n_nodes)
        Logarithms of responses, and their derivatives by the place.
    nodes : ndarray of float64, shape (n_nodes,)
        Places, increasing, in widths.
    tops, widths : ndarray of float64, shape (n,)
        Place of the top; channels of a width.
    responses : ndarray of float64, shape (n, 2 m + 1)
        Filled: channel m is at the top.
    """
    n_channels = responses.shape[1]
    last = nodes.size - 2
    for row in range(values.shape[0]):
        left = 0
        for channel in range(n_channels):
            x = tops[row] + (channel - n_channels // 2) / widths[row]
            while left < last and x > nodes[left + 1]:
                left += 1
            responses[row, channel] = math.exp(
                hermite(values[row], slopes[row], nodes, left, x)
            )
