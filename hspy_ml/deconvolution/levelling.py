# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks that do not stand out of their errors, taken off."""

from __future__ import annotations

import numpy as np

__all__ = ["level_peaks"]

STANDING_OUT = 1.5  # standard errors that a small peak has to rise by
VISIBLE, SMALL = 0.005, 0.05  # of the highest point of the spectrum


def level_peaks(
    losses: np.ndarray, errors: np.ndarray, standing_out: float = STANDING_OUT
) -> np.ndarray:
    """Cut small peaks off at the higher of the two saddles beside them.

    Those that rise by less than a two-hundredth of the highest point are ripples that
    nobody takes for a peak, and stay.

    Parameters
    ----------
    losses : ndarray, shape (n, n_channels)
    errors : ndarray, shape (n, n_channels)
        Standard errors.
    standing_out : float, default 1.5
        Standard errors, at its top, by which a peak that stays rises above that
        saddle; or it rises by a twentieth of the highest peak.

    Returns
    -------
    ndarray, shape (n, n_channels)
        New; the same where no peak was cut off.
    """
    levelled = losses.copy()
    for row, error in zip(levelled, errors, strict=True):
        _level(row, np.minimum(standing_out * error, SMALL * row.max()))
    return levelled


def _level(row: np.ndarray, least: np.ndarray) -> None:
    """In place."""
    from scipy.signal import find_peaks

    tops, found = find_peaks(row, prominence=VISIBLE * row.max())
    heights = found["prominences"]
    before = row.copy()
    for peak in np.flatnonzero(heights < least[tops]):
        top = tops[peak]
        first, last = found["left_bases"][peak], found["right_bases"][peak]
        saddle = max(before[first], before[last])
        start = first + np.flatnonzero(before[first : top + 1] <= saddle)[-1]
        stop = top + np.flatnonzero(before[top : last + 1] <= saddle)[0]
        part = row[start : stop + 1]
        np.minimum(part, saddle, out=part)
