# SPDX-License-Identifier: GPL-3.0-or-later
"""The hot loops that draw photons, compiled. No validation here."""

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


@numba.njit(cache=True, nogil=True)
def add_pile_up(rng, events, expected, cumulative, zero, image):
    """Draw two photons for each event and count their sum once.

    ``events`` (pixels) says how many there are, ``expected`` (pixels x phases) from
    which phases photons come, ``cumulative`` as in `add_photons`. ``zero`` is where on
    the axis the energy 0 lies, in channels; where it lies between two channels, so do
    sums of energies, and one of the two is drawn. Sums beyond the ends of the axis are
    not counted.
    """
    for p in range(events.size):
        phases = np.cumsum(expected[p])
        for _ in range(events[p]):
            place = rng.random() - zero
            for _ in range(2):
                level = rng.random() * phases[-1]
                sums = cumulative[np.searchsorted(phases, level, side="right")]
                level = rng.random() * sums[-1]
                place += np.searchsorted(sums, level, side="right")
            channel = int(np.floor(place))
            if 0 <= channel < image.shape[1]:
                image[p, channel] += 1
