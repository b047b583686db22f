# SPDX-License-Identifier: GPL-3.0-or-later
"""The response estimated from the spectra that are to be deconvolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .log_profiles import kernels_of, tops_of
from .narrow_peaks import NARROW, narrow_responses
from .noise import estimate_noise
from .peak_fit import fit_peaks, offset_errors, peak_logarithms, without_offset
from .profile_grid import Profile
from .response import Response
from .response_model import default_response_model
from .zero_loss import find_zero_loss

if TYPE_CHECKING:
    from .noise import DetectorNoise
    from .profile_grid import ProfileGrid
    from .response_model import ResponseModel

__all__ = ["BlindResponse", "blind_response", "estimate_response"]

_MOST, _ALIKE_WITHIN = 0.9, 2.5  # of the widths; standard errors from their median
_WIDTH_ERROR = 2.5  # of a width, relative, times the root of the counts of the peak
_USUAL = 0.05  # oddness, up to which the top is that of the fit
_LEAST_WIDTH_ERROR = 0.005


@dataclass(frozen=True, eq=False)
class BlindResponse:
    """Responses read off spectra, and how sure they are.

    Parameters
    ----------
    response : Response
        One row if `pooled`, else one for each spectrum.
    oddness : ndarray, shape (n or 1,)
        Share of the electrons that a peak of the usual shapes (Gaussian and Pearson
        VII, two half widths) would put elsewhere.
    doubt : ndarray, shape (n or 1,)
        Expected sum of the squared errors of the kernel past half a width from its
        top, on the side of the losses.
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
    oddness: np.ndarray
    doubt: np.ndarray
    centre: np.ndarray
    pooled: bool
    problem: np.ndarray


def estimate_response(
    electrons: np.ndarray,
    noise: DetectorNoise | None = None,
    *,
    model: ResponseModel | None = None,
    pooled: bool | None = None,
) -> Response:
    """Estimate the response from spectra with a zero-loss peak.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Without offset; finite. Counts in any unit where `noise` is not given.
    noise : DetectorNoise, optional
        For the variance of reading out. If not given, it is estimated, with gain and
        offset, from the spectra.
    model : ResponseModel, optional
        The one that comes with the package if not given.
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
    return blind_response(electrons, noise, model=model, pooled=pooled).response


def blind_response(
    electrons: np.ndarray,
    noise: DetectorNoise | None = None,
    *,
    model: ResponseModel | None = None,
    pooled: bool | None = None,
) -> BlindResponse:
    """Estimate the response, and say how sure it is.

    Parameters
    ----------
    electrons, noise, model, pooled
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
    model = default_response_model() if model is None else model
    peaks = find_zero_loss(electrons)
    good = np.flatnonzero(peaks.problem == "")
    if good.size == 0:
        peaks.check("electrons")
    centre, width = peaks.centre[good], peaks.fwhm[good]
    counted, read = _counted(electrons[good], noise, good, centre, width)
    if pooled is None:
        pooled = _alike(width, _heights(counted, centre))
    if pooled:
        width = np.full(good.size, np.median(width))
    if np.median(width) < NARROW:
        found = _channel_by_channel(counted, read, centre, width, pooled)
    else:
        found = _on_grid(counted, read, centre, width, pooled, model)
    kernels, tops, odd, doubt = found
    n = len(electrons)
    centres = np.full(n, np.nan)
    centres[good] = tops
    if not pooled:
        kernels = _for_all(kernels, good, n)
        odd, doubt = (_for_all(v[:, None], good, n)[:, 0] for v in (odd, doubt))
    response = Response(kernels)
    return BlindResponse(response, odd, doubt, centres, pooled, peaks.problem)


