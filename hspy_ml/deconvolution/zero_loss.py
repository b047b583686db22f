# SPDX-License-Identifier: GPL-3.0-or-later
"""The zero-loss peaks of spectra: where, how wide, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = [
    "ZeroLoss",
    "find_highest_peak",
    "find_zero_loss",
    "half_height_width",
    "peak_top",
]

_FIRST_ABOVE = 0.2  # of the highest channel: the zero loss is the first such peak
_SMOOTHING = np.array([1, 4, 6, 4, 1]) / 16
_SMOOTHED_BY = 8 * np.log(2)  # FWHM^2 of the smoothing, whose variance is one
_CUBIC_FROM = 7  # channels in the fit, else a parabola
_SHAPE_ERROR = 0.02  # of the top, per channel of the window
_FLAT_RUN = 3  # equal channels at the maximum
_FLAT_RUN_FEW_COUNTS = 4
_MANY_COUNTS = 1e4
_ASIDE = 0.3  # of the width from the top, where a Gaussian is at 0.78 of it
_FLAT_SHARE = 0.92
_BLUNT_FROM = 7.0  # channels wide, and counts at the top, to judge that
_ENOUGH_COUNTS = 1e3
_LARGEST_SHARE = 0.5  # of the axis, that a peak's width may be
_LEAST_CONTRAST = 5.0  # of the top over the median channel, in noise

_PROBLEMS = {
    "empty": "no counts, or no finite ones",
    "none": "no zero-loss peak in the range",
    "saturated": "a saturated zero-loss peak (its top is flat)",
    "wide": "a peak at zero loss that is wider than half the spectrum",
}
_FIXES = {
    "empty": "leave these spectra out",
    "none": "give a range that holds the zero-loss peak and both its sides",
    "saturated": "measure with a shorter exposure, or splice in an unsaturated peak",
    "wide": "give a range that holds the peak and its tails",
}


@dataclass(frozen=True, eq=False)
class ZeroLoss:
    """Zero-loss peaks of spectra.

    Attributes
    ----------
    centre : ndarray, shape (n,)
        Channel of the top, in fractions; NaN where there is none.
    fwhm : ndarray, shape (n,)
        In channels.
    height : ndarray, shape (n,)
        Counts per channel at the top.
    area : ndarray, shape (n,)
        Counts within one FWHM of the top.
    problem : ndarray of str, shape (n,)
        ``""``, ``"empty"``, ``"none"``, ``"saturated"`` or ``"wide"``.
    """

    centre: np.ndarray
    fwhm: np.ndarray
    height: np.ndarray
    area: np.ndarray
    problem: np.ndarray

    def check(self, name: str) -> None:
        """Raise if something is wrong with any of them.

        Parameters
        ----------
        name : str
            Of the parameter that holds the spectra, for the message.

        Raises
        ------
        ValueError
            Naming the first kind of problem, how many spectra have it, and the fix.
        """
        for problem, text in _PROBLEMS.items():
            number = int(np.sum(self.problem == problem))
            if number:
                raise ValueError(
                    f"`{name}` has {text} in {number} of {self.problem.size} spectra; "
                    f"{_FIXES[problem]}."
                )


def find_zero_loss(spectra: np.ndarray) -> ZeroLoss:
    """Find the zero-loss peaks: the first peak that is a fifth of the highest.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts; a constant offset does no harm. NaN are taken for empty channels.

    Returns
    -------
    ZeroLoss
    """
    return _peaks(spectra, _first_peak)


def find_highest_peak(spectra: np.ndarray) -> ZeroLoss:
    """Find the highest peaks: the zero loss of vacuum spectra, before any shoulder.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        As for :func:`find_zero_loss`.

    Returns
    -------
    ZeroLoss
    """
    return _peaks(spectra, lambda smooth, base: np.argmax(smooth, axis=1))


def _peaks(
    spectra: np.ndarray, peak_of: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> ZeroLoss:
    counts = np.array(spectra, dtype=float, ndmin=2)
    finite = np.isfinite(counts)
    counts[~finite] = 0
    base = np.median(counts, axis=1)
    smooth = _smoothed(counts)
    rough = peak_of(smooth, base)
    rise = smooth - base[:, None]
    width = half_height_width(rise, rough)
    top, log_height = peak_top(counts - base[:, None], rough, width)
    width = _unsmoothed(half_height_width(rise, top))
    height = np.exp(log_height)
    problem = np.full(len(counts), "", dtype="<U9")
    problem[width > _LARGEST_SHARE * counts.shape[1]] = "wide"
    problem[_is_flat(counts) | _is_blunt(rise, rough, width)] = "saturated"
    problem[_has_no_peak(counts, smooth, base, rough, width)] = "none"
    problem[~(finite.any(axis=1) & (counts > 0).any(axis=1))] = "empty"
    lost = (problem == "none") | (problem == "empty")
    near = np.abs(np.arange(counts.shape[1]) - top[:, None]) <= width[:, None]
    area = np.where(near, counts - base[:, None], 0).sum(axis=1)
    for values in (top, width, height, area):
        values[lost] = np.nan
    return ZeroLoss(top, width, height, area, problem)


def half_height_width(peaks: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Full width at half of the height that a peak has at its centre.

    Parameters
    ----------
    peaks : ndarray, shape (n, n_channels)
        Without an offset; outside the axis it is taken for zero.
    centre : ndarray, shape (n,)
        Channel of the top; rounded.

    Returns
    -------
    ndarray, shape (n,)
        Between straight lines from channel to channel.
    """
    padded = np.pad(np.asarray(peaks, dtype=float), ((0, 0), (1, 1)))
    middle = np.clip(np.rint(centre).astype(int), 0, peaks.shape[1] - 1) + 1
    rows = np.arange(len(padded))
    half = 0.5 * padded[rows, middle]
    below = padded < np.where(half > 0, half, np.inf)[:, None]
    channels = np.arange(padded.shape[1])
    right = np.argmax(below & (channels > middle[:, None]), axis=1)
    before = below & (channels < middle[:, None])
    left = padded.shape[1] - 1 - np.argmax(before[:, ::-1], axis=1)

    def crossing(outside, inside):
        low, high = padded[rows, outside], padded[rows, inside]
        rise = np.where(high > low, high - low, 1.0)
        share = np.clip((half - low) / rise, 0, 1)
        return outside + share * (inside - outside)

    return crossing(right, right - 1) - crossing(left, left + 1)


