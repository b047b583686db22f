# SPDX-License-Identifier: GPL-3.0-or-later
"""The PSF that a user gives, on the channels of the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...deconvolution.response import Response
from ...deconvolution.vacuum_response import response_of_vacuum
from ...deconvolution.zero_loss import find_highest_peak, find_zero_loss
from ..axes import energy_axis
from ..data import map_shape, real_numbers, signal_array

__all__ = ["GivenResponse", "given_response"]

SAME_SCALE = 1e-3  # relative difference of channel widths that does not matter
COARSEST = 3.0  # channels of a PSF, in channels of the spectra
VACUUM_SHARE = 0.1  # of the pixels, at most, that are taken as vacuum
LESS_LOSS = 0.5  # of the median share of lost electrons, that vacuum has at most
MOST_TURNS = 8  # between up and down, along a PSF that is a shape and not measured
NEAR_WIDTHS = 2.0  # of the peak's width to either side, that count as not lost


@dataclass(frozen=True, eq=False)
class GivenResponse:
    """A PSF with what was done to it.

    Parameters
    ----------
    response : Response
        One row, or one for each pixel of the map.
    notes : tuple of str
    """

    response: Response
    notes: tuple[str, ...]


def given_response(
    s: Any, psf: Any, spectra: Any, excluded: np.ndarray
) -> GivenResponse:
    """Read the PSF.

    Parameters
    ----------
    s : EELSSpectrum
    psf : BaseSignal, ndarray or "data"
        As `deconvolve_net` takes it.
    spectra : array, shape (n_pixels, n_channels)
        Of `s`, among which vacuum is looked for.
    excluded : ndarray of bool, shape (n_pixels,)
        Pixels that are masked.

    Returns
    -------
    GivenResponse

    Raises
    ------
    TypeError, ValueError
        If it is something else, does not fit the energy axis of `s`, or holds no peak.
    """
    if isinstance(psf, str):
        return _from_vacuum(psf, spectra, excluded)
    if hasattr(psf, "axes_manager"):
        return _from_signal(s, psf)
    return _from_array(s, psf)


def _from_signal(s: Any, psf: Any) -> GivenResponse:
    width, own_width = (_channel_width(signal) for signal in (s, psf))
    values = np.asarray(signal_array(psf), float)
    notes: tuple[str, ...] = ()
    ratio = own_width / width
    if abs(ratio - 1) > SAME_SCALE:
        if not 1 / s.axes_manager.signal_size < ratio <= COARSEST:
            raise ValueError(
                f"`psf` has channels of {own_width:g} eV, and `s` of {width:g} eV: too "
                "different to be resampled. Check the units and the scale of both "
                "energy axes, or measure the zero-loss peak as `s` was measured."
            )
        values = _resampled(values, ratio)
        notes = (
            f"The PSF was resampled from channels of {own_width:g} to {width:g} eV.",
        )
    of_each_pixel = map_shape(psf) == map_shape(s) and values.shape[0] > 1
    energy = energy_axis(psf, "eV")
    zero = (0.5 - energy[0] / own_width) * ratio - 0.5
    response = _response(values, zero)
    if not of_each_pixel:
        response = _mean(response, values)
    return GivenResponse(response, (_said(response, width, "given"), *notes))


def _from_array(s: Any, psf: Any) -> GivenResponse:
    values = real_numbers(psf, "psf")
    if values.ndim == 0:
        raise ValueError(
            f"`psf` is the number {float(values):g}; give the zero-loss peak, a signal "
            "or an array of its channels."
        )
    maps = map_shape(s)
    of_each_pixel = values.ndim > 1 and values.shape[:-1] == maps and maps != (1,)
    values = values.reshape(-1, values.shape[-1])
    response = _response(values, (values.shape[1] - 1) / 2)
    if not of_each_pixel:
        response = _mean(response, values)
    return GivenResponse(response, (_said(response, _channel_width(s), "given"),))


def _response(values: np.ndarray, zero: float) -> Response:
    """From measured peaks, or from shapes whose zero may be known.

    Parameters
    ----------
    values : ndarray, shape (n, n_channels)
    zero : float
        Channel of 0 eV, which is taken if the top is there.
    """
    if not all(_is_shape(row) for row in values):
        return response_of_vacuum(values)
    peaks = find_highest_peak(values)
    peaks.check("psf")
    tops = np.argmax(values, axis=1)
    at_zero = np.abs(tops - zero).max() <= 0.5
    return Response.from_shape(values, zero if at_zero else peaks.centre)


def _is_shape(row: np.ndarray) -> bool:
    """Whether it goes up and down as a computed peak does, and not as noise."""
    if not (np.isfinite(row).all() and row.min() >= 0 and row.max() > 0):
        return False
    steps = np.sign(np.diff(row))
    steps = steps[steps != 0]
    return bool(np.count_nonzero(np.diff(steps)) <= MOST_TURNS)


def _from_vacuum(psf: str, spectra: Any, excluded: np.ndarray) -> GivenResponse:
    if psf != "data":
        raise ValueError(
            f"`psf` is {psf!r}; give a signal, an array, 'data' to take it from vacuum "
            "in the map, or None to estimate it (blind)."
        )
    values = np.asarray(spectra[np.flatnonzero(~excluded)], float)
    values = values[np.isfinite(values).all(axis=1) & (values.sum(axis=1) > 0)]
    lost = _lost_shares(values)
    thinnest = np.argsort(lost)[: max(1, int(VACUUM_SHARE * lost.size))]
    if lost.size < 2 or np.median(lost[thinnest]) > LESS_LOSS * np.median(lost):
        raise ValueError(
            "`psf='data'` takes the PSF from pixels of vacuum, but the spectra of "
            f"least loss lose {np.median(lost[thinnest]):.2g} of their electrons and "
            f"the median spectrum {np.median(lost):.2g}. Give a vacuum spectrum, or "
            "leave `psf` out to estimate it (blind)."
        )
    response = _mean(response_of_vacuum(values[thinnest]), values[thinnest])
    note = f"PSF from {thinnest.size} pixels of vacuum in the map."
    return GivenResponse(response, (note,))


def _lost_shares(spectra: np.ndarray) -> np.ndarray:
    """Share of the counts of each spectrum beyond its zero-loss peak."""
    peaks = find_zero_loss(spectra)
    channels = np.arange(spectra.shape[1])
    last = peaks.centre + NEAR_WIDTHS * peaks.fwhm
    first = peaks.centre - NEAR_WIDTHS * peaks.fwhm
    before = channels < first[:, None]
    level = np.where(before, spectra, 0).sum(axis=1) / before.sum(axis=1).clip(1)
    net = spectra - level[:, None]
    beyond = np.where(channels > last[:, None], net, 0).sum(axis=1)
    return (beyond / net.sum(axis=1)).clip(0)


def _mean(response: Response, values: np.ndarray) -> Response:
    """The mean of several, weighted by their counts."""
    weights = values.sum(axis=1).clip(0)
    if not weights.sum() > 0:
        return response
    return Response(weights @ response.kernel / weights.sum())


def _resampled(values: np.ndarray, ratio: float) -> np.ndarray:
    """Spectra on channels that are narrower or wider, with the same density.

    Parameters
    ----------
    values : ndarray, shape (n, n_channels)
    ratio : float
        Width of their channels over that of the new ones.
    """
    n = values.shape[1]
    borders = ratio * np.arange(n + 1)
    summed = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], 1)
    wanted = np.arange(int(borders[-1]) + 1)
    return np.stack([np.diff(np.interp(wanted, borders, row)) for row in summed])


def _channel_width(s: Any) -> float:
    energy = energy_axis(s, "eV")
    return float(energy[1] - energy[0])


def _said(response: Response, width_eV: float, how: str) -> str:
    fwhm = float(np.median(response.fwhm))
    return f"PSF {how}: {fwhm * width_eV:.3g} eV ({fwhm:.3g} channels) wide."
