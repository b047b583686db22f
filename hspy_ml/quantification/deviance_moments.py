# SPDX-License-Identifier: GPL-3.0-or-later
r"""Mean and variance of the Poisson deviance of one channel.

.. math:: d(y; \mu) = 2 \left[y \ln(y / \mu) - (y - \mu)\right]

has mean 1 and variance 2 only for many counts; for few, its mean is
:math:`2 \mu \ln(1 / \mu)` and so far below one. A goodness of fit for sparse counts
needs the exact moments (McCullagh 1986, J. Am. Stat. Assoc. 81, 104).
"""

from __future__ import annotations

from functools import cache

import numpy as np

#: Knots are ``2**exponent (1 + j / KNOTS_PER_OCTAVE)``: found from a number's bits.
KNOTS_PER_OCTAVE = 32
SMALLEST_EXPONENT = -40
LARGEST_EXPONENT = 10
#: Columns of the table.
MEAN, VARIANCE, SLOPE, CURVATURE = range(4)


@cache
def deviance_moments() -> np.ndarray:
    """Moments of the deviance at the knots, as a table.

    Returns
    -------
    ndarray, shape (n_knots, 4)
        Mean and variance, and the first and second derivative of the mean with
        respect to :math:`\\mu`, at means from 2**-40 to 2**10.
    """
    octaves = [_octave(e) for e in range(SMALLEST_EXPONENT, LARGEST_EXPONENT)]
    last = moments_at(np.array([2.0**LARGEST_EXPONENT]))
    table = np.concatenate([*octaves, last])
    table.setflags(write=False)
    return table


def _octave(exponent: int) -> np.ndarray:
    steps = 1 + np.arange(KNOTS_PER_OCTAVE) / KNOTS_PER_OCTAVE
    return moments_at(2.0**exponent * steps)


def moments_at(mean: np.ndarray) -> np.ndarray:
    r"""Moments of the deviance, summed over all counts that occur.

    Parameters
    ----------
    mean : ndarray, shape (n,)
        Expected counts, above zero, of similar size.

    Returns
    -------
    ndarray, shape (n, 4)
        As :func:`deviance_moments`. The derivatives are
        :math:`E' = \mathrm{Cov}(d, y) / \mu`, since
        :math:`\mathrm{E}[\partial d / \partial \mu] = 0`, and, from
        :math:`\partial d / \partial \mu = 2 (1 - y / \mu)`,
        :math:`E'' = \mathrm{E}[d (s^2 - y / \mu^2)] - 2 / \mu` with
        :math:`s = (y - \mu) / \mu`.
    """
    from scipy.special import gammaln, xlogy

    mu = np.asarray(mean, dtype=float)[:, None]
    y = np.arange(np.ceil(mu.max() + 12 * np.sqrt(mu.max()) + 40))
    probability = np.exp(xlogy(y, mu) - mu - gammaln(y + 1))
    deviance = 2 * (xlogy(y, y / mu) - (y - mu))
    score = (y - mu) / mu
    expected = (probability * deviance).sum(axis=1)
    spread = deviance - expected[:, None]
    variance = (probability * spread**2).sum(axis=1)
    slope = (probability * deviance * score).sum(axis=1)
    second = probability * deviance * (score**2 - y / mu**2)
    curvature = second.sum(axis=1) - 2 / mu[:, 0]
    return np.stack([expected, variance, slope, curvature], axis=1)
