# SPDX-License-Identifier: GPL-3.0-or-later
"""The response of an X-ray detector, and the resolution that can be reached.

A line that the detector broadens to the standard deviation sigma(E) is to come out
with the smaller sigma_t(E). Gaussians fold into Gaussians, so that the data are what
comes out, broadened by the rest,

    sigma_rest^2 = sigma^2 - sigma_t^2,

a smooth operator with entries that are not negative; nothing is divided in Fourier
space. Widths change slowly along the axis: over a line at the target resolution
sigma_rest^2 changes by less than 1 %.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..physics.acquisition import Acquisition, Detector
from ..physics.detector import FWHM_PER_SIGMA, MN_KA_KEV, resolution

__all__ = ["NARROWING", "XrayResponse"]

NARROWING = 2.5
"""Detector's width over the width that comes out. At the frequency at which a line of
the target's width has half its amplitude, the detector has left 0.5^(r^2 - 1) of it:
2.6 % at 2.5, so that a line of 1500 counts still tells it from noise; 0.4 % and 65,000
counts at 3."""
NARROWEST_CHANNELS = 2.0
"""Of what comes out, full width at half maximum: a narrower peak falls between
channels."""
LEAST_GAIN = 1.1
"""Detector's width over the target's that is worth the name, somewhere on the axis."""
FEWEST_CHANNELS = 64
REACH_IN_SIGMA = 4.0
SMALLEST_SAMPLED_SIGMA = 0.6  # channels; below, three channels hold the variance


@dataclass(frozen=True, eq=False)
class XrayResponse:
    """What broadens spectra of the target resolution to those that are measured.

    Parameters
    ----------
    energy_keV : ndarray, shape (n_channels,)
        Centres of the channels.
    fwhm, target_fwhm : ndarray, shape (n_channels,)
        Full widths at half maximum of the detector's lines, and of those that come
        out; channels.
    """

    energy_keV: np.ndarray
    fwhm: np.ndarray
    target_fwhm: np.ndarray
    _weights: np.ndarray | None = field(default=None, repr=False)
    _first: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self._weights is None:
            squared = np.maximum(self.fwhm**2 - self.target_fwhm**2, 0.0)
            weights = _gaussian_columns(np.sqrt(squared) / FWHM_PER_SIGMA)
            object.__setattr__(self, "_weights", weights)
        object.__setattr__(self, "_first", (self._weights > 0).argmax(axis=1))

    @classmethod
    def of_detector(
        cls,
        acquisition: Acquisition,
        detector: Detector | None = None,
        target_width_eV: float | None = None,
    ) -> XrayResponse:
        """The response on the axis of a spectrum.

        Parameters
        ----------
        acquisition : Acquisition
            Of an EDS signal.
        detector : Detector, optional
            By default that of `acquisition`.
        target_width_eV : float, optional
            Full width at half maximum at Mn Ka (5.9 keV) of a line that comes out; at
            other energies in proportion to the detector's. By default 2.5 times
            narrower than the detector's. Never below two channels, where the detector
            itself is not narrower.

        Returns
        -------
        XrayResponse

        Raises
        ------
        ValueError
            If there is no detector, the axis is not that of an EDS signal, is not
            uniform or has fewer than 64 channels; if the target is not narrower than
            the detector; or if the channels are too wide to sharpen anything.
        """
        detector = detector or acquisition.detector
        _check(acquisition, detector)
        energy = np.asarray(acquisition.energy, dtype=float)
        fwhm = resolution(detector, energy) / acquisition.channel_width
        narrowing = _narrowing(detector, target_width_eV)
        target = np.minimum(np.maximum(fwhm / narrowing, NARROWEST_CHANNELS), fwhm)
        if (fwhm / target).max() < LEAST_GAIN:
            raise ValueError(
                f"`acquisition` has channels of {1e3 * acquisition.channel_width:.3g} "
                f"eV, and the detector's lines are at most {fwhm.max():.2g} channels "
                "wide: there is nothing to sharpen. Use the spectra before they were "
                "binned."
            )
        return cls(energy, fwhm, target)

    @property
    def n_channels(self) -> int:
        """Channels of a spectrum."""
        return self.fwhm.size

    def part(self, first: int, n_channels: int) -> XrayResponse:
        """The response on some of the channels.

        Parameters
        ----------
        first, n_channels : int
            Where they begin, and how many; more than the widest column reaches.

        Returns
        -------
        XrayResponse
        """
        some = slice(first, first + n_channels)
        return XrayResponse(
            self.energy_keV[some],
            self.fwhm[some],
            self.target_fwhm[some],
            np.ascontiguousarray(self._weights[:, some]),
        )

    @property
    def margin(self) -> int:
        """Channels that the widest column reaches to either side."""
        return (self._weights.shape[0] - 1) // 2

    @property
    def channels_under(self) -> np.ndarray:
        """Channels over which the rest spreads a count, shape (n_channels,)."""
        return 1 / (self._weights**2).sum(axis=0, dtype=np.float64)

    @property
    def banded(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Weights, first channels and margin, as the compiled loops take them."""
        return self._weights, self._first, self.margin

    def forward(self, scenes: np.ndarray) -> np.ndarray:
        """Spectra of the target resolution as the detector would count them.

        Parameters
        ----------
        scenes : ndarray, shape (n_spectra, n_channels)

        Returns
        -------
        ndarray of float64, shape (n_spectra, n_channels)
            With the same sums.
        """
        from .xray_response_kernels import forward

        scenes = np.ascontiguousarray(scenes, dtype=np.float64)
        broadened = np.empty_like(scenes)
        forward(*self.banded, scenes, broadened)
        return broadened

    def backward(self, ratios: np.ndarray) -> np.ndarray:
        """The transpose of :meth:`forward`: a one in all channels stays a one.

        Parameters
        ----------
        ratios : ndarray, shape (n_spectra, n_channels)

        Returns
        -------
        ndarray of float64, shape (n_spectra, n_channels)
        """
        from .xray_response_kernels import backward

        ratios = np.ascontiguousarray(ratios, dtype=np.float64)
        means = np.empty_like(ratios)
        backward(*self.banded, ratios, means)
        return means


