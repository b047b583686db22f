# SPDX-License-Identifier: GPL-3.0-or-later
"""How sharp boundaries look: shares of the pixels that they cross, and the probe."""

from __future__ import annotations

import numpy as np

__all__ = [
    "SUB_PIXELS",
    "check_probe_width",
    "directed",
    "mean_of_sub_pixels",
    "seen_by_probe",
    "shares_of_labels",
    "sub_pixels",
]

SUB_PIXELS = 3  # to a side of a pixel
FWHM_PER_SIGMA = np.sqrt(8 * np.log(2))


def sub_pixels(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of nine points in each pixel.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    y : ndarray, shape (3 * n_rows, 1)
    x : ndarray, shape (1, 3 * n_columns)
        In pixels; the centre of the first pixel is (0, 0).
    """
    y, x = (
        (np.arange(SUB_PIXELS * n) + 0.5) / SUB_PIXELS - 0.5 for n in map(int, shape)
    )
    return y[:, None], x[None, :]


def directed(
    y: np.ndarray, x: np.ndarray, orientation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions along and across a direction.

    Parameters
    ----------
    y, x : ndarray
        Positions, that broadcast against each other.
    orientation : float
        Angle between the direction and the rows (the axis x), degrees, towards
        growing y.

    Returns
    -------
    along, across : ndarray
    """
    angle = np.radians(orientation)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    return along, across


def mean_of_sub_pixels(values: np.ndarray) -> np.ndarray:
    """Mean over the points of each pixel.

    Parameters
    ----------
    values : ndarray, shape (3 * n_rows, 3 * n_columns)

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
    """
    rows, columns = (n // SUB_PIXELS for n in values.shape)
    return values.reshape(rows, SUB_PIXELS, columns, SUB_PIXELS).mean(axis=(1, 3))


def shares_of_labels(
    labels: np.ndarray, n_phases: int, probe_width: float
) -> np.ndarray:
    """Abundances of space-filling phases, as a probe sees them.

    Parameters
    ----------
    labels : ndarray of int, shape (3 * n_rows, 3 * n_columns)
        The phase at each of the `sub_pixels`.
    n_phases : int
    probe_width : float
        See `seen_by_probe`.

    Returns
    -------
    ndarray, shape (n_rows, n_columns, n_phases)
        They sum to one in every pixel.
    """
    shares = [mean_of_sub_pixels(labels == phase) for phase in range(n_phases)]
    return seen_by_probe(np.stack(shares, axis=2), probe_width)


def seen_by_probe(abundances: np.ndarray, probe_width: float) -> np.ndarray:
    """Abundances convolved with a Gaussian probe.

    Beyond the border the image goes on like its last pixels.

    Parameters
    ----------
    abundances : ndarray, shape (n_rows, n_columns, n_phases)
    probe_width : float
        Full width at half maximum in pixels; 0 for a probe that is a point. A straight
        boundary goes from 10 to 90 % over 1.09 widths.

    Returns
    -------
    ndarray, shape (n_rows, n_columns, n_phases)
        They sum to one in every pixel.

    Raises
    ------
    ValueError
        If the width is negative or not finite.
    """
    from scipy.ndimage import gaussian_filter

    check_probe_width(probe_width)
    sigma = probe_width / FWHM_PER_SIGMA
    seen = gaussian_filter(abundances, (sigma, sigma, 0), mode="nearest")
    return seen / seen.sum(axis=2, keepdims=True)


def check_probe_width(probe_width: float) -> None:
    """Refuse what is no width of a probe.

    Parameters
    ----------
    probe_width : float

    Raises
    ------
    ValueError
        If it is negative or not finite.
    """
    if not 0 <= probe_width < np.inf:
        raise ValueError(
            f"`probe_width` is {probe_width}; a full width at half maximum in pixels "
            "is expected, 0 for a point."
        )