def _on_grid(
    counted: np.ndarray,
    read: np.ndarray,
    centre: np.ndarray,
    width: np.ndarray,
    pooled: bool,
    model: ResponseModel,
) -> tuple[np.ndarray, ...]:
    """Kernels, tops in channels, oddness and doubt by the fit and the network."""
    grid = model.grid
    profile, height = (
        grid.measure(counted, read, centre, width),
        _heights(counted, centre),
    )
    offset_error = offset_errors(counted, read)
    if pooled:
        profile, height, width = _summed(profile), height.sum(keepdims=True), width[:1]
        offset_error = offset_error.sum(keepdims=True)
    parameters = fit_peaks(profile, height, grid, offset_error)
    profile = without_offset(profile, parameters, height)
    logs, errors = model.estimate(profile, parameters, height, width)
    odd = _oddness(logs, parameters, grid)
    tops = tops_of(logs, grid, np.where(odd < _USUAL, parameters[:, 1], np.nan))
    kernels = kernels_of(logs, grid, tops, width, counted.shape[1])
    doubt = _doubt(logs, errors, width, grid)
    return kernels, centre + tops * width, odd, doubt


def _channel_by_channel(
    counted: np.ndarray,
    read: np.ndarray,
    centre: np.ndarray,
    width: np.ndarray,
    pooled: bool,
) -> tuple[np.ndarray, ...]:
    """The same of peaks of few channels, by the fit alone, without a doubt."""
    kernels, tops = narrow_responses(counted, read, centre, width, counted.shape[1])
    if pooled:
        kernels = kernels.mean(axis=0, keepdims=True)
    none = np.zeros(len(kernels))
    return kernels, tops, none, none


def _checked(electrons: np.ndarray) -> np.ndarray:
    electrons = np.asarray(electrons, dtype=float)
    if electrons.ndim != 2:
        raise ValueError(
            f"`electrons` has the shape {electrons.shape}; give one spectrum a row."
        )
    if not np.isfinite(electrons).all():
        raise ValueError("`electrons` holds NaN or infinite values; replace them.")
    return electrons


def _counted(
    spectra: np.ndarray,
    noise: DetectorNoise | None,
    rows: np.ndarray,
    centre: np.ndarray,
    width: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Electrons, and the variance of reading out in electrons^2."""
    if noise is None:
        noise = estimate_noise(spectra, centre, width)
        spectra = noise.electrons(spectra)
    else:
        noise = noise.select(rows)
    return spectra, np.broadcast_to(noise.read_electrons, len(spectra))


def _heights(electrons: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Electrons in the highest of the five channels around the top."""
    around = np.rint(centre).astype(int)[:, None] + np.arange(-2, 3)
    around = np.clip(around, 0, electrons.shape[1] - 1)
    return np.maximum(np.take_along_axis(electrons, around, axis=1).max(axis=1), 1.0)


def _alike(widths: np.ndarray, heights: np.ndarray) -> bool:
    """Whether widths scatter no more than their errors do."""
    if widths.size < 2:
        return False
    errors = _WIDTH_ERROR / np.sqrt(widths * heights)
    errors = np.hypot(errors, _LEAST_WIDTH_ERROR)
    deviation = np.log(widths / np.median(widths)) / errors
    return bool(np.quantile(np.abs(deviation), _MOST) < _ALIKE_WITHIN)


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


def _oddness(
    log_response: np.ndarray, parameters: np.ndarray, grid: ProfileGrid
) -> np.ndarray:
    """Share of the electrons that the fitted peak puts elsewhere, shape (n,)."""
    spacing = np.diff(grid.edges)
    response = np.exp(log_response) * spacing
    fitted = np.exp(peak_logarithms(parameters, grid.nodes)) * spacing
    response /= response.sum(axis=1, keepdims=True)
    fitted /= fitted.sum(axis=1, keepdims=True)
    return 0.5 * np.abs(response - fitted).sum(axis=1)


def _doubt(
    log_response: np.ndarray, errors: np.ndarray, widths: np.ndarray, grid: ProfileGrid
) -> np.ndarray:
    """Expected squared error of kernels on the side of the losses, shape (n,).

    In channels, of kernels that sum to one; errors are those of logarithms.
    """
    spacing = np.diff(grid.edges)
    response = np.exp(log_response)
    area = widths * (response @ spacing)
    past = np.where(grid.nodes > 0.5, spacing, 0.0)
    wrong = (response * np.minimum(errors, 1.0)) ** 2 @ past
    return 2 * widths * wrong / area**2  # Laplace: the variance is twice the scale^2
