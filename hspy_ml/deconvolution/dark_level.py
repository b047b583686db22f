# SPDX-License-Identifier: GPL-3.0-or-later
"""The level of a spectrum without electrons, from the channels before the zero loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .transfer import phase_ramps

if TYPE_CHECKING:
    from .response import Response

__all__ = ["dark_level"]

_BEFORE = 3.0  # FWHM before the top: where a tail has become a power law
_BEFORE_KNOWN = 3.0  # where the tail is known
_LOSSES_FROM = 1.0  # FWHM after the top
_FEWEST = 12  # channels before the peak
_POWERS = (2.0, 2.4, 3.0, 4.0)  # of a tail: Lorentzian, Pearson VII
_AREA_ERROR = 0.005  # of the zero-loss electrons, relative, from the height
_N_ITERATIONS = 4
_N_ROUNDS = 2  # of losses, and level beside them
_DISPLACED = 0.2  # channels, that the top may be off
_QUIET = 0.1  # of the mean counts before the peak, that are noise in any channel
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
    misfits = [misfit for _, misfit in fits]
    return fits[int(np.argmin(misfits))][0]


def _line(values: np.ndarray, tail: np.ndarray) -> tuple[float, float]:
    """Constant beside a tail, and the misfit; noise rises with counts."""
    level, slope = values.min(), 0.0
    least = 1e-6 * np.abs(values).max() + 1e-30
    for _ in range(_N_ITERATIONS):
        fitted = np.maximum(slope * tail, 0)
        weight = 1 / (fitted + np.median(fitted) + least)
        s0, s1, s2 = weight.sum(), weight @ tail, weight @ tail**2
        t0, t1 = weight @ values, (weight * tail) @ values
        slope = max(0.0, (s0 * t1 - s1 * t0) / max(s0 * s2 - s1**2, 1e-30))
        level = (t0 - slope * s1) / s0
    spread = fitted + fitted.mean() + least
    return float(level), float(np.sum((values - level - slope * tail) ** 2 / spread))


def _beside_known_tails(
    spectra: np.ndarray, centre: np.ndarray, fwhm: np.ndarray, response: Response
) -> np.ndarray:
    """Twice: the losses are what the zero-loss peak and the level leave."""
    n_channels = spectra.shape[1]
    distance = np.arange(n_channels) - centre[:, None]
    before = distance < -_BEFORE_KNOWN * fwhm[:, None]
    length, transform = _transforms(response.kernel, n_channels)
    lines = _lines(transform, centre, length, n_channels)
    rows = np.arange(len(spectra))
    middle = np.clip(np.rint(centre).astype(int), 0, n_channels - 1)
    top = np.maximum(lines[rows, middle], 1e-30)
    templates = np.stack([np.ones_like(lines), lines, np.gradient(lines, axis=1)])
    level, area = np.zeros(len(spectra)), spectra[rows, middle] / top
    for _ in range(_N_ROUNDS):
        lost = spectra - level[:, None] - area[:, None] * lines
        lost[distance < _LOSSES_FROM * fwhm[:, None]] = 0
        rest = spectra - _spread(np.maximum(lost, 0), transform, length)
        height = np.maximum((rest[rows, middle] - level) / top, 0)
        level, area = _fitted_level(rest, templates, before, height)
    return np.where(before.sum(axis=1) >= _FEWEST, level, 0.0)


def _fitted_level(
    rest: np.ndarray, templates: np.ndarray, before: np.ndarray, height: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Level and area, and a small displacement, by weighted least squares."""
    line = np.maximum(templates[1] * height[:, None], 0)
    quiet = np.where(before, line, 0).sum(axis=1) / np.maximum(before.sum(axis=1), 1)
    weight = before / (line + _QUIET * quiet[:, None] + 1e-30)
    normal = np.einsum("anc,nc,bnc->nab", templates, weight, templates)
    right = np.einsum("anc,nc,nc->na", templates, weight, rest)
    area_weight = (_AREA_ERROR * height + 1e-30) ** -2.0
    normal[:, 1, 1] += area_weight
    right[:, 1] += area_weight * height
    normal[:, 2, 2] += area_weight / _DISPLACED**2
    normal += 1e-12 * np.eye(3) * np.einsum("naa->n", normal)[:, None, None]
    level, area, _ = np.linalg.solve(normal, right[..., None])[..., 0].T
    return level, area


def _transforms(kernels: np.ndarray, n_channels: int) -> tuple[int, np.ndarray]:
    """Length and transforms of responses with their tops in channel 0."""
    from scipy import fft

    half_width = kernels.shape[1] // 2
    reach = min(half_width, n_channels - 1)
    length = fft.next_fast_len(n_channels + reach, real=True)
    turned = np.zeros((len(kernels), length), np.float32)
    turned[:, : reach + 1] = kernels[:, half_width : half_width + reach + 1]
    turned[:, length - reach :] = kernels[:, half_width - reach : half_width]
    return length, fft.rfft(turned)


def _lines(
    transform: np.ndarray, centre: np.ndarray, length: int, n_channels: int
) -> np.ndarray:
    """The responses with their tops at fractions of channels."""
    from scipy import fft

    turn = phase_ramps(centre, length).astype(np.complex64)
    return fft.irfft(transform * turn, length)[:, :n_channels]


def _spread(lost: np.ndarray, transform: np.ndarray, length: int) -> np.ndarray:
    """Losses convolved with the responses."""
    from scipy import fft

    return fft.irfft(fft.rfft(lost.astype(np.float32), length) * transform, length)[
        :, : lost.shape[1]
    ]
