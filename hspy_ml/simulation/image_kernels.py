# SPDX-License-Identifier: GPL-3.0-or-later
"""The hot loop that draws photons, compiled. No validation here."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def add_photons(rng, photons, cumulative, image):
    """Draw the channel of each photon and count it.

    ``photons`` (pixels x phases) says how many photons of each phase a pixel gives,
    ``cumulative`` (phases x channels) holds the running sums of the phases' spectra;
    ``image`` (pixels x channels) gains a count for each photon. A channel is the
    first whose running sum is above a uniform number times the whole sum, so that
    one without intensity is never drawn.
    """
    for p in range(photons.shape[0]):
        for k in range(photons.shape[1]):
            sums = cumulative[k]
            for _ in range(photons[p, k]):
                level = rng.random() * sums[-1]
                image[p, np.searchsorted(sums, level, side="right")] += 1