def _narrowing(detector: Detector, target_width_eV: float | None) -> float:
    if target_width_eV is None:
        return NARROWING
    here = 1e3 * float(resolution(detector, MN_KA_KEV))
    if not 0 < target_width_eV < here:
        raise ValueError(
            f"`target_width_eV` is {target_width_eV}; give a width at Mn Ka above 0 "
            f"and below that of the detector, {here:.4g} eV, or None for "
            f"{here / NARROWING:.3g} eV."
        )
    return here / target_width_eV


def _check(acquisition: Acquisition, detector: Detector | None) -> None:
    energy = np.asarray(acquisition.energy, dtype=float)
    if not acquisition.technique.startswith("EDS"):
        raise ValueError(
            f"`acquisition` is of {acquisition.technique}; the response of an X-ray "
            "detector is for EDS_TEM and EDS_SEM."
        )
    if detector is None:
        raise ValueError(
            "`detector` is not given, and `acquisition` has none; give one, such as "
            "`make_detector('windowless', 130)`."
        )
    if energy.size < FEWEST_CHANNELS:
        raise ValueError(
            f"`acquisition` has {energy.size} channels; {FEWEST_CHANNELS} or more are "
            "needed."
        )
    steps = np.diff(energy)
    if not (steps > 0).all() or np.ptp(steps) > 1e-3 * steps.mean():
        raise ValueError(
            "`acquisition` has an energy axis that is not uniform and increasing; "
            "interpolate the counts onto one that is, or turn the axis round."
        )


def _gaussian_columns(sigma: np.ndarray) -> np.ndarray:
    """A band of Gaussians that sum to one, shape (2 margin + 1, n_channels)."""
    reach = np.ceil(REACH_IN_SIGMA * sigma).astype(np.int64)
    reach = np.minimum(np.maximum(reach, 1), (sigma.size - 1) // 2)
    margin = int(reach.max())
    away = np.arange(-margin, margin + 1)[:, None]
    sampled = np.exp(-0.5 * (away / np.maximum(sigma, 1e-3)) ** 2)
    three = np.where(away == 0, 1 - sigma**2, 0.5 * sigma**2) * (np.abs(away) <= 1)
    weights = np.where(sigma < SMALLEST_SAMPLED_SIGMA, three, sampled)
    weights = np.where(np.abs(away) <= reach, weights, 0.0)
    return (weights / weights.sum(axis=0)).astype(np.float32)
