# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks of a restored spectrum beside those of its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["MatchedPeaks", "find_loss_peaks", "match_peaks"]


@dataclass(frozen=True, eq=False)
class MatchedPeaks:
    """Peaks that are in both spectra, and how many there are in each.

    Parameters
    ----------
    n_truth, n_found : int
    position_error : ndarray, shape (n_matched,)
        Estimate less truth, channels.
    area_error : ndarray, shape (n_matched,)
        Electrons within one width either side of the true peak, estimate over truth,
        less one.
    width_ratio : ndarray, shape (n_matched,)
        Widths at half the prominence, estimate over truth.
    """

    n_truth: int
    n_found: int
    position_error: np.ndarray
    area_error: np.ndarray
    width_ratio: np.ndarray

    @property
    def n_matched(self) -> int:
        """Peaks in both."""
        return self.position_error.size

    @property
    def n_false(self) -> int:
        """Peaks in the estimate alone."""
        return self.n_found - self.n_matched


def find_loss_peaks(
    spectrum: np.ndarray, first: int, prominence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Peaks from a channel on.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
    first : int
        Peaks below this channel are left out.
    prominence : float
        Least height above the higher of the two saddles beside the peak.

    Returns
    -------
    channels : ndarray of int, shape (n_peaks,)
    widths : ndarray, shape (n_peaks,)
        Full widths at half the prominence, channels.
    """
    from scipy.signal import find_peaks

    found, properties = find_peaks(
        spectrum, prominence=prominence, width=0, rel_height=0.5
    )
    kept = found >= first
    return found[kept], properties["widths"][kept]


def match_peaks(
    estimate: np.ndarray, truth: np.ndarray, first: int, prominence: float
) -> MatchedPeaks:
    """Find peaks in both spectra by one rule and pair those that are near.

    A pair is not further apart than half the width of the true peak (at least one
    channel); nearest pairs go first, and each peak is in one pair.

    Parameters
    ----------
    estimate, truth : ndarray, shape (n_channels,)
    first : int
        First channel of the loss region.
    prominence : float
        See `find_loss_peaks`; the same for both.

    Returns
    -------
    MatchedPeaks
    """
    true_place, true_width = find_loss_peaks(truth, first, prominence)
    place, width = find_loss_peaks(estimate, first, prominence)
    pairs = _nearest_pairs(place, true_place, np.maximum(true_width / 2, 1.0))
    areas = [
        _area(estimate, true_place[i], true_width[i])
        / _area(truth, true_place[i], true_width[i])
        for _, i in pairs
    ]
    mine = np.array([j for j, _ in pairs], dtype=int)
    true = np.array([i for _, i in pairs], dtype=int)
    return MatchedPeaks(
        true_place.size,
        place.size,
        (place[mine] - true_place[true]).astype(float),
        np.array(areas) - 1,
        width[mine] / true_width[true],
    )


def _nearest_pairs(
    place: np.ndarray, true_place: np.ndarray, reach: np.ndarray
) -> list[tuple[int, int]]:
    distance = np.abs(place[:, None] - true_place[None, :]).astype(float)
    distance[distance > reach[None, :]] = np.inf
    pairs = []
    while distance.size and np.isfinite(distance.min()):
        j, i = np.unravel_index(distance.argmin(), distance.shape)
        pairs.append((int(j), int(i)))
        distance[j, :], distance[:, i] = np.inf, np.inf
    return pairs


def _area(spectrum: np.ndarray, place: int, width: float) -> float:
    reach = max(int(round(width)), 1)
    return float(spectrum[max(place - reach, 0) : place + reach + 1].sum())
