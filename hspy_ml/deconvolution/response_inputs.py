# SPDX-License-Identifier: GPL-3.0-or-later
"""What the response network is given of spectra."""

from __future__ import annotations

import numpy as np

from .peak_fit import peak_logarithms
from .profile_grid import Profile, ProfileGrid

__all__ = ["LOG_FLOOR", "network_inputs"]

LOG_FLOOR = float(np.log(1e-7))  # of the height of the peak; less is no matter
LARGEST_MISFIT = 100.0  # errors
LEFT, CORE = -0.5, 0.5  # widths
LEAST_ERROR = 1e-3  # of the peak at each place


def network_inputs(
    profile: Profile,
    parameters: np.ndarray,
    heights: np.ndarray,
    widths: np.ndarray,
    grid: ProfileGrid,
) -> np.ndarray:
    """Inputs of :class:`hspy_ml.deconvolution.response_network.ResponseNetwork`.

    Parameters
    ----------
    profile : Profile
        Spectra on the grid.
    parameters : ndarray, shape (n, 7)
        Of the fitted peaks.
    heights, widths : ndarray, shape (n,)
        Of the peaks: electrons per channel that the parameters are in units of, and
        channels.
    grid : ProfileGrid

    Returns
    -------
    ndarray of float32, shape (n, 4 n_nodes + N_SCALARS)
        At the nodes: logarithm of the fitted peak; that of the spectrum over it, both
        no less than the spectrum's error; that of the error; whether the spectrum
        reaches there. Then width, height, shape and misfits of the peak.
    """
    from .response_network import LOG_SCALE

    top = (heights * np.exp(parameters[:, 0]))[:, None]
    log_fit = peak_logarithms(parameters, grid.nodes) - parameters[:, :1]
    log_fit = np.maximum(log_fit, LOG_FLOOR)
    fit = np.exp(log_fit)
    error, density = profile.error / top, profile.density / top
    floor = error + np.exp(LOG_FLOOR)
    above = np.log((np.maximum(density, 0) + floor) / (fit + floor))
    covered = profile.covered
    pieces = [
        log_fit / LOG_SCALE,
        np.where(covered, above, 0.0) / LOG_SCALE,
        np.where(covered, np.log(floor / (fit + floor)), 0.0) / LOG_SCALE,
        covered,
        np.log(widths)[:, None] / 3 - 1,
        np.log(top) / LOG_SCALE - 1,
        parameters[:, 1:6],
        _misfits(density - fit, np.hypot(error, LEAST_ERROR * fit), covered, grid),
    ]
    return np.concatenate(pieces, axis=1).astype(np.float32)


def _misfits(
    miss: np.ndarray, error: np.ndarray, covered: np.ndarray, grid: ProfileGrid
) -> np.ndarray:
    """Logarithms of the mean squared misfit left of the core, in it, and below."""
    in_errors = np.clip(miss / error, -LARGEST_MISFIT, LARGEST_MISFIT)
    left = covered & (grid.nodes < LEFT)
    core = covered & (np.abs(grid.nodes) <= CORE)
    below = covered & (in_errors < 0)
    columns = [
        np.sum(np.where(part, in_errors**2, 0), axis=1)
        / np.maximum(part.sum(axis=1), 1)
        for part in (left, core, below)
    ]
    return np.log(np.stack(columns, axis=1) + 0.1) / 4
