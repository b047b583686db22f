# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra that would be of no known phase, for each of those that are."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import minimum_filter1d, uniform_filter1d

__all__ = ["departures_of"]

LITTLE, HALF = 0.04, 0.5  # shares of something else
N_WINDOWS = 32
BACKGROUND_SPAN = 0.04  # of the axis: wider than a peak
SHIFTS = (-2, -1, 1, 2)  # bins


def departures_of(shapes: np.ndarray, alternatives: np.ndarray) -> np.ndarray:
    """What counts of each phase are to be compared with.

    Parameters
    ----------
    shapes : ndarray, shape (n_phases, n_bins)
        Above zero; each sums to one.
    alternatives : ndarray, shape (n_alternatives, n_bins)
        Spectra of what else could be there; each sums to one.

    Returns
    -------
    ndarray, shape (n_phases, n_departures, n_bins)
        A little, or half, of another phase; a little of an alternative, or its peaks
        in place of the phase's; more in one window of the axis, or everywhere; and a
        shift of the whole spectrum.
    """
    return np.array([_departures(shapes, k, alternatives) for k in range(len(shapes))])


def _departures(shapes: np.ndarray, phase: int, alternatives: np.ndarray) -> np.ndarray:
    own = shapes[phase]
    others = np.delete(shapes, phase, axis=0)
    added = np.vstack([others, alternatives, _windows(own.size)])
    return np.vstack(
        [
            (1 - LITTLE) * own + LITTLE * added,
            (1 - HALF) * own + HALF * others,
            _in_place_of_peaks(own, alternatives),
            [_shifted(own, n) for n in SHIFTS],
        ]
    )


def _windows(n_bins: int) -> np.ndarray:
    """Parts of the axis and all of it, each flat and with a sum of one."""
    number = min(N_WINDOWS, n_bins)
    part = np.arange(n_bins) * number // n_bins
    windows = np.vstack([part == np.arange(number)[:, None], np.ones(n_bins, bool)])
    return windows / windows.sum(axis=1, keepdims=True)


def _shifted(shape: np.ndarray, n_bins: int) -> np.ndarray:
    moved = np.roll(shape, n_bins)
    edge = slice(0, n_bins) if n_bins > 0 else slice(n_bins, None)
    moved[edge] = shape[edge]
    return moved / moved.sum()


def _in_place_of_peaks(shape: np.ndarray, alternatives: np.ndarray) -> np.ndarray:
    """The continuum of a phase with something else on it."""
    span = max(3, int(BACKGROUND_SPAN * shape.size))
    least = minimum_filter1d(uniform_filter1d(shape, 3), span)
    continuum = np.minimum(uniform_filter1d(least, span), shape)
    return continuum + (1 - continuum.sum()) * alternatives
