# SPDX-License-Identifier: GPL-3.0-or-later
"""The response estimated from the spectra that are to be deconvolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .log_profiles import kernels_of
from .peak_fit import fit_peaks, peak_logarithms
from .profile_grid import PROFILE_GRID, Profile
from .response import Response
from .zero_loss import find_zero_loss

if TYPE_CHECKING:
    from .noise import DetectorNoise

__all__ = ["BlindResponse", "blind_response", "estimate_response"]

_ALIKE_SCATTER = 1.5  # of widths, over what their errors make
_WIDTH_ERROR = 0.8  # of a width, relative, times the root of the counts of the peak
_LEAST_WIDTH_ERROR = 0.005


@dataclass(frozen=True, eq=False)
class BlindResponse:
    """Responses read off spectra, and how sure they are.

    Parameters
    ----------
    response : Response
        One row if `pooled`, else one for each spectrum.
    centre : ndarray, shape (n,)
        Channel of the zero loss of each spectrum; NaN where there is none.
    pooled : bool
        Whether all spectra have one response.
    problem : ndarray of str, shape (n,)
        What is wrong with the zero-loss peak, see
        :class:`hspy_ml.deconvolution.zero_loss.ZeroLoss`. Such spectra are given the
        mean response of the others.
    """

    response: Response
    centre: np.ndarray
    pooled: bool
    problem: np.ndarray


def estimate_response(
    electrons: np.ndarray,
    noise: DetectorNoise | None = None,
    *,
    pooled: bool | None = None,
) -> Response:
    """Estimate the response from spectra with a zero-loss peak.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Without offset; finite.
    noise : DetectorNoise, optional
        For the variance of reading out; none if not given.
    pooled : bool, optional
        Whether all spectra have one response. If not given, they have if the widths of
        their peaks agree within their errors.

    Returns
    -------
    Response

    Raises
    ------
    ValueError
        If the spectra are not finite, or none of them has a zero-loss peak.
    """
    return blind_response(electrons, noise, pooled=pooled).response


def blind_response(
    electrons: np.ndarray,
    noise: DetectorNoise | None = None,
    *,
    pooled: bool | None = None,
) -> BlindResponse:
    """Estimate the response, and say how sure it is.

    Parameters
    ----------
    electrons, noise, pooled
        As for :func:`estimate_response`.

    Returns
    -------
    BlindResponse

    Raises
    ------
    ValueError
        If the spectra are not finite, or none of them has a zero-loss peak.
    """
    electrons = _checked(electrons)
    peaks = find_zero_loss(electrons)
    good = np.flatnonzero(peaks.problem == "")
    if good.size == 0:
        peaks.check("electrons")
    centre, width, height = peaks.centre[good], peaks.fwhm[good], peaks.height[good]
    if pooled is None:
        pooled = _alike(width, peaks.area[good])
    if pooled:
        width = np.full(good.size, np.median(width))
    read = 0.0 if noise is None else noise.read_electrons
    read = np.broadcast_to(read, len(electrons))[good]
    profile = PROFILE_GRID.measure(electrons[good], read, centre, width)
    if pooled:
        profile, height, width = _summed(profile), height.sum(keepdims=True), width[:1]
    parameters = fit_peaks(profile, height, PROFILE_GRID)
    logs, tops = peak_logarithms(parameters, PROFILE_GRID.nodes), parameters[:, 1]
    kernels = kernels_of(logs, PROFILE_GRID, tops, width, electrons.shape[1])
    centres = np.full(len(electrons), np.nan)
    centres[good] = centre + tops * width
    if not pooled:
        kernels = _for_all(kernels, good, len(electrons))
    return BlindResponse(Response(kernels), centres, pooled, peaks.problem)


def _checked(electrons: np.ndarray) -> np.ndarray:
    electrons = np.asarray(electrons, dtype=float)
    if electrons.ndim != 2:
        raise ValueError(
            f"`electrons` has the shape {electrons.shape}; give one spectrum a row."
        )
    if not np.isfinite(electrons).all():
        raise ValueError("`electrons` holds NaN or infinite values; replace them.")
    return electrons


def _alike(widths: np.ndarray, counts: np.ndarray) -> bool:
    """Whether widths scatter no more than their errors do."""
    if widths.size < 2:
        return False
    errors = _WIDTH_ERROR / np.sqrt(np.maximum(counts, 1))
    errors = np.hypot(errors, _LEAST_WIDTH_ERROR)
    deviation = np.log(widths / np.median(widths)) / errors
    return bool(np.sqrt(np.mean(deviation**2)) < _ALIKE_SCATTER)


def _summed(profile: Profile) -> Profile:
    """All spectra as one."""
    return Profile(
        profile.density.sum(axis=0, keepdims=True),
        np.sqrt(np.sum(profile.error**2, axis=0, keepdims=True)),
        profile.covered.all(axis=0, keepdims=True),
    )


def _for_all(rows: np.ndarray, good: np.ndarray, n: int) -> np.ndarray:
    """Rows for the good spectra, their mean for the others."""
    every = np.broadcast_to(rows.mean(axis=0), (n, rows.shape[1])).copy()
    every[good] = rows
    return every
