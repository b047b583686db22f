# SPDX-License-Identifier: GPL-3.0-or-later
"""The linear regression of SLADS, trained on example images of labels.

A share of the pixels of an example is measured at random, and the regression learns
from the features of the others what a measurement reduces the distortion by: not
exactly, which would need a new reconstruction for each pixel, but by the sum, over a
window, of exp(-|r - s|^2 / (2 sigma^2)) where the reconstruction is wrong, with
sigma = d_1 / c (Godaliyadda et al., IEEE Trans. Comput. Imaging 4, 1 (2018)). The
constant c is chosen by the distortion of sampled examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .choice import Chooser
from .features import FEATURES, N_PRODUCTS, paper_reach, products
from .neighbours import N_NEIGHBOURS
from .patterns import low_discrepancy_pattern, random_pattern
from .regressor import Regressor

__all__ = [
    "area_under_distortion",
    "begin",
    "checked_images",
    "distortions",
    "features_of",
    "train_linear",
]

SHARES = (0.05, 0.1, 0.2, 0.4, 0.8)
CONSTANTS = (2.0, 4.0, 8.0, 16.0, 32.0)
HALF_WINDOW = 7  # pixels: a window of 15 x 15
PIXELS_PER_MASK = 20_000
INITIAL = 0.01
LARGEST_SHARE = 0.2  # of the pixels, up to which the distortion is followed


def train_linear(
    images: Iterable[np.ndarray],
    c: float | None = None,
    *,
    n_neighbours: int = N_NEIGHBOURS,
    shares: Sequence[float] = SHARES,
    random_state: int | np.random.Generator | None = None,
) -> Regressor:
    """Train the linear regression of SLADS by least squares.

    Parameters
    ----------
    images : iterable of ndarray of int, shape (n_rows, n_columns)
        Examples: labels from 1, of two phases or more.
    c : float, optional
        Distance to the nearest measurement over the width of what a measurement
        mends. By default the one of 2, 4, 8, 16, 32 with the least area under the
        distortion curve, when the examples themselves are sampled.
    n_neighbours : int, default 10
        L, how many of the nearest measurements the features are from.
    shares : sequence of float
        Shares of the pixels that are measured.
    random_state : int or numpy.random.Generator, optional
        Makes the training repeat exactly.

    Returns
    -------
    Regressor

    Raises
    ------
    ValueError
        If an image has no labels from 1, or `c` or a share makes no sense.
    """
    images = checked_images(images)
    candidates = CONSTANTS if c is None else (c,)
    if min(candidates) <= 0 or not all(0 < share < 1 for share in shares):
        raise ValueError(
            f"`c` is {c} and `shares` {shares}; a number above zero and shares between "
            "0 and 1 are expected."
        )
    rng = np.random.default_rng(random_state)
    thetas = _fit(images, candidates, n_neighbours, shares, rng)
    regressors = [
        Regressor.from_theta(theta, n_neighbours, c=constant)
        for theta, constant in zip(thetas, candidates, strict=True)
    ]
    if c is not None:
        return regressors[0]
    areas = [
        sum(area_under_distortion(image, regressor) for image in images)
        for regressor in regressors
    ]
    return regressors[int(np.argmin(areas))]


def _fit(images, constants, n_neighbours, shares, rng) -> list[np.ndarray]:
    """Solve the normal equations, one right side for each c."""
    matrix = np.zeros((N_PRODUCTS, N_PRODUCTS))
    right = np.zeros((N_PRODUCTS, len(constants)))
    for image in images:
        for share in shares:
            design, targets = _examples(image, share, constants, n_neighbours, rng)
            matrix += design.T @ design
            right += design.T @ targets
    return list(np.linalg.lstsq(matrix, right, rcond=None)[0].T)


def _examples(image, share, constants, n_neighbours, rng):
    """Products of features, and reductions for each c, of pixels of one mask."""
    from .training_kernels import approximate_reduction

    pattern = random_pattern(image.shape, max(1, round(share * image.size)), rng)
    chooser = begin(image, pattern, Regressor.from_theta(np.ones(28), n_neighbours))
    places = np.flatnonzero(chooser.maps.is_open)
    if places.size > PIXELS_PER_MASK:
        places = rng.choice(places, PIXELS_PER_MASK, replace=False)
    targets = np.zeros((len(constants), places.size))
    for c, target in zip(constants, targets, strict=True):
        approximate_reduction(
            chooser.maps, image, places, float(c), HALF_WINDOW, target
        )
    return products(features_of(chooser, places)), targets.T


def checked_images(images: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Example images as int16.

    Parameters
    ----------
    images : iterable of ndarray of int, shape (n_rows, n_columns)

    Returns
    -------
    list of ndarray of int16

    Raises
    ------
    ValueError
        If there is none, or one holds other things than labels from 1.
    """
    images = [np.asarray(image) for image in images]
    if not images:
        raise ValueError("`images` are empty; give label images to train on.")
    for image in images:
        if image.ndim != 2 or image.dtype.kind not in "iu" or image.min() < 1:
            raise ValueError(
                f"`images` contain one of the shape {image.shape} and the type "
                f"{image.dtype}; maps (n_rows, n_columns) of whole numbers from 1 are "
                "expected."
            )
    return [np.ascontiguousarray(image, np.int16) for image in images]


