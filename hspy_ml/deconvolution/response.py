# SPDX-License-Identifier: GPL-3.0-or-later
"""The response of the instrument: what it makes of electrons that lost nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dark_level import dark_level
from .zero_loss import find_highest_peak, half_height_width

__all__ = ["Response"]

_SMOOTHED_BEYOND = 4.0  # FWHM from the top
_STEP_OF_TAILS = 1.15  # ratio of the borders of their channel groups
_LEAST_HALF_WIDTH = 3
_WIDEST = 0.5  # of the spectrum


@dataclass(frozen=True, eq=False)
class Response:
    """The shape of the zero-loss peak, on channels relative to the zero loss.

    Parameters
    ----------
    kernel : ndarray, shape (n, 2 m + 1) or (2 m + 1,)
        Non-negative, with the zero loss (the top of the peak) in the middle of the
        middle channel; its rows are divided by their sums. One row serves all
        spectra, or each has its own.

    Raises
    ------
    ValueError
        If the number of channels is even, or a row holds negative values, values that
        are not finite, or nothing.
    """

    kernel: np.ndarray

    def __post_init__(self):
        kernel = np.atleast_2d(np.array(self.kernel, dtype=float))
        if kernel.ndim != 2 or kernel.shape[1] % 2 == 0:
            raise ValueError(
                f"`kernel` has the shape {np.shape(self.kernel)}; it needs an odd "
                "number of channels, the zero loss in the middle one. "
                "`Response.from_spectrum` makes it from a zero-loss peak."
            )
        if not np.isfinite(kernel).all():
            raise ValueError("`kernel` holds NaN or infinite values; replace them.")
        if (kernel < 0).any():
            raise ValueError(
                f"`kernel` holds negative values (least: {kernel.min():.3g}); take the "
                "background off and set what stays negative to zero."
            )
        area = kernel.sum(axis=1, keepdims=True)
        if not (area > 0).all():
            raise ValueError("`kernel` holds a row without any counts; remove it.")
        kernel /= area
        kernel.setflags(write=False)
        object.__setattr__(self, "kernel", kernel)
        width = half_height_width(kernel, np.full(len(kernel), self.half_width))
        object.__setattr__(self, "_fwhm", width)

    @classmethod
    def from_spectrum(
        cls, counts: np.ndarray, offset: np.ndarray | float | None = None
    ) -> Response:
        """Make it from measured zero-loss peaks (vacuum spectra).

        Parameters
        ----------
        counts : ndarray, shape (n, n_channels) or (n_channels,)
            Their tops need not be in the same channel. Negative values, which
            read-out noise makes, count as zero where the tails' mean is positive.
        offset : float or ndarray, shape (n,), optional
            Counts per channel without electrons; estimated from the channels before
            the peak if not given, the tail of the peak allowed for.

        Returns
        -------
        Response
            From the top to the end of the longer tail; the shorter one is continued
            by the inverse square of the distance. Beyond four widths from the top,
            tails are averaged over groups of channels that grow with the distance.

        Raises
        ------
        ValueError
            If a spectrum has fewer than seven channels, values that are not finite, no
            peak, a flat (saturated) top, or a peak wider than the spectrum.
        """
        counts = np.atleast_2d(np.asarray(counts, dtype=float))
        if counts.ndim != 2 or counts.shape[1] < 2 * _LEAST_HALF_WIDTH + 1:
            raise ValueError(
                f"`psf` has the shape {counts.shape}; it needs one spectrum a row, "
                f"of at least {2 * _LEAST_HALF_WIDTH + 1} channels."
            )
        if not np.isfinite(counts).all():
            raise ValueError(
                "`psf` holds NaN or infinite values; replace or crop these channels."
            )
        peaks = find_highest_peak(counts)
        peaks.check("psf")
        if offset is None:
            offset = dark_level(counts, peaks.centre, peaks.fwhm)
        net = counts - np.broadcast_to(offset, len(counts))[:, None]
        half_width = int(
            np.ceil(max(peaks.centre.max(), (net.shape[1] - 1 - peaks.centre).max()))
        )
        rows = [
            _kernel(row, centre, fwhm, half_width)
            for row, centre, fwhm in zip(net, peaks.centre, peaks.fwhm, strict=True)
        ]
        response = cls(np.stack(rows))
        if (response.fwhm > _WIDEST * counts.shape[1]).any():
            raise ValueError(
                f"`psf` is {response.fwhm.max():.0f} channels wide, of "
                f"{counts.shape[1]}: wider than half of its spectrum; give a range "
                "that holds the peak and its tails, without a background."
            )
        return response

    @classmethod
    def from_shape(cls, shape: np.ndarray, centre: float | np.ndarray) -> Response:
        """Make it from a shape that is known: without noise, and without an offset.

        Parameters
        ----------
        shape : ndarray, shape (n, n_channels) or (n_channels,)
            Not negative.
        centre : float or ndarray, shape (n,)
            Channel of the zero loss.

        Returns
        -------
        Response
            To the end of the longer tail; zero where the shape does not reach.

        Raises
        ------
        ValueError
            As the class.
        """
        shape = np.atleast_2d(np.asarray(shape, dtype=float))
        n_channels = shape.shape[1]
        centre = np.broadcast_to(np.asarray(centre, dtype=float), len(shape))
        farthest = max(centre.max(), (n_channels - 1 - centre).max())
        distance = np.arange(-int(np.ceil(farthest)), int(np.ceil(farthest)) + 1)
        rows = [_moved(row, c + distance) for row, c in zip(shape, centre, strict=True)]
        return cls(np.stack(rows))

    @property
    def half_width(self) -> int:
        """Channels on either side of the zero loss."""
        return self.kernel.shape[1] // 2

    @property
    def fwhm(self) -> np.ndarray:
        """Full width at half maximum in channels, shape (n,)."""
        return self._fwhm

    def __len__(self) -> int:
        return self.kernel.shape[0]

    def select(self, rows: np.ndarray | slice) -> Response:
        """The responses of some spectra.

        Parameters
        ----------
        rows : ndarray of int or bool, or slice

        Returns
        -------
        Response
            Itself, where one response serves all spectra.
        """
        return self if len(self) == 1 else Response(self.kernel[rows])

    def cropped(self, half_width: int) -> Response:
        """The same without the far ends of the tails.

        Parameters
        ----------
        half_width : int
            Channels to keep on either side of the zero loss.

        Returns
        -------
        Response
            Normalised again.
        """
        excess = self.half_width - half_width
        return self if excess <= 0 else Response(self.kernel[:, excess:-excess])


def _moved(shape: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A shape at fractions of channels, zero outside."""
    from scipy.ndimage import map_coordinates

    at = np.rint(where)
    if np.abs(where - at).max() < 1e-6:
        inside = (at >= 0) & (at < shape.size)
        return np.where(inside, shape[np.clip(at, 0, shape.size - 1).astype(int)], 0)
    moved = map_coordinates(shape, where[None], order=5, mode="constant")
    return np.maximum(moved, 0)


