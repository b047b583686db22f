# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured spectra as training takes them: in electrons and aligned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blind_response import estimate_response
from .noise import DetectorNoise
from .noise_prior import NoisePrior
from .response import Response
from .zero_loss import find_zero_loss

__all__ = ["OwnMap", "prepare_map"]

UNCALIBRATED = 2.0  # widths of the peak from 0 eV
FADE = 32  # channels added at either end, beside those that spectra are moved by


@dataclass(frozen=True, eq=False)
class OwnMap:
    """Aligned spectra, and the instrument that they were measured with.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        The zero loss of each is at `zero_channel`.
    response : Response
        One row, or one for each spectrum.
    noise : DetectorNoise
    zero_channel : int
    widths : ndarray, shape (n,)
        FWHM of the zero-loss peaks, channels.
    """

    electrons: np.ndarray
    response: Response
    noise: DetectorNoise
    zero_channel: int
    widths: np.ndarray


def prepare_map(
    counts: np.ndarray, energy_eV: np.ndarray, response: Response | None = None
) -> OwnMap:
    """Find noise, response and zero loss of spectra, and align them.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)
        As measured; finite.
    energy_eV : ndarray, shape (n_channels,)
        Uniform and increasing.
    response : Response, optional
        Estimated if not given.

    Returns
    -------
    OwnMap
        Of the spectra that have a zero-loss peak.

    Raises
    ------
    ValueError
        If no spectrum has one, or shapes do not fit.
    """
    from .measured import measured

    counts, energy_eV = _checked(counts, energy_eV)
    peaks = find_zero_loss(counts)
    good = peaks.problem == ""
    if not good.any():
        peaks.check("counts")
    counts, centre, fwhm = counts[good], peaks.centre[good], peaks.fwhm[good]
    response = None if response is None else response.select(good)
    prior = NoisePrior.from_spectra(counts, centre, fwhm, response)
    if response is None:
        noise = prior.noise_of(counts, centre, fwhm)
        response = estimate_response(noise.electrons(counts), noise)
    zero = _zero_channel(energy_eV, float(np.median(centre)), float(np.median(fwhm)))
    found = measured(counts, prior, response, zero)
    electrons = _moved(found.electrons.numpy(), found.zero - zero - found.shifts)
    return OwnMap(electrons, response, found.noise, found.zero, fwhm)


def _checked(
    counts: np.ndarray, energy_eV: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    counts, energy_eV = np.asarray(counts, float), np.asarray(energy_eV, float)
    if counts.ndim != 2 or counts.shape[1:] != energy_eV.shape:
        raise ValueError(
            f"`counts` has the shape {counts.shape}, `energy_eV` {energy_eV.shape}; "
            "give one spectrum a row, on that axis."
        )
    if not np.isfinite(counts).all():
        raise ValueError("`counts` holds NaN or infinite values; leave these out.")
    return counts, energy_eV


def _zero_channel(energy_eV: np.ndarray, centre: float, fwhm: float) -> float:
    """Where 0 eV is, or the peaks are, if the axis was not calibrated."""
    zero = -energy_eV[0] / (energy_eV[1] - energy_eV[0])
    return float(zero) if abs(zero - centre) <= UNCALIBRATED * fwhm else centre


def _moved(spectra: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """Moved up by fractions of channels; noise stays as independent as it was."""
    n_channels = spectra.shape[1]
    reach = int(np.ceil(np.abs(channels).max())) + FADE
    padded = np.pad(spectra.astype(float), ((0, 0), (reach, reach)), mode="edge")
    frequency = np.fft.rfftfreq(padded.shape[1])
    turn = np.exp(-2j * np.pi * frequency * channels[:, None])
    moved = np.fft.irfft(np.fft.rfft(padded) * turn, padded.shape[1])
    return moved[:, reach : reach + n_channels]
