# SPDX-License-Identifier: GPL-3.0-or-later
"""The response where none is given: from the counts themselves."""

from __future__ import annotations

import numpy as np

from .blind_response import estimate_response
from .dark_level import dark_level
from .noise import DetectorNoise
from .noise_prior import NoisePrior
from .response import Response
from .zero_loss import find_zero_loss

__all__ = ["response_of_all", "response_of_each"]


def response_of_all(counts: np.ndarray) -> Response:
    """One response for all spectra if their peaks are alike, else one for each.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)

    Returns
    -------
    Response
    """
    peaks = find_zero_loss(counts)
    good = peaks.problem == ""
    prior = NoisePrior.from_spectra(counts[good], peaks.centre[good], peaks.fwhm[good])
    return _estimated(counts, prior, None)


def response_of_each(counts: np.ndarray, prior: NoisePrior) -> Response:
    """The response of each spectrum, whatever the others are.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)
    prior : NoisePrior
        Its mean gain and read-out noise are taken for all.

    Returns
    -------
    Response
        With n rows.
    """
    return _estimated(counts, prior, False)


def _estimated(counts: np.ndarray, prior: NoisePrior, pooled: bool | None) -> Response:
    peaks = find_zero_loss(counts)
    known = peaks.problem == ""
    centre = np.where(known, peaks.centre, 0.0)
    offset = dark_level(counts, centre, np.where(known, peaks.fwhm, 1.0))
    electrons = (counts - offset[:, None]) * np.exp(-prior.log_gain)
    n = len(counts)
    noise = DetectorNoise(np.ones(n), np.full(n, prior.read), np.zeros(n))
    return estimate_response(electrons, noise, pooled=pooled)
