# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra at the target resolution and their errors, by the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .alignment import refined_shifts
from .deconvolver_model import DeconvolverModel, default_deconvolver
from .levelling import level_peaks
from .matched_centre import matched_centres
from .target import target_widths
from .transfer import Transfer
from .zero_loss import find_zero_loss

if TYPE_CHECKING:
    import torch

    from .noise import DetectorNoise
    from .response import Response

__all__ = ["RestoredSpectra", "moved", "restore"]

AT_A_TIME = 32  # spectra: what of them is worked on stays in the cache
FADE = 64  # channels in which a spectrum fades out beyond its ends
FWHM_PER_SIGMA = 2.3548200450309493


class RestoredSpectra(NamedTuple):
    """What the network makes of spectra, in electrons.

    Attributes
    ----------
    spectra : ndarray of float32, shape (n, n_channels)
        At the target resolution, with the zero loss where it was wanted.
    errors : ndarray of float32, shape (n, n_channels)
        Standard errors.
    losses : ndarray of float32, shape (n, n_channels)
        The spectra without the zero-loss peak; not negative.
    area : ndarray of float32, shape (n,)
        Electrons in the zero-loss peak, by conservation of counts.
    centre : ndarray, shape (n,)
        Channel of the zero loss as measured.
    """

    spectra: np.ndarray
    errors: np.ndarray
    losses: np.ndarray
    area: np.ndarray
    centre: np.ndarray


def restore(
    electrons: np.ndarray,
    response: Response,
    noise: DetectorNoise | None = None,
    model: DeconvolverModel | None = None,
    *,
    zero_channel: float | np.ndarray | None = None,
    centre: np.ndarray | None = None,
    target_width: float | None = None,
    doubt: float = 0.0,
) -> RestoredSpectra:
    """Remove response and noise with the network.

    Peaks that do not rise by one and a half standard errors are cut off. A spectrum
    gives the same, whatever else is in the batch. Uses as many threads as
    torch is set to; may run in several threads at once.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Finite; may be negative.
    response : Response
        One row, or one for each spectrum.
    noise : DetectorNoise, optional
        For the variance of reading out; none if not given.
    model : DeconvolverModel, optional
        The one that comes with the package if not given.
    zero_channel : float or ndarray, shape (n,), optional
        Where the zero loss is to be, in channels; where it is if not given.
    centre : ndarray, shape (n,), optional
        Where it is; found in the spectra if not given.
    target_width : float, optional
        FWHM of the Gaussian that is to take the place of the response, in channels.
        Four, or the response's own where that is hardly wider.
    doubt : float, default 0
        0 if the response is known, 1 if it was estimated from these spectra: then the
        network does not take its small errors for losses.

    Returns
    -------
    RestoredSpectra

    Raises
    ------
    ValueError
        If the spectra are not finite, not one a row, or no zero loss is found.
    """
    electrons = _checked(electrons)
    n = len(electrons)
    model = default_deconvolver() if model is None else model
    read = np.zeros(1) if noise is None else noise.read_electrons
    read = np.broadcast_to(read, n)
    centre = _centre(electrons, response, read) if centre is None else centre
    wanted = np.broadcast_to(centre if zero_channel is None else zero_channel, n)
    widths = np.broadcast_to(target_widths(response, target_width), n)
    blocks = [slice(first, first + AT_A_TIME) for first in range(0, n, AT_A_TIME)]
    parts = [
        _restored(
            electrons[row],
            response.select(row),
            read[row],
            model,
            np.asarray(centre)[row],
            wanted[row],
            widths[row],
            doubt,
        )
        for row in blocks
    ]
    return RestoredSpectra(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _checked(electrons: np.ndarray) -> np.ndarray:
    electrons = np.asarray(electrons)
    if electrons.ndim != 2:
        raise ValueError(
            f"`electrons` has the shape {electrons.shape}; give one spectrum a row."
        )
    if not np.isfinite(electrons).all():
        raise ValueError("`electrons` holds NaN or infinite values; replace them.")
    return electrons


def _centre(electrons: np.ndarray, response: Response, read: np.ndarray) -> np.ndarray:
    """Channels of the zero loss, fitted with the response."""
    import torch

    peaks = find_zero_loss(electrons)
    if not np.isfinite(peaks.centre).all():
        peaks.check("electrons")
    centre = matched_centres(electrons, response, peaks.centre)
    zero = int(np.rint(np.median(centre)))
    transfer = Transfer(response, electrons.shape[1], shifts=centre - zero)
    measured = torch.from_numpy(electrons.astype(np.float32))
    variance = torch.from_numpy(read.astype(np.float32))[:, None]
    return zero + refined_shifts(measured, transfer, zero, response.fwhm, variance)


def _restored(
    electrons: np.ndarray,
    response: Response,
    read: np.ndarray,
    model: DeconvolverModel,
    centre: np.ndarray,
    wanted: np.ndarray,
    widths: np.ndarray,
    doubt: float,
) -> RestoredSpectra:
    import torch

    from .exposure import Exposure

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.array(values, dtype=np.float32))

    parts = (electrons, read, response.kernel, centre, response.fwhm, widths, [doubt])
    exposure = Exposure(*map(tensor, parts))
    with torch.no_grad():
        found = model.network(exposure)
        errors = model.network.standard_errors(found, exposure.area)
        errors = errors.double().numpy()
        sharp = level_peaks(found.losses.double().numpy(), errors)
        area = exposure.area_beside(tensor(sharp))[:, 0].numpy()
    move = wanted - centre
    losses = np.maximum(moved(sharp, move), 0)
    errors = _interpolated(errors, move)
    line, its_error = _line(electrons.shape[1], wanted, widths, area, response.fwhm)
    spectra = losses + line
    errors = np.hypot(errors, its_error)
    return RestoredSpectra(
        spectra.astype(np.float32),
        errors.astype(np.float32),
        losses.astype(np.float32),
        area,
        centre,
    )