def _kernel(net: np.ndarray, centre: float, fwhm: float, half_width: int) -> np.ndarray:
    """One spectrum, moved by a fraction of a channel and its tails smoothed."""
    from scipy.ndimage import map_coordinates

    distance = np.arange(-half_width, half_width + 1)
    where = centre + distance
    kernel = map_coordinates(net, where[None], order=5, mode="nearest")
    known = (where >= 0) & (where <= net.size - 1)
    for side in (distance < 0, distance > 0):
        _smooth_tail(kernel, np.abs(distance), side, known, fwhm)
    return np.maximum(kernel, 0)


def _smooth_tail(
    kernel: np.ndarray,
    distance: np.ndarray,
    side: np.ndarray,
    known: np.ndarray,
    fwhm: float,
) -> None:
    """Average a tail in groups, and continue it where it was not measured."""
    first = _SMOOTHED_BEYOND * fwhm
    tail = side & known & (distance >= first)
    if tail.sum() > 1:
        borders = first * _STEP_OF_TAILS ** np.arange(
            1 + np.ceil(np.log(distance.max() / first + 1) / np.log(_STEP_OF_TAILS))
        )
        group = np.searchsorted(borders, distance[tail], side="right")
        members = np.bincount(group)
        used = members > 0
        level = np.bincount(group, kernel[tail])[used] / members[used]
        at = np.bincount(group, distance[tail])[used] / members[used]
        kernel[tail] = np.interp(distance[tail], at, np.maximum(level, 0))
    missing = side & ~known
    if missing.any():
        last = np.flatnonzero(side & known)
        if last.size == 0:
            kernel[missing] = 0
            return
        last = last[np.argmax(distance[last])]
        kernel[missing] = kernel[last] * (distance[last] / distance[missing]) ** 2
