# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether spectra and axis can be deconvolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .deconvolver import zero_channel

if TYPE_CHECKING:
    from .response import Response

__all__ = ["METHODS", "check_response", "checked_sample"]

METHODS = ("auto", "network", "richardson-lucy")
FEWEST_CHANNELS = 64
UNEVEN = 1e-3  # of the channel width, that energies may be off


def checked_sample(
    sample: np.ndarray, energy_eV: np.ndarray, method: str
) -> tuple[np.ndarray, np.ndarray]:
    """The sample as rows, and the axis.

    Parameters
    ----------
    sample, energy_eV, method
        As for `prepare_deconvolution`.

    Returns
    -------
    sample : ndarray, shape (n, n_channels)
    energy_eV : ndarray, shape (n_channels,)

    Raises
    ------
    ValueError
        If the axis is too short, does not rise evenly or does not hold 0 eV, shapes
        differ, or there is no such method.
    """
    sample, energy = np.atleast_2d(np.asarray(sample)), np.asarray(energy_eV, float)
    if method not in METHODS:
        raise ValueError(f"`method` is {method!r}; choose one of {', '.join(METHODS)}.")
    if sample.ndim != 2 or energy.shape != sample.shape[1:]:
        raise ValueError(
            f"`sample` has the shape {sample.shape}, `energy_eV` {energy.shape}; give "
            "spectra, one a row, and the energy of each of their channels."
        )
    if energy.size < FEWEST_CHANNELS:
        raise ValueError(
            f"`sample` has {energy.size} channels; it needs {FEWEST_CHANNELS} or more."
        )
    steps = np.diff(energy)
    if not (steps > 0).all() or np.ptp(steps) > UNEVEN * steps.mean():
        raise ValueError(
            "`energy_eV` has to increase in equal steps; interpolate the spectra to a "
            "uniform axis, and reverse a decreasing one."
        )
    if not 0 < zero_channel(energy) < energy.size - 1:
        raise ValueError(
            f"`energy_eV` runs from {energy[0]:.4g} to {energy[-1]:.4g} eV: no "
            "zero-loss peak is in the range. Give spectra with 0 eV on their axis."
        )
    return sample, energy


def check_response(response: Response, n: int) -> None:
    """Raise if the responses are not as many as the spectra.

    Parameters
    ----------
    response : Response
    n : int
        Spectra.

    Raises
    ------
    ValueError
    """
    if len(response) not in (1, n):
        raise ValueError(
            f"`response` has {len(response)} rows, `sample` {n} spectra; give one "
            "response, or one for each spectrum."
        )
