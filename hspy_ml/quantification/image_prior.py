# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other pixels of an image tell of one: empirical Bayes.

The composition of a pixel is weighed against those of its neighbours: their mean, and
how much they differ. Where they are alike, few counts in each add up; where they
differ, at a boundary or in a mixture of fine grains, each is judged by itself.

Where all pixels share something that is not known of any, such as the exponent of
their background, their errors are alike and do not average out. Then the sum of their
spectra, which tells it, has to set the mean (`KnownTotal`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = ["KnownTotal", "Posterior", "moments_of_image", "moments_of_neighbours"]

#: From the moments of each pixel's population to its mean and standard deviation.
Posterior = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

PASSES_OF_IMAGE = 4
PASSES_OF_NEIGHBOURS = 6
NEIGHBOURHOOD = 1.5  # standard deviation of the weights, in pixels
LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, eq=False)
class KnownTotal:
    """Composition of all pixels together, from the sum of their spectra.

    Parameters
    ----------
    composition : ndarray, shape (n_elements,)
        Atomic fractions.
    amounts : ndarray, shape (n_pixels,)
        How much each pixel has of it.
    """

    composition: np.ndarray
    amounts: np.ndarray

    def levelled(self, mean: np.ndarray) -> np.ndarray:
        """Compositions of the pixels, all shifted so that their total is right.

        Parameters
        ----------
        mean : ndarray, shape (n_pixels, n_elements)

        Returns
        -------
        ndarray, shape (n_pixels, n_elements)
            From 0 to 1.
        """
        total = self.amounts @ mean / self.amounts.sum()
        return np.clip(mean + self.composition - total, 0, 1)


def moments_of_image(
    posterior: Posterior,
    start: np.ndarray,
    weight: np.ndarray,
    known: KnownTotal | None = None,
) -> np.ndarray:
    r"""Mean and scatter of the compositions in an image.

    The mean of the posterior means, and their variance with the mean posterior
    variance, repeated with the prior that they make (expectation and maximisation).

    Parameters
    ----------
    posterior : callable
    start : ndarray, shape (2 n_elements,)
        Moments of any specimen.
    weight : ndarray, shape (n_pixels,)
        Of each pixel; zero for those that do not belong to the specimen.
    known : KnownTotal, optional

    Returns
    -------
    ndarray, shape (2 n_elements,)

    References
    ----------
    B. Efron, C. Morris, J. Am. Stat. Assoc. 68 (1973) 117; A. P. Dempster, N. M.
    Laird, D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1.
    """
    moments = start
    if not weight.any():
        return moments
    share = weight / weight.sum()
    if known is not None:
        moments = np.concatenate([known.composition, start[known.composition.size :]])
    for _ in range(PASSES_OF_IMAGE):
        mean, deviation = posterior(np.broadcast_to(moments, (weight.size, start.size)))
        mean = mean if known is None else known.levelled(mean)
        centre = share @ mean
        variance = share @ (deviation**2 + (mean - centre) ** 2)
        moments = np.concatenate([centre, np.sqrt(variance)])
    return moments


def moments_of_neighbours(
    posterior: Posterior,
    start: np.ndarray,
    shape: tuple[int, ...],
    there: np.ndarray,
    weight: np.ndarray,
    known: KnownTotal | None = None,
) -> np.ndarray:
    """Mean and scatter of the compositions around each pixel.

    As `moments_of_image`, with weights that fall with the distance: a Gaussian of 1.5
    pixels' standard deviation, about 30 pixels in all.

    Parameters
    ----------
    posterior : callable
    start : ndarray, shape (2 n_elements,)
        Moments of the image; they hold where no neighbour has weight.
    shape : tuple of int
        Of the image.
    there : ndarray of bool, shape (prod(shape),)
        Pixels that the posterior is of.
    weight : ndarray, shape (n_there,)
        Of each of them.
    known : KnownTotal, optional

    Returns
    -------
    ndarray, shape (n_there, 2 n_elements)
    """
    around = _Neighbours(shape, there, weight)
    moments = np.broadcast_to(start, (weight.size, start.size))
    for _ in range(PASSES_OF_NEIGHBOURS):
        mean, deviation = posterior(moments)
        mean = mean if known is None else known.levelled(mean)
        first = around.mean(mean)
        variance = np.maximum(around.mean(mean**2 + deviation**2) - first**2, 0)
        found = np.concatenate([first, np.sqrt(variance)], axis=1)
        moments = np.where(around.total > LEAST_WEIGHT, found, start)
    return moments


class _Neighbours:
    """Weighted means around each pixel of an image."""

    def __init__(
        self, shape: tuple[int, ...], there: np.ndarray, weight: np.ndarray
    ) -> None:
        self.shape = shape
        self.there = there
        self.weight = weight[:, None]
        self.total = self._smoothed(self.weight)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Over the neighbours, shape as `values`, (n_there, n_elements)."""
        total = np.maximum(self.total, LEAST_WEIGHT)
        return self._smoothed(values * self.weight) / total

    def _smoothed(self, values: np.ndarray) -> np.ndarray:
        image = np.zeros((self.there.size, values.shape[1]))
        image[self.there] = values
        width = (*(NEIGHBOURHOOD if n > 1 else 0 for n in self.shape), 0)
        smooth = gaussian_filter(image.reshape(*self.shape, -1), width, mode="constant")
        return smooth.reshape(image.shape)[self.there]
