# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what comes out, broadened again, explain the counts? And how sure is it?"""

from __future__ import annotations

import zlib

import numpy as np

from .xray_response import XrayResponse
from .xray_richardson_lucy import richardson_lucy

__all__ = ["FLAG_DEVIANCE", "bootstrap_errors", "explained", "refold_deviance"]

LEAST_EXPECTED = 5.0  # counts of a group of channels
FLAG_DEVIANCE = 1.5
FLAG_IN_SIGMA = 5.0
N_REPLICATES = 2
SPREAD_OF_FEW = 1.1  # what two replicates tell too little
COUNT_UNSEEN = 0.3  # counts that may be where none was seen, within the response


def refold_deviance(
    counts: np.ndarray, refolded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Reduced deviance of counts from what is expected of them.

    Parameters
    ----------
    counts, refolded : ndarray, shape (n_spectra, n_channels)
        Counts, and their expectation.

    Returns
    -------
    deviance : ndarray, shape (n_spectra,)
        Over the number of groups of channels in which five counts are expected; one,
        where the expectation is true, and less, where it follows the noise. One for
        spectra without such a group.
    excess : ndarray, shape (n_spectra,)
        Above one, in standard deviations.
    """
    from .xray_refold_kernels import grouped_deviance

    n = counts.shape[0]
    deviance, mean, n_groups = np.empty(n), np.empty(n), np.empty(n, np.int64)
    seen = np.ascontiguousarray(counts, dtype=np.float64)
    due = np.ascontiguousarray(refolded, dtype=np.float64)
    grouped_deviance(seen, due, LEAST_EXPECTED, deviance, mean, n_groups)
    excess = (deviance - mean) / np.sqrt(2 * np.maximum(n_groups, 1))
    some = n_groups > 0
    reduced = np.where(some, deviance / np.maximum(mean, 1e-300), 1.0)
    return reduced, np.where(some, excess, 0.0)


def explained(deviance: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Whether the expectation holds, as `refold_deviance` sees it.

    Parameters
    ----------
    deviance, excess : ndarray, shape (n_spectra,)

    Returns
    -------
    ndarray of bool, shape (n_spectra,)
    """
    return (deviance < FLAG_DEVIANCE) | (excess < FLAG_IN_SIGMA)


def bootstrap_errors(
    found: np.ndarray,
    response: XrayResponse,
    n_iterations: np.ndarray,
    random_state: int,
) -> np.ndarray:
    """Standard errors of Richardson-Lucy, by doing it again with what it found.

    What was found is taken as the truth, measured and deconvolved again, which repeats
    both the noise and what too few iterations leave broad. The squared differences are
    averaged over the response; where nothing was seen, a third of a count may be.

    Parameters
    ----------
    found : ndarray, shape (n_spectra, n_channels)
        At the target resolution.
    response : XrayResponse
    n_iterations : ndarray of int, shape (n_spectra,)
    random_state : int
        Seed. Each spectrum has noise of its own, whatever else is in the block.

    Returns
    -------
    ndarray of float64, shape (n_spectra, n_channels)
    """
    expected = np.maximum(response.forward(found), 0.0)
    squared = np.zeros(found.shape)
    for replicate in range(N_REPLICATES):
        drawn = _poisson_of_each(expected, random_state + replicate)
        again = richardson_lucy(drawn, response, n_iterations)
        squared += (again - found) ** 2 / N_REPLICATES
    local = response.backward(squared)
    unseen = COUNT_UNSEEN / response.channels_under
    return np.sqrt(SPREAD_OF_FEW**2 * local + unseen**2)


def _poisson_of_each(expected: np.ndarray, seed: int) -> np.ndarray:
    drawn = np.empty(expected.shape)
    for row, mean in enumerate(expected):
        rng = np.random.default_rng([seed, zlib.crc32(mean.tobytes())])
        drawn[row] = rng.poisson(mean)
    return drawn
