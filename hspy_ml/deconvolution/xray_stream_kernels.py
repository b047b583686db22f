# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussian peaks on channels, compiled.

No validation here: shapes and types are the caller's duty.
"""

from __future__ import annotations

import math

import numba

REACH_IN_SIGMA = 6.0


@numba.njit(cache=True, nogil=True)
def add_peaks(centres, sigmas, areas, spectrum):
    """Add peaks, each integrated over the channels that it reaches.

    Centres and standard deviations are in channels; channel ``i`` is from ``i - 0.5``
    to ``i + 0.5``.
    """
    for peak in range(centres.size):
        scale = 1 / (math.sqrt(2.0) * sigmas[peak])
        reach = REACH_IN_SIGMA * sigmas[peak]
        first = max(0, int(math.floor(centres[peak] - reach)))
        last = min(spectrum.size, int(math.ceil(centres[peak] + reach)) + 1)
        if first >= last:
            continue
        below = math.erf((first - 0.5 - centres[peak]) * scale)
        for i in range(first, last):
            above = math.erf((i + 0.5 - centres[peak]) * scale)
            spectrum[i] += 0.5 * areas[peak] * (above - below)
            below = above
