# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-loss peaks as a Gaussian and a Pearson VII with two half widths.

Pseudo-Voigt shapes (exponent 1) and Pearson VII shapes (all tail) are among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .profile_grid import Profile, ProfileGrid

if TYPE_CHECKING:
    from .narrow_peaks import ChannelGrid

__all__ = ["fit_peaks", "offset_errors", "peak_logarithms", "without_offset"]

_HALF = np.log(0.5)
_START = (0.0, 0.0, _HALF, _HALF, -2.0, 0.2, 0.0)  # of the parameters
_LEAST_ERRORS = (0.02, 5e-4)  # of the peak at each place; bins are no points
_SPREAD = (3.0, 0.5, 0.7, 0.7, 2.5, 0.35, 1.0)  # standard deviations of the prior
_N_ITERATIONS = (10, 30)
_SHARE_OF_FIRST = 50  # the first channels are one in so many
_CORE = 0.4  # widths, within which losses are no matter
_TOLERANCES = (4.0, 10.0, 1.5)  # errors: left of the core, in it, right of it


def fit_peaks(
    profile: Profile,
    heights: np.ndarray,
    grid: ProfileGrid | ChannelGrid,
    offset_errors: np.ndarray,
) -> np.ndarray:
    """Fit the peak alone, whatever losses and gains lie on it.

    Parameters
    ----------
    profile : Profile
        Spectra on the grid.
    heights : ndarray, shape (n,)
        Of their tops, electrons per channel.
    grid : ProfileGrid or ChannelGrid
    offset_errors : ndarray, shape (n,)
        Standard error of the offset that was taken off, electrons per channel.

    Returns
    -------
    ndarray, shape (n, 7)
        Parameters, see :func:`hspy_ml.deconvolution.peak_fit_kernels.peak_value`;
        heights over `heights`, lengths in widths.

    Notes
    -----
    Counts above the peak may be losses (or, on the left, gains): the farther above,
    the less they weigh (Cauchy). Counts below it weigh in full.
    """
    from . import peak_fit_kernels as kernels

    scale = heights[:, None]
    density = np.ascontiguousarray(profile.density / scale)
    error = np.ascontiguousarray(profile.error / scale)
    tolerance = np.full(grid.nodes.size, _TOLERANCES[0])
    tolerance[np.abs(grid.nodes) <= _CORE] = _TOLERANCES[1]
    tolerance[grid.nodes > _CORE] = _TOLERANCES[2]
    best = np.empty((len(density), kernels.N_PARAMETERS))
    kernels.fit_peaks(
        density,
        error,
        profile.covered,
        grid.edges,
        tolerance,
        np.array(_LEAST_ERRORS),
        np.array(_START),
        1 / np.array(_SPREAD) ** 2,
        (heights / np.maximum(offset_errors, 1e-9 * heights)) ** 2,
        np.array(_N_ITERATIONS),
        best,
    )
    return best


def peak_logarithms(parameters: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Logarithms of fitted peaks.

    Parameters
    ----------
    parameters : ndarray, shape (n, 7)
        See :func:`fit_peaks`.
    places : ndarray, shape (n_places,)
        In widths.

    Returns
    -------
    ndarray, shape (n, n_places)
    """
    from . import peak_fit_kernels as kernels

    values = np.empty((len(parameters), places.size))
    kernels.peak_values(np.ascontiguousarray(parameters), places, values)
    return values


def offset_errors(electrons: np.ndarray, read_variance: np.ndarray) -> np.ndarray:
    """How wrong an offset may be that was estimated where the peak's tail is.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
    read_variance : ndarray, shape (n,)
        Electrons^2.

    Returns
    -------
    ndarray, shape (n,)
        Electrons per channel: as much as there is in the first channels.
    """
    n_first = max(electrons.shape[1] // _SHARE_OF_FIRST, 4)
    level = np.abs(electrons[:, :n_first].mean(axis=1))
    return level + np.sqrt((level + read_variance + 1) / n_first)


def without_offset(
    profile: Profile, parameters: np.ndarray, heights: np.ndarray
) -> Profile:
    """Spectra less the offset that was fitted with the peak.

    Parameters
    ----------
    profile : Profile
    parameters : ndarray, shape (n, 7)
    heights : ndarray, shape (n,)
        See :func:`fit_peaks`.

    Returns
    -------
    Profile
    """
    offset = (parameters[:, 6] * heights)[:, None]
    density = np.where(profile.covered, profile.density - offset, 0.0)
    return Profile(density, profile.error, profile.covered)
