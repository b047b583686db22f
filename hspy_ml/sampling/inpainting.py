# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of anything from the pixels that were measured, within the phases found."""

from __future__ import annotations

import numpy as np

__all__ = ["inpaint"]

WIDTHS = 1.0 * 1.5 ** np.arange(14)  # pixels, of the Gaussian: up to 195
LEAST_WEIGHT = 2.0  # measured pixels, so many of which are averaged at least


def inpaint(
    shape: tuple[int, int],
    positions: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
    least_weight: float = LEAST_WEIGHT,
) -> np.ndarray:
    r"""Fill maps where nothing was measured, from measured pixels of the same phase.

    Normalised convolution: an unmeasured pixel gets

    .. math:: \hat v_s = \frac{\sum_i w_{si} v_i}{\sum_i w_{si}}, \quad
              w_{si} = e^{-|s - i|^2 / 2 \sigma^2} \, [\ell_i = \ell_s]

    with the narrowest Gaussian that holds enough measurements. Where a phase has no
    measurement near, those of all phases count.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map.
    positions : ndarray of int, shape (n_measured, 2)
        Row and column of each measurement.
    values : ndarray, shape (n_measured, n_maps)
        What was measured there; NaN is left out.
    labels : ndarray of int, shape `shape`
        The phase of every pixel, as reconstructed.
    least_weight : float, default 2
        Sum of the weights from which a Gaussian is wide enough.

    Returns
    -------
    ndarray, shape (*shape, n_maps)
        Measured pixels keep their values.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or nothing was measured.

    References
    ----------
    H. Knutsson, C.-F. Westin, Proc. IEEE CVPR (1993) 515.
    """
    positions, values = np.asarray(positions), np.asarray(values, dtype=float)
    _check_shapes(shape, positions, values, labels)
    measured = np.full((*shape, values.shape[1]), np.nan)
    measured[tuple(positions.T)] = values
    filled = np.array(measured)
    for label in np.unique(labels):
        here = labels == label
        _fill(filled, measured, here, here, least_weight)
    left = np.ones(shape, dtype=bool)
    _fill(filled, measured, left, left, least_weight)
    return filled


def _fill(
    filled: np.ndarray,
    measured: np.ndarray,
    wanted: np.ndarray,
    sources: np.ndarray,
    least_weight: float,
) -> None:
    """Fill what is NaN among the wanted pixels, one map after the other."""
    for index in range(filled.shape[-1]):
        target, source = filled[..., index], measured[..., index]
        known = sources & np.isfinite(source)
        missing = wanted & np.isnan(target)
        if known.any() and missing.any():
            _fill_one(
                target, np.where(known, source, 0.0), known, missing, least_weight
            )


def _fill_one(
    target: np.ndarray,
    source: np.ndarray,
    known: np.ndarray,
    missing: np.ndarray,
    least_weight: float,
) -> None:
    from scipy.ndimage import gaussian_filter

    enough = min(least_weight, 0.99 * known.sum())
    for width in WIDTHS:
        options = {"sigma": width, "mode": "constant", "truncate": 3.0}
        area = 2 * np.pi * width**2  # makes the weight at the centre one
        weight = area * gaussian_filter(known.astype(float), **options)
        reached = missing & (weight >= enough)
        if reached.any():
            total = area * gaussian_filter(source, **options)
            target[reached] = total[reached] / weight[reached]
            missing = missing & ~reached
        if not missing.any():
            return
    target[missing] = source[known].mean()


def _check_shapes(
    shape: tuple[int, int],
    positions: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
) -> None:
    if positions.ndim != 2 or positions.shape[1] != 2 or not len(positions):
        raise ValueError(
            f"`positions` has the shape {positions.shape}; give a row and a column for "
            "one measurement or more."
        )
    if values.shape[:1] != positions.shape[:1] or values.ndim != 2:
        raise ValueError(
            f"`values` has the shape {values.shape}; give ({len(positions)}, n_maps), "
            "a row for each measurement."
        )
    if np.shape(labels) != tuple(shape):
        raise ValueError(
            f"`labels` has the shape {np.shape(labels)}; that of the map is {shape}."
        )
