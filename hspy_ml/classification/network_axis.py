# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels, how wide peaks are in them, and the bins that a network sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..physics.detector import make_detector
from ..physics.detector import resolution as eds_resolution
from .conditions import SpectrumConditions

__all__ = ["PeakAxis", "peak_axis"]

EDS_RESOLUTION_keV = 0.130  # at Mn Ka
EELS_RESOLUTION_eV = 1.0
BINS_PER_PEAK = 2.0
SOFT_SHARE = 0.1  # of the counts; where these end, peaks are about as narrow as any


@dataclass(frozen=True, eq=False)
class PeakAxis:
    """Energies, widths of peaks and bins of the channels that are used.

    Parameters
    ----------
    energy : ndarray, shape (n_channels,)
        keV for EDS, eV for EELS; increasing.
    fwhm : ndarray, shape (n_channels,)
        Full width at half maximum of a peak there.
    group : ndarray of int, shape (n_channels,)
        Bin of each channel, increasing from 0.
    """

    energy: np.ndarray
    fwhm: np.ndarray
    group: np.ndarray


def peak_axis(
    conditions: SpectrumConditions,
    mean_spectrum: np.ndarray,
    resolution: float | None = None,
) -> PeakAxis:
    """The axis of some spectra; neighbouring channels are joined within half a peak.

    Parameters
    ----------
    conditions : SpectrumConditions
    mean_spectrum : ndarray, shape (n_channels,)
        In the channels that are used.
    resolution : float, optional
        Full width at half maximum: in EDS that of Mn Ka in keV, in EELS in eV. By
        default 0.130 keV and 1 eV.

    Returns
    -------
    PeakAxis

    Raises
    ------
    ValueError
        If `resolution` is not above zero, or the spectrum has another number of
        channels.
    """
    energy = conditions.energy[conditions.used_channels]
    if mean_spectrum.shape != energy.shape:
        raise ValueError(
            f"the spectra have {mean_spectrum.size} channels and `conditions` use "
            f"{energy.size}; select the channels that are used."
        )
    if resolution is not None and not 0 < resolution < np.inf:
        raise ValueError(f"`resolution` is {resolution}; give a width above zero.")
    fwhm = np.maximum(_fwhm(conditions, energy, resolution), conditions.channel_width)
    reached = np.cumsum(mean_spectrum) / mean_spectrum.sum()
    width = fwhm[min(int(np.searchsorted(reached, SOFT_SHARE)), energy.size - 1)]
    joined = max(1, round(width / BINS_PER_PEAK / conditions.channel_width))
    return PeakAxis(energy, fwhm, np.arange(energy.size) // joined)


def _fwhm(
    conditions: SpectrumConditions, energy: np.ndarray, resolution: float | None
) -> np.ndarray:
    if conditions.technique == "EELS":
        return np.full(energy.shape, resolution or EELS_RESOLUTION_eV)
    at_mn = 1e3 * (resolution or EDS_RESOLUTION_keV)
    return eds_resolution(make_detector("windowless", at_mn), energy)
