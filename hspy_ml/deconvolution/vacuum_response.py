# SPDX-License-Identifier: GPL-3.0-or-later
"""The response from spectra in which nothing was lost."""

from __future__ import annotations

import numpy as np

from .blind_response import blind_response
from .outlying import ODD
from .response import Response

__all__ = ["response_of_vacuum"]


def response_of_vacuum(counts: np.ndarray) -> Response:
    """Responses from measured zero-loss peaks.

    A peak of the usual shapes is fitted by them, which leaves out its noise and tells
    its tails from the dark level: ten times nearer to the truth than its channels.
    One that they do not describe is taken as it was measured.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels) or (n_channels,)
        Vacuum spectra.

    Returns
    -------
    Response
        One row for each.

    Raises
    ------
    ValueError
        As :meth:`Response.from_spectrum`.
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    measured = Response.from_spectrum(counts)
    fitted = blind_response(counts, pooled=False)
    usual = np.broadcast_to(fitted.oddness < ODD, len(counts)) & (fitted.problem == "")
    half_width = max(measured.half_width, fitted.response.half_width)
    kernels = _widened(measured.kernel, half_width)
    kernels[usual] = _widened(fitted.response.kernel, half_width)[usual]
    return Response(kernels)


def _widened(kernel: np.ndarray, half_width: int) -> np.ndarray:
    missing = half_width - kernel.shape[1] // 2
    return np.pad(kernel, ((0, 0), (missing, missing)))