def _line(
    n_channels: int,
    place: np.ndarray,
    widths: np.ndarray,
    area: np.ndarray,
    fwhm: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The zero-loss line and the error of its height and place."""
    sigma = (widths / FWHM_PER_SIGMA)[:, None]
    distance = (np.arange(n_channels) - place[:, None]) / sigma
    shape = np.exp(-0.5 * distance**2) / (sigma * np.sqrt(2 * np.pi))
    area = np.maximum(area, 1.0)[:, None]
    place_error = fwhm[:, None] / FWHM_PER_SIGMA / np.sqrt(area)
    slope = area * shape * distance / sigma
    error = np.hypot(np.sqrt(area) * shape, slope * place_error)
    return area * shape, error


def moved(rows: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """Spectra moved up by fractions of channels; they fade out beyond their ends.

    Parameters
    ----------
    rows : ndarray, shape (n, n_channels)
        Smooth, as spectra at the target resolution are.
    channels : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n, n_channels)
    """
    n_channels = rows.shape[1]
    fading = np.cos(np.linspace(0, np.pi / 2, FADE)) ** 2
    before, after = rows[:, :1] * fading[::-1], rows[:, -1:] * fading
    padded = np.concatenate([rows, after, before], axis=1)
    frequency = np.fft.rfftfreq(padded.shape[1])
    turn = np.exp(-2j * np.pi * frequency * np.asarray(channels)[:, None])
    turned = np.fft.rfft(padded) * turn
    return np.fft.irfft(turned, n=padded.shape[1])[:, :n_channels]


def _interpolated(rows: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """The same for rows that are rough: positive ones stay so."""
    channel = np.arange(rows.shape[1])
    pairs = zip(rows, channels, strict=True)
    return np.stack([np.interp(channel - move, channel, row) for row, move in pairs])
