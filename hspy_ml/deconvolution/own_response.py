# SPDX-License-Identifier: GPL-3.0-or-later
"""The response where none is given: from the counts themselves."""

from __future__ import annotations

import numpy as np

from .blind_response import BlindResponse, blind_response
from .dark_level import dark_level
from .noise import DetectorNoise
from .noise_prior import NoisePrior
from .response import Response
from .transfer import gaussian_line
from .zero_loss import find_zero_loss

_WIDTH_OF_NONE = 10.0  # channels, where there is nothing to tell
_N_NONE = 101

__all__ = ["response_of_all", "response_of_each"]


def response_of_all(counts: np.ndarray) -> BlindResponse:
    """One response for all spectra if their peaks are alike, else one for each.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)

    Returns
    -------
    BlindResponse
    """
    peaks = find_zero_loss(counts)
    good = peaks.problem == ""
    prior = NoisePrior.from_spectra(counts[good], peaks.centre[good], peaks.fwhm[good])
    return _estimated(counts, prior, None)


def response_of_each(counts: np.ndarray, prior: NoisePrior) -> BlindResponse:
    """The response of each spectrum, whatever the others are.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)
    prior : NoisePrior
        Its mean gain and read-out noise are taken for all.

    Returns
    -------
    BlindResponse
        With n rows; any Gaussian where no spectrum has a zero-loss peak.
    """
    return _estimated(counts, prior, False)


def _estimated(
    counts: np.ndarray, prior: NoisePrior, pooled: bool | None
) -> BlindResponse:
    peaks = find_zero_loss(counts)
    known = peaks.problem == ""
    n = len(counts)
    if not known.any():
        return _none(peaks.centre, peaks.problem)
    centre = np.where(known, peaks.centre, 0.0)
    offset = dark_level(counts, centre, np.where(known, peaks.fwhm, 1.0))
    electrons = (counts - offset[:, None]) * np.exp(-prior.log_gain)
    noise = DetectorNoise.of_electrons(np.full(n, prior.read))
    return blind_response(electrons, noise, pooled=pooled)


def _none(centre: np.ndarray, problem: np.ndarray) -> BlindResponse:
    n = len(centre)
    line = gaussian_line(_N_NONE, np.full(n, _N_NONE // 2), np.full(n, _WIDTH_OF_NONE))
    unknown = np.full(n, np.inf)
    return BlindResponse(Response(line), unknown, unknown, centre, False, problem)