def begin(image: np.ndarray, pattern: np.ndarray, regressor: Regressor) -> Chooser:
    """Measure a pattern on an image that is known.

    Parameters
    ----------
    image : ndarray of int16, shape (n_rows, n_columns)
        Labels; 0 where a spectrum is ill.
    pattern : ndarray of int, shape (n, 2)
    regressor : Regressor

    Returns
    -------
    Chooser
    """
    is_open = np.ones(image.shape, bool)
    is_open[tuple(pattern.T)] = False
    return Chooser(np.where(is_open, 0, image), is_open, regressor)


def features_of(chooser: Chooser, places: np.ndarray) -> np.ndarray:
    """Features of pixels that were not measured.

    Parameters
    ----------
    chooser : Chooser
    places : ndarray of int, shape (n,)
        row * n_columns + column.

    Returns
    -------
    ndarray of float32, shape (n, n_features)
    """
    from .training_kernels import describe_places

    features = np.empty((places.size, len(FEATURES)), np.float32)
    reach = paper_reach(chooser.maps.labels.size)
    describe_places(chooser.maps, places, reach, features)
    return features


def distortions(
    image: np.ndarray,
    regressor: Regressor,
    shares: Sequence[float],
    random_state: int | np.random.Generator | None = None,
    initial: float = INITIAL,
) -> np.ndarray:
    """Sample an image that is known, and see what is wrong.

    Parameters
    ----------
    image : ndarray of int16, shape (n_rows, n_columns)
        Labels from 1.
    regressor : Regressor
    shares : sequence of float
        Growing shares of the pixels that are measured.
    random_state : int or numpy.random.Generator, optional
    initial : float, default 0.01
        Share of the pixels in the pattern at the start.

    Returns
    -------
    ndarray, shape (n_shares,)
        Share of the pixels whose reconstruction is wrong.
    """
    n_done = max(round(initial * image.size), 2)
    pattern = low_discrepancy_pattern(image.shape, n_done, random_state)
    chooser = begin(image, pattern, regressor)
    wrong = []
    for share in shares:
        n_more = max(round(share * image.size) - n_done, 0)
        n_done += chooser.replay(image, n_more).size
        wrong.append(np.mean(chooser.maps.image != image))
    return np.array(wrong)


def area_under_distortion(image: np.ndarray, regressor: Regressor) -> float:
    """Mean distortion from 1 to 20 % of the pixels measured.

    Parameters
    ----------
    image : ndarray of int16, shape (n_rows, n_columns)
    regressor : Regressor

    Returns
    -------
    float
    """
    shares = np.linspace(INITIAL, LARGEST_SHARE, 20)
    return float(distortions(image, regressor, shares, 0).mean())
