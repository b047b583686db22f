# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network is shown of an X-ray spectrum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .xray_response import XrayResponse
from .xray_richardson_lucy import richardson_lucy

__all__ = ["N_INPUTS", "XrayInputs", "network_inputs", "usual_iterations"]

EXPONENT, AT_ONE_COUNT = 1 / 3, 2.2  # of the iterations over the dose
FEWEST, MOST = 5, 80  # iterations
EARLY = 0.2  # share of the iterations after which the network looks for the first time
SOFT = 0.1  # counts, below which a logarithm tells no more
LARGEST = 6.0  # of an input
N_INPUTS = 8


class XrayInputs(NamedTuple):
    """What the network is shown, and from where it sets out.

    Attributes
    ----------
    shown : ndarray of float32, shape (n_spectra, N_INPUTS, n_channels)
    start : ndarray of float32, shape (n_spectra, n_channels)
        After the late iterations, counts.
    """

    shown: np.ndarray
    start: np.ndarray


def usual_iterations(dose: np.ndarray) -> np.ndarray:
    """Iterations of Richardson-Lucy that are about right for most spectra.

    Parameters
    ----------
    dose : ndarray, shape (n_spectra,)
        Counts of the whole spectrum.

    Returns
    -------
    ndarray of int64, shape (n_spectra,)
        10 for 100 counts, 47 for 10,000, 80 from 50,000 on.
    """
    about = AT_ONE_COUNT * np.maximum(dose, 1.0) ** EXPONENT
    return np.rint(np.clip(about, FEWEST, MOST)).astype(np.int64)


def network_inputs(
    counts: np.ndarray, response: XrayResponse, dose: np.ndarray | None = None
) -> XrayInputs:
    """Counts, Richardson-Lucy at two stages, what it leaves, widths and dose.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)
        Not negative.
    response : XrayResponse
    dose : ndarray, shape (n_spectra,), optional
        Counts of the whole spectrum, where `counts` are a part of it.

    Returns
    -------
    XrayInputs
    """
    iterations = usual_iterations(counts.sum(axis=1) if dose is None else dose)
    n_early = np.rint(EARLY * iterations).astype(np.int64)
    early = richardson_lucy(counts, response, n_early)
    late = richardson_lucy(counts, response, iterations - n_early, early)
    refolded = response.forward(late)
    noise = np.sqrt(refolded + 0.5)
    residual = (counts - refolded) / noise
    folded_back = response.backward(residual) * np.sqrt(response.channels_under)
    widths = np.log([response.fwhm, response.target_fwhm]) - 2
    shown = np.stack(
        [
            _logarithm(counts),
            _logarithm(late),
            np.log((late + SOFT) / (early + SOFT)),
            residual,
            folded_back,
            *(np.broadcast_to(width, counts.shape) for width in widths),
            np.broadcast_to(np.log(iterations)[:, None] / 2 - 1, counts.shape),
        ],
        axis=1,
    )
    return XrayInputs(
        np.clip(shown, -LARGEST, LARGEST).astype(np.float32), late.astype(np.float32)
    )


def _logarithm(counts: np.ndarray) -> np.ndarray:
    """Zero for none; 0.6 for one count, 2.9 for 10,000."""
    return np.log1p(counts / SOFT) / 4
