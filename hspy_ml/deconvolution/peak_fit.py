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

__all__ = ["fit_peaks", "peak_logarithms"]

_HALF = np.log(0.5)
_START = (0.0, 0.0, _HALF, _HALF, -2.0, 0.2)  # height, place, widths, share, exponent
_LEAST_ERROR = 5e-4  # of the peak at each place: bins are no points
_SPREAD = (3.0, 0.5, 0.7, 0.7, 2.5, 0.35)  # standard deviations of the prior
_N_ITERATIONS = 30
_CORE = 0.4  # widths, within which losses are no matter
_TOLERANCES = (4.0, 10.0, 1.5)  # errors: left of the core, in it, right of it


def fit_peaks(
    profile: Profile, heights: np.ndarray, grid: ProfileGrid | ChannelGrid
) -> np.ndarray:
    """Fit the peak alone, whatever losses and gains lie on it.

    Parameters
    ----------
    profile : Profile
        Spectra on the grid.
    heights : ndarray, shape (n,)
        Of their tops, electrons per channel.
    grid : ProfileGrid or ChannelGrid

    Returns
    -------
    ndarray, shape (n, 6)
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
        _LEAST_ERROR,
        np.array(_START),
        1 / np.array(_SPREAD) ** 2,
        _N_ITERATIONS,
        best,
    )
    return best


def peak_logarithms(parameters: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Logarithms of fitted peaks.

    Parameters
    ----------
    parameters : ndarray, shape (n, 6)
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
