# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that say the same: merged, for sums over all of them.

Neighbouring channels where the columns keep their proportions lose no information if
they are merged; the continuum between the peaks is a few such groups. Errors and the
goodness of fit need sums over all channels, in every pixel, and take a third of the
time over groups. The fit itself is exact.
"""

from __future__ import annotations

import numba
import numpy as np

from .weight_kernels import Columns

__all__ = ["merged_channels"]

# Within a group no column varies by more than this part. Of a column that rises evenly
# by it, a twelfth of its square is lost at most, 0.5 % of the information.
LARGEST_VARIATION = 0.25
# Of a column's largest value; what is smaller may vary.
LOWEST_PART = 1e-6


def merged_channels(matrix: np.ndarray) -> tuple[Columns, np.ndarray]:
    """Merge channels that say the same.

    Parameters
    ----------
    matrix : ndarray, shape (n_channels, n_columns)
        No column is empty.

    Returns
    -------
    columns : Columns
        Sums over the channels of each group.
    sizes : ndarray, shape (n_groups,)
        Channels of each group that some column reaches.
    """
    starts = _group_starts(matrix, LOWEST_PART * matrix.max(axis=0))
    reached = (matrix > 0).any(axis=1).astype(float)
    sizes = np.add.reduceat(reached, starts)
    return columns_of(np.add.reduceat(matrix, starts, axis=0)), sizes


def columns_of(matrix: np.ndarray) -> Columns:
    """Columns with their first and last channels.

    Parameters
    ----------
    matrix : ndarray, shape (n_channels, n_columns)

    Returns
    -------
    Columns
    """
    present = matrix.T > 0
    last = matrix.shape[0] - present[:, ::-1].argmax(axis=1)
    return Columns(np.ascontiguousarray(matrix.T), present.argmax(axis=1), last)


@numba.njit(cache=True, nogil=True)
def _group_starts(matrix, lowest):
    """First channel of each group: extend each as far as no column varies much."""
    n_channels, n_columns = matrix.shape
    starts = np.empty(n_channels, np.int64)
    smallest = np.empty(n_columns)
    largest = np.empty(n_columns)
    n_groups = 0
    for e in range(n_channels):
        same = e > 0
        for k in range(n_columns if same else 0):
            low = min(smallest[k], matrix[e, k])
            high = max(largest[k], matrix[e, k])
            if high > lowest[k] and high - low > LARGEST_VARIATION * high:
                same = False
                break
        if not same:
            starts[n_groups] = e
            n_groups += 1
        for k in range(n_columns):
            value = matrix[e, k]
            smallest[k] = min(smallest[k], value) if same else value
            largest[k] = max(largest[k], value) if same else value
    return starts[:n_groups]
