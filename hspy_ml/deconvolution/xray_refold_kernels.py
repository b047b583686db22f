# SPDX-License-Identifier: GPL-3.0-or-later
"""Deviance of counts from what is expected, in groups of channels, compiled.

No validation here: shapes and types are the caller's duty.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def grouped_deviance(counts, expected, least, deviance, mean, n_groups):
    """Poisson deviance of each row, its mean if the expectation is true, and groups.

    Neighbouring channels are summed until ``least`` counts are expected of a group;
    then the mean deviance of a group is 1 + 1 / (6 expected), closely.
    """
    for row in range(counts.shape[0]):
        seen, due = 0.0, 0.0
        deviance[row], mean[row], n_groups[row] = 0.0, 0.0, 0
        for i in range(counts.shape[1]):
            seen += counts[row, i]
            due += expected[row, i]
            if due >= least:
                if seen > 0:
                    deviance[row] += 2 * (seen * np.log(seen / due) - seen + due)
                else:
                    deviance[row] += 2 * due
                mean[row] += 1 + 1 / (6 * due)
                n_groups[row] += 1
                seen, due = 0.0, 0.0
