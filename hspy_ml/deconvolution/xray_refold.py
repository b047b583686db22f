# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what comes out, broadened again, explain the counts? And how sure is it?"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from .xray_response import XrayResponse
from .xray_richardson_lucy import richardson_lucy

__all__ = [
    "FLAG_DEVIANCE",
    "bootstrap_errors",
    "error_scale",
    "explained",
    "refold_deviance",
]

LEAST_EXPECTED = 5.0  # counts of a group of channels
FLAG_DEVIANCE = 1.5
FLAG_IN_SIGMA = 5.0
N_REPLICATES = 2
SMOOTHER = 1.1  # errors over those on what was found
SCALES = (0.75, 3.0)  # least and most that errors are multiplied by
MANY_COUNTS = 3e4  # show what the response does not describe: errors are not reduced
COUNT_UNSEEN = 0.25  # counts that may be where none was seen, within the response


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
    averaged over the response; where nothing was seen, a quarter of a count may be.

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
    return np.sqrt(local + unseen**2)


def error_scale(
    found: np.ndarray,
    errors: np.ndarray,
    response: XrayResponse,
    again: Callable[[np.ndarray], np.ndarray],
    random_state: int,
) -> float:
    """What errors are to be multiplied by so that they hold, by doing it all again.

    As in `bootstrap_errors`, with the coverage of all channels together.

    Parameters
    ----------
    found, errors : ndarray, shape (n_spectra, n_channels)
        At the target resolution.
    response : XrayResponse
    again : callable
        Deconvolves counts.
    random_state : int

    Returns
    -------
    float
        Between 68 % within one error and 95 % within 1.96, and 10 % more, since what
        was found is smoother than the truth; 0.75 to 3, and at least 1 for many counts.
    """
    counts = _poisson_of_each(np.maximum(response.forward(found), 0.0), random_state)
    off = np.abs(again(counts) - found) / np.maximum(errors, 1e-12)
    one, two = np.quantile(off, (0.68, 0.95))
    least, most = SCALES
    if np.median(found.sum(axis=1)) > MANY_COUNTS:
        least = 1.0
    return float(np.clip(SMOOTHER * np.sqrt(one * two / 1.96), least, most))


def _poisson_of_each(expected: np.ndarray, seed: int) -> np.ndarray:
    drawn = np.empty(expected.shape)
    for row, mean in enumerate(expected):
        rng = np.random.default_rng([seed, zlib.crc32(mean.tobytes())])
        drawn[row] = rng.poisson(mean)
    return drawn
