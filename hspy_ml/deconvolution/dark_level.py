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
_N_PARTS = 32  # of a spectrum, the lowest of which bounds the level


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
    lowest = _lowest_part(spectra)
    if response is None:
        level = np.array(
            [
                _beside_power_law(row[: _last(top, _BEFORE * width)], top)
                for row, top, width in zip(spectra, centre, fwhm, strict=True)
            ]
        )
    else:
        level = _beside_known_tails(spectra, centre, fwhm, response)
    return np.clip(level, np.minimum(lowest, 0.0), lowest)


def _last(top: float, distance: float) -> int:
    """Number of the channels that lie farther than a distance before the top."""
    return int(max(top - distance, 0))


def _lowest_part(spectra: np.ndarray) -> np.ndarray:
    length = max(4, spectra.shape[1] // _N_PARTS)
    n_parts = spectra.shape[1] // length
    parts = spectra[:, : n_parts * length].reshape(len(spectra), n_parts, length)
    return parts.mean(axis=2).min(axis=1)


def _beside_power_law(before: np.ndarray, top: float) -> float:
    if before.size < _FEWEST:
        return 0.0
    distance = top - np.arange(before.size)
    fits = [_line(before, (distance / distance[-1]) ** -power) for power in _POWERS]
    misfits = [misfit for _, _, misfit in fits]
    return fits[int(np.argmin(misfits))][0]


def _line(
    values: np.ndarray,
    tail: np.ndarray,
    height: float | None = None,
    height_error: float = np.inf,
) -> tuple[float, float, float]:
    """Constant and height of a tail, and the misfit; noise rises with counts."""
    level, slope = values.min(), 0.0 if height is None else height
    least = 1e-6 * np.abs(values).max() + 1e-30
    for _ in range(_N_ITERATIONS):
        fitted = np.maximum(slope * tail, 0)
        weight = 1 / (fitted + np.median(fitted) + least)
        scale = np.sum(weight * (values - level - fitted) ** 2) / values.size
        weight /= max(scale, 1e-30)
        s0, s1, s2 = weight.sum(), weight @ tail, weight @ tail**2
        t0, t1 = weight @ values, (weight * tail) @ values
        if height is not None:
            s2 += height_error**-2
            t1 += height * height_error**-2
        slope = max(0.0, (s0 * t1 - s1 * t0) / max(s0 * s2 - s1**2, 1e-300))
        level = (t0 - slope * s1) / s0
    spread = fitted + fitted.mean() + least
    misfit = float(np.sum((values - level - slope * tail) ** 2 / spread))
    return float(level), slope, misfit


def _beside_known_tails(
    spectra: np.ndarray, centre: np.ndarray, fwhm: np.ndarray, response: Response
) -> np.ndarray:
    """Twice: the losses are what the zero-loss peak and the level leave."""
    distance = np.arange(spectra.shape[1]) - centre[:, None]
    lines = _lines(response.kernel, distance)
    rows = np.arange(len(spectra))
    middle = np.rint(centre).astype(int)
    before = [
        _last(top, _BEFORE_KNOWN * width)
        for top, width in zip(centre, fwhm, strict=True)
    ]
    top = lines[rows, middle]
    level, area = np.zeros(len(spectra)), spectra[rows, middle] / top
    for _ in range(2):
        lost = spectra - level[:, None] - area[:, None] * lines
        lost[distance < _LOSSES_FROM * fwhm[:, None]] = 0
        rest = spectra - _reaching_back(np.maximum(lost, 0), response.kernel)
        for i, last in enumerate(before):
            height = (rest[i, middle[i]] - level[i]) / top[i]
            if last >= _FEWEST:
                level[i], area[i], _ = _line(
                    rest[i, :last], lines[i, :last], height, _AREA_ERROR * abs(height)
                )
    return level


def _lines(kernels: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Responses at distances from their tops, between straight lines."""
    half_width = kernels.shape[1] // 2
    places = np.arange(-half_width, half_width + 1)
    rows = np.broadcast_to(kernels, (len(distance), kernels.shape[1]))
    return np.stack(
        [
            np.interp(where, places, row, left=0, right=0)
            for where, row in zip(distance, rows, strict=True)
        ]
    )


def _reaching_back(lost: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """What the tails of the losses add to all channels."""
    from scipy import fft

    n_channels = lost.shape[1]
    half_width = kernels.shape[1] // 2
    reach = min(half_width, n_channels - 1)
    length = fft.next_fast_len(n_channels + reach, real=True)
    turned = np.zeros((len(kernels), length))
    turned[:, : reach + 1] = kernels[:, half_width : half_width + reach + 1]
    turned[:, length - reach :] = kernels[:, half_width - reach : half_width]
    transform = fft.rfft(lost, length) * fft.rfft(turned)
    return fft.irfft(transform, length)[:, :n_channels]
