# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other pixels of an image tell of one: empirical Bayes.

The composition of a pixel is weighed against those of its neighbours: their mean, and
how much they differ. Where they are alike, few counts in each add up; where they
differ, at a boundary or in a mixture of fine grains, each is judged by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = ["Posterior", "moments_of_image", "moments_of_neighbours"]

#: From the moments of each pixel's population to its mean and standard deviation.
Posterior = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

PASSES_OF_IMAGE = 4
PASSES_OF_NEIGHBOURS = 6
NEIGHBOURHOOD = 2.0  # standard deviation of the weights, in pixels
LEAST_WEIGHT = 1e-6


def moments_of_image(
    posterior: Posterior, start: np.ndarray, n_pixels: int
) -> np.ndarray:
    r"""Mean and scatter of the compositions in an image.

    The mean of the posterior means, and their variance with the mean posterior
    variance, repeated with the prior that they make (expectation and maximisation).

    Parameters
    ----------
    posterior : callable
    start : ndarray, shape (2 n_elements,)
        Moments of any specimen.
    n_pixels : int

    Returns
    -------
    ndarray, shape (2 n_elements,)

    References
    ----------
    B. Efron, C. Morris, J. Am. Stat. Assoc. 68 (1973) 117; A. P. Dempster, N. M.
    Laird, D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1.
    """
    moments = start
    for _ in range(PASSES_OF_IMAGE):
        mean, deviation = posterior(np.broadcast_to(moments, (n_pixels, start.size)))
        centre = mean.mean(axis=0)
        variance = (deviation**2 + (mean - centre) ** 2).mean(axis=0)
        moments = np.concatenate([centre, np.sqrt(variance)])
    return moments


def moments_of_neighbours(
    posterior: Posterior,
    start: np.ndarray,
    shape: tuple[int, ...],
    used: np.ndarray,
) -> np.ndarray:
    """Mean and scatter of the compositions around each pixel.

    As `moments_of_image`, with weights that fall with the distance: a Gaussian of two
    pixels' standard deviation.

    Parameters
    ----------
    posterior : callable
    start : ndarray, shape (n_used, 2 n_elements)
        Moments of the image.
    shape : tuple of int
        Of the image.
    used : ndarray of bool, shape (n_pixels,)
        Pixels of the image that the posterior is of; the others have no weight.

    Returns
    -------
    ndarray, shape (n_used, 2 n_elements)
    """
    weight = _smoothed(used.astype(np.float64)[:, None], shape)
    weight = np.maximum(weight, LEAST_WEIGHT)
    moments = start
    for _ in range(PASSES_OF_NEIGHBOURS):
        mean, deviation = posterior(moments)
        first = _around(mean, shape, used, weight)
        second = _around(mean**2 + deviation**2, shape, used, weight)
        variance = np.maximum(second - first**2, 0)
        moments = np.concatenate([first, np.sqrt(variance)], axis=1)
    return moments


def _around(
    values: np.ndarray, shape: tuple[int, ...], used: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Weighted mean over the neighbours that are used."""
    whole = np.zeros((used.size, values.shape[1]))
    whole[used] = values
    return (_smoothed(whole, shape) / weight)[used]


def _smoothed(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    image = values.reshape(*shape, values.shape[1])
    width = (*(NEIGHBOURHOOD if n > 1 else 0 for n in shape), 0)
    return gaussian_filter(image, width, mode="nearest").reshape(values.shape)
