# SPDX-License-Identifier: GPL-3.0-or-later
"""What a microscope must offer to be driven, and a simulated one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = [
    "Dose",
    "Microscope",
    "PositionFailed",
    "SimulatedMicroscope",
    "SpectrumMismatch",
]


class PositionFailed(RuntimeError):
    """A position could not be measured; others may."""


class SpectrumMismatch(ValueError):
    """A spectrum has another length than those before."""


class Microscope(Protocol):
    """Moves the probe and acquires spectra.

    Both methods raise `PositionFailed` if a position cannot be measured; any other
    exception ends the acquisition.
    """

    def move(self, position: tuple[int, ...]) -> None:
        """Move the probe to a pixel: row and column, or a place on a line."""
        ...

    def acquire(self) -> np.ndarray:
        """Acquire a spectrum where the probe is, shape (n_channels,)."""
        ...


@dataclass
class Dose:
    """What an acquisition cost.

    Parameters
    ----------
    n_moves : int
        Times that the probe was moved.
    path : float
        Pixels that it travelled.
    n_spectra : int
        Spectra that were acquired.
    live_time : float
        Seconds of acquisition.
    counts : float
        Sum of all spectra.
    """

    n_moves: int = 0
    path: float = 0.0
    n_spectra: int = 0
    live_time: float = 0.0
    counts: float = 0.0

    def share(self, n_pixels: int, dwell: float) -> float:
        """Share of the dose of a full map.

        Parameters
        ----------
        n_pixels : int
            Of the map.
        dwell : float
            Seconds per pixel of the full map.

        Returns
        -------
        float
        """
        return self.live_time / (n_pixels * dwell)


class SimulatedMicroscope:
    """A microscope that reads a spectrum image in place of a specimen.

    Parameters
    ----------
    spectra : ndarray, shape (*shape, n_channels), or callable
        The spectrum of each pixel; or a function of a position, a tuple of int, that
        gives it.
    dwell : float, default 1
        Seconds per spectrum, for the dose.
    counting : bool, default False
        Whether `spectra` are expected counts per second, of which counts are drawn
        (Poisson); otherwise they are what is measured.
    failing : iterable of tuple of int
        Positions that cannot be measured.
    random_state : int or numpy.random.Generator, optional
        Makes the counts repeat exactly.

    Attributes
    ----------
    dose : Dose
        What it has measured so far.
    position : tuple of int or None
        Where the probe is.

    Raises
    ------
    ValueError
        If `dwell` is not above zero.
    """

    def __init__(
        self,
        spectra: np.ndarray | Callable[[tuple[int, ...]], np.ndarray],
        *,
        dwell: float = 1.0,
        counting: bool = False,
        failing: Iterable[tuple[int, ...]] = (),
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        if not 0 < dwell < np.inf:
            raise ValueError(f"`dwell` is {dwell}; seconds above zero are expected.")
        self.dwell = dwell
        self.dose = Dose()
        self.position: tuple[int, ...] | None = None
        self._read = spectra if callable(spectra) else spectra.__getitem__
        self._counting = counting
        self._failing = {tuple(map(int, place)) for place in failing}
        self._rng = np.random.default_rng(random_state)

    def move(self, position: tuple[int, ...]) -> None:
        """Move the probe.

        Parameters
        ----------
        position : tuple of int
            Row and column, or a place on a line.

        Raises
        ------
        PositionFailed
            If the position is one of those that fail. The probe stays.
        """
        position = tuple(map(int, position))
        self.dose.n_moves += 1
        if position in self._failing:
            raise PositionFailed(f"the probe cannot be moved to {position}")
        if self.position is not None:
            self.dose.path += float(
                np.linalg.norm(np.subtract(position, self.position))
            )
        self.position = position

    def acquire(self) -> np.ndarray:
        """Acquire a spectrum where the probe is.

        Returns
        -------
        ndarray, shape (n_channels,)

        Raises
        ------
        PositionFailed
            If the probe was not moved anywhere yet.
        """
        if self.position is None:
            raise PositionFailed("the probe is nowhere; move it first")
        spectrum = np.asarray(self._read(self.position))
        if self._counting:
            spectrum = self._rng.poisson(spectrum * self.dwell)
        self.dose.n_spectra += 1
        self.dose.live_time += self.dwell
        self.dose.counts += float(spectrum.sum())
        return spectrum
