# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks that a model leaves over: elements that nobody has named.

A missing element does not only leave its peak over; other columns, and most of
all the continuum, bend to explain it. So whoever fits should be told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import symbol
from hspy_ml.physics.detector import resolution
from hspy_ml.physics.relaxation import emission_lines

# Families by which an element shows itself, and the elements for which it does.
_VISIBLE = {"K": range(5, 45), "L": range(26, 93), "M": range(70, 93)}
_NOT_SEEN = {43, 61, *range(84, 90), 91}  # radioactive
_SIGNIFICANCE = 8.0
_LEAST_SHARE = 0.01
_MATCH_KEV = 0.025


@dataclass(frozen=True)
class UnexplainedPeak:
    """Counts in a peak that the model does not hold.

    Parameters
    ----------
    energy_keV : float
        Where it is.
    counts : float
        Counts above the model and above the left-over counts on either side.
    candidates : tuple of str
        Elements whose strongest line of a family is there, the nearest first.
    """

    energy_keV: float
    counts: float
    candidates: tuple[str, ...]


def unexplained_peaks(
    observed: np.ndarray,
    expected: np.ndarray,
    lines: np.ndarray,
    acquisition: Acquisition,
) -> list[UnexplainedPeak]:
    """Find peaks in what a model leaves over.

    Windows one resolution wide are compared with half of each of their two
    neighbours (a top-hat filter: Statham 1977, Anal. Chem. 49, 2149).

    Parameters
    ----------
    observed, expected : ndarray, shape (n_channels,)
        Counts and model; NaN in channels that are not used.
    lines : ndarray, shape (n_channels,)
        The part of the model that is lines of elements. What is left over beside
        a strong line says that its place or shape is off, not that an element is
        missing.
    acquisition : Acquisition
        Energy axis in keV, resolution and beam energy.

    Returns
    -------
    list of UnexplainedPeak
        Those of eight standard deviations and a hundredth of all counts, the
        largest first.
    """
    energy, detector = acquisition.energy, acquisition.detector
    if detector is None:
        return []
    half = resolution(detector, energy) / 2
    excess = _cumulated(observed - expected)
    counts = _cumulated(observed)

    def window(total: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        position = (np.array([lower, upper]) - energy[0]) / acquisition.channel_width
        at = np.clip(np.round(position + 0.5).astype(int), 0, energy.size)
        return total[at[1]] - total[at[0]]

    left, middle = energy - 2 * half, energy + 2 * half
    peak = window(excess, energy - half, energy + half) - 0.5 * (
        window(excess, left - half, left + half)
        + window(excess, middle - half, middle + half)
    )
    variance = window(counts, energy - half, energy + half) + 0.25 * (
        window(counts, left - half, left + half)
        + window(counts, middle - half, middle + half)
    )
    strong = peak > np.maximum(
        _SIGNIFICANCE * np.sqrt(variance + 1), _LEAST_SHARE * counts[-1]
    )
    beside_a_line = window(_cumulated(lines), energy - 2 * half, energy + 2 * half)
    strong &= np.isfinite(observed) & (beside_a_line < peak)
    peaks = []
    while strong.any():
        at = int(np.where(strong, peak, -np.inf).argmax())
        strong &= np.abs(energy - energy[at]) > 4 * half[at]
        place, amount = float(energy[at]), float(peak[at])
        peaks.append(UnexplainedPeak(place, amount, _candidates(place, acquisition)))
    return peaks


def _cumulated(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])


def _candidates(energy_keV: float, acquisition: Acquisition) -> tuple[str, ...]:
    found = {}
    for family, numbers in _VISIBLE.items():
        for number in numbers:
            lines = emission_lines(number, family)
            if number in _NOT_SEEN or lines is None:
                continue
            photons = lines.photons(np.ones(len(lines.shells)))
            place = lines.energy_keV[photons.argmax()]
            distance = abs(place - energy_keV)
            if distance < _MATCH_KEV and place < acquisition.beam_energy_keV:
                found[symbol(number)] = min(distance, found.get(symbol(number), 1.0))
    return tuple(sorted(found, key=found.get))
