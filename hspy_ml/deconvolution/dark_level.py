# SPDX-License-Identifier: GPL-3.0-or-later
"""The level of a spectrum without electrons, from the channels before the zero loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .response import Response

__all__ = ["dark_level"]

_BEFORE = 3.0  # FWHM before the top: where a tail has become a power law
_BEFORE_KNOWN = 1.0  # where the tail is known
_LOSSES_FROM = 1.0  # FWHM after the top
_FEWEST = 12  # channels before the peak
_POWERS = (2.0, 2.4, 3.0, 4.0)  # of a tail: Lorentzian, Pearson VII
_AREA_ERROR = 0.02  # of the zero-loss electrons, relative, from the height
_N_ITERATIONS = 4


def dark_level(
    spectra: np.ndarray,
    centre: np.ndarray,
    fwhm: np.ndarray,
    response: Response | None = None,
) -> np.ndarray:
    """Fit a constant and the tails to what lies before the zero-loss peak.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts.
    centre, fwhm : ndarray, shape (n,)
        Of the zero-loss peaks, in channels.
    response : Response, optional
        With it, the tails are those of the zero loss and of the losses. Without it,
        the tail falls as a power of the distance, the one that fits best of a few.

    Returns
    -------
    ndarray, shape (n,)
        In counts. Never above the lowest part of the spectrum, nor below zero unless
        that is. Where fewer than twelve channels lie before the peak, zero or the
        lower of both.
    """
    levels = np.empty(len(spectra))
    for i, (row, top, width) in enumerate(zip(spectra, centre, fwhm, strict=True)):
        lowest = _lowest_part(row)
        last = int(top - (_BEFORE if response is None else _BEFORE_KNOWN) * width)
        if last < _FEWEST:
            level = 0.0
        elif response is None:
            level = _beside_power_law(row[:last], top)
        else:
            kernel = response.kernel[i if len(response) > 1 else 0]
            level = _beside_known_tail(row, top, width, last, kernel)
        levels[i] = np.clip(level, min(0.0, lowest), lowest)
    return levels


def _lowest_part(row: np.ndarray) -> float:
    length = max(4, row.size // 32)
    whole = row[: row.size // length * length].reshape(-1, length)
    return float(whole.mean(axis=1).min())


def _beside_power_law(before: np.ndarray, top: float) -> float:
    distance = top - np.arange(before.size)
    misfits, levels = [], []
    for power in _POWERS:
        tail = (distance / distance[-1]) ** -power
        level, slope, misfit = _line(before, tail)
        levels.append(level)
        misfits.append(misfit)
    return levels[int(np.argmin(misfits))]


def _line(values, tail, area=None, area_error=np.inf):
    """Constant and height of a tail, and the misfit; noise rises with counts."""
    level, slope = values.min(), 0.0 if area is None else area
    for _ in range(_N_ITERATIONS):
        fitted = np.maximum(slope * tail, 0)
        noise = np.median(np.abs(np.diff(values))) ** 2 + 1e-300
        weight = 1 / (noise * (fitted + np.median(fitted) + 1e-300))
        scale = np.sum(weight * (values - level - fitted) ** 2) / values.size
        weight /= max(scale, 1e-300)
        s0, s1, s2 = weight.sum(), weight @ tail, weight @ tail**2
        t0, t1 = weight @ values, (weight * tail) @ values
        if area is not None:
            s2 += area_error**-2
            t1 += area * area_error**-2
        slope = max(0.0, (s0 * t1 - s1 * t0) / max(s0 * s2 - s1**2, 1e-300))
        level = (t0 - slope * s1) / s0
    misfit = np.sum((values - level - slope * tail) ** 2 / (fitted + fitted.min()))
    return level, slope, misfit


def _beside_known_tail(row, top, width, last, kernel) -> float:
    half_width = kernel.size // 2
    distance = np.arange(row.size) - top
    own = np.interp(
        distance, np.arange(-half_width, half_width + 1), kernel, left=0, right=0
    )
    middle = int(round(top))
    level = 0.0
    area = row[middle] / own[middle]
    losses = np.zeros(last)
    for _ in range(3):
        area = (row[middle] - level) / own[middle]
        level, area, _ = _line(
            row[:last] - losses, own[:last], area, _AREA_ERROR * abs(area)
        )
        lost = np.maximum(row - level - area * own, 0)
        lost[distance < _LOSSES_FROM * width] = 0
        losses = _reaching_back(lost, kernel, last)
    return level


def _reaching_back(lost: np.ndarray, kernel: np.ndarray, last: int) -> np.ndarray:
    """What the tails of the losses add to the first channels."""
    from scipy.signal import oaconvolve

    half_width = kernel.size // 2
    return oaconvolve(lost, kernel)[half_width : half_width + last]
