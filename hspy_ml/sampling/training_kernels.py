# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to learn from an image that is known, compiled.

``maps`` are those of `choice`; ``places`` are pixels, row * n_columns + column.
"""

from __future__ import annotations

import numba
import numpy as np

from .feature_kernels import describe_pixel

_OPTIONS = {"cache": True, "nogil": True}


@numba.njit(**_OPTIONS)
def describe_places(maps, places, reach, features):
    """Features of each pixel, a row of ``features``."""
    n_columns = maps.labels.shape[1]
    for k in range(places.size):
        row, column = places[k] // n_columns, places[k] % n_columns
        describe_pixel(
            maps.near[row, column],
            maps.labels,
            maps.image,
            row,
            column,
            reach,
            maps.votes,
            features[k],
        )


@numba.njit(**_OPTIONS)
def approximate_reduction(maps, truth, places, c, half_width, reduction):
    """The reduction in distortion of SLADS, from the old reconstruction only.

    Sum over a window of exp(-|r - s|^2 / (2 sigma^2)) where the reconstruction is
    wrong, with sigma = d_1 / c.
    """
    n_rows, n_columns = truth.shape
    for k in range(places.size):
        row, column = places[k] // n_columns, places[k] % n_columns
        dy = np.float64(maps.near[row, column, 0, 0])
        dx = np.float64(maps.near[row, column, 0, 1])
        scale = c * c / (2.0 * (dy * dy + dx * dx))
        total = 0.0
        for y in range(max(row - half_width, 0), min(row + half_width + 1, n_rows)):
            for x in range(
                max(column - half_width, 0), min(column + half_width + 1, n_columns)
            ):
                if maps.image[y, x] != truth[y, x]:
                    square = (y - row) ** 2 + (x - column) ** 2
                    total += np.exp(-scale * square)
        reduction[k] = total