def peak_top(
    net: np.ndarray, rough: np.ndarray, fwhm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a cubic to the logarithm of the top of peaks.

    Parameters
    ----------
    net : ndarray, shape (n, n_channels)
        Counts without offset.
    rough : ndarray of int, shape (n,)
        Channels near the tops.
    fwhm : ndarray, shape (n,)
        In channels.

    Returns
    -------
    top, log_height : ndarray, shape (n,)
        Channel, in fractions, and logarithm of the height of the fitted maximum.

    Notes
    -----
    The less noise, the fewer channels: a peak whose two sides differ in width is no
    cubic. They are at most those above half height. Channels weigh as counts do: the
    error of a logarithm is one over the square root of the counts.
    """
    reach = int(np.clip(np.ceil(np.max(fwhm)), 4, net.shape[1]))
    offset = np.arange(-reach, reach + 1)
    at = rough[:, None] + offset
    inside = (at >= 0) & (at < net.shape[1])
    values = np.take_along_axis(net, np.clip(at, 0, net.shape[1] - 1), axis=1)
    top_value = net[np.arange(len(net)), rough]
    half_window = _half_window(values, offset, fwhm, top_value)
    scale = np.maximum(half_window, 1.0)[:, None]
    near = np.abs(offset) <= scale
    used = inside & near & (values > 0.5 * top_value[:, None])
    used |= inside & (np.abs(offset) <= 1)
    floor = np.maximum(1e-3 * top_value, 1e-300)[:, None]
    log = np.log(np.maximum(values, floor))
    weight = np.where(used, np.maximum(values, floor), 0)
    weight = weight / weight.max(axis=1, keepdims=True)
    cubic = (used.sum(axis=1) >= _CUBIC_FROM) & (half_window < 0.7 * fwhm)
    return _fitted_top(offset / scale, log, weight, cubic, rough, scale[:, 0])


def _half_window(values, offset, fwhm, top_value):
    """Channels on each side where the error of noise equals that of the shape."""
    inside = np.abs(offset[2:-2]) <= np.maximum(fwhm, 1)[:, None]
    steps = np.where(inside, np.diff(values, n=4, axis=1), 0)
    variance = np.sum(steps**2, axis=1) / np.maximum(70 * inside.sum(axis=1), 1)
    noise = np.sqrt(variance) / np.maximum(top_value, 1e-300)
    sigma = fwhm / 2.355
    balanced = (np.sqrt(1.5) * noise * sigma**2 / _SHAPE_ERROR) ** 0.4
    return np.clip(balanced, np.minimum(1.0, 0.75 * fwhm), 0.75 * fwhm)


def _fitted_top(x, log, weight, cubic, rough, scale):
    powers = x[..., None] ** np.arange(4)
    normal = np.einsum("nk,nki,nkj->nij", weight, powers, powers)
    normal += 1e-12 * np.eye(4)
    right = np.einsum("nk,nki,nk->ni", weight, powers, log)
    normal[~cubic, 3, :] = normal[~cubic, :, 3] = 0
    normal[~cubic, 3, 3] = 1
    right[~cubic, 3] = 0
    a, b, c, d = np.linalg.solve(normal, right[..., None])[..., 0].T
    root = np.sqrt(np.maximum(c**2 - 3 * b * d, 0))
    place = np.clip(b / np.maximum(root - c, 1e-6), -1, 1)
    height = a + place * (b + place * (c + place * d))
    return rough + place * scale, height


def _smoothed(counts: np.ndarray) -> np.ndarray:
    from scipy.ndimage import convolve1d

    return convolve1d(counts, _SMOOTHING, axis=1, mode="nearest")


def _unsmoothed(width: np.ndarray) -> np.ndarray:
    """The width before the smoothing, as squares of Gaussians' widths subtract."""
    return np.sqrt(np.maximum(width**2 - _SMOOTHED_BY, 0.25 * width**2))


def _first_peak(smooth: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The first maximum above a fifth of the highest channel, over its own width."""
    rise = smooth - base[:, None]
    above = rise >= _FIRST_ABOVE * rise.max(axis=1, keepdims=True)
    first = np.argmax(above, axis=1)
    highest = np.empty(len(smooth), dtype=int)
    for i, (row, start) in enumerate(zip(rise, first, strict=True)):
        highest[i] = _climb(row, start)
    return highest


def _climb(row: np.ndarray, start: int) -> int:
    """Go up from a channel until nothing higher follows within the rise's length."""
    top = start
    while True:
        half = np.flatnonzero(row[: top + 1] < 0.5 * row[top])
        reach = max(2, top - (half[-1] if half.size else 0))
        ahead = top + int(np.argmax(row[top : top + reach + 1]))
        if ahead == top:
            return top
        top = ahead


def _is_flat(counts: np.ndarray) -> np.ndarray:
    """Whether adjacent channels at the maximum are equal."""
    height = counts.max(axis=1)
    equal = counts == height[:, None]
    longest = np.zeros(len(counts), dtype=int)
    run = np.ones_like(equal)
    for length in range(1, _FLAT_RUN_FEW_COUNTS + 1):
        last = counts.shape[1] - length + 1
        if last < 1:
            break
        run = run[:, :last] & equal[:, length - 1 : length - 1 + last]
        longest[run.any(axis=1)] = length
    few = height < _MANY_COUNTS
    return longest >= np.where(few, _FLAT_RUN_FEW_COUNTS, _FLAT_RUN)


def _is_blunt(smooth: np.ndarray, rough: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Whether the top is too flat for the width, as of a clipped, corrected peak."""
    rows = np.arange(len(smooth))
    aside = np.rint(_ASIDE * np.nan_to_num(width)).astype(int)
    last = smooth.shape[1] - 1
    left = smooth[rows, np.clip(rough - aside, 0, last)]
    right = smooth[rows, np.clip(rough + aside, 0, last)]
    top = smooth[rows, rough]
    enough = (top > _ENOUGH_COUNTS) & (width > _BLUNT_FROM)
    return enough & (0.5 * (left + right) > _FLAT_SHARE * top)


def _has_no_peak(counts, smooth, base, rough, width) -> np.ndarray:
    """Whether the maximum is at an end, or no more than the noise."""
    n_channels = counts.shape[1]
    rows = np.arange(len(counts))
    top = smooth[rows, rough] - base
    at_end = (rough < 2) | (rough > n_channels - 3)
    start_high = smooth[:, 0] - base > 0.5 * top
    end_high = smooth[:, -1] - base > 0.5 * top
    steps = np.diff(counts, n=2, axis=1)
    noise = np.median(np.abs(steps), axis=1) / (0.6745 * np.sqrt(6))
    noise = np.maximum(noise, np.sqrt(np.maximum(base, 0)))
    faint = top < _LEAST_CONTRAST * noise
    return at_end | start_high | end_high | faint | ~(width > 0)
