# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases that change smoothly into each other, as in a diffusion couple."""

from __future__ import annotations

import numpy as np

from .interfaces import directed
from .scenes import check_shape

__all__ = ["gradient_abundances"]

WIDTH_PER_SIGMA = 2.5631031310892007  # from 10 to 90 % of a normal distribution


def gradient_abundances(
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    *,
    width: float | None = None,
    orientation: float = 0.0,
) -> np.ndarray:
    r"""Maps of a specimen whose composition changes along one direction.

    Two halves that diffused into each other have the profile

    .. math:: \frac{1}{2} \left[1 + \mathrm{erf} \frac{x}{2 \sqrt{D t}}\right]

    With more phases there is such a transition between each two that follow each
    other, at equal distances over the image.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
    random_state : int or numpy.random.Generator, optional
        Not used: nothing is drawn.
    width : float, optional
        Distance over which a transition goes from 10 to 90 %, in pixels; by default
        half of the distance between two transitions.
    orientation : float, default 0
        Angle between the direction of the change and the rows (the axis x), degrees,
        towards growing y.

    Returns
    -------
    ndarray, shape (*shape, n_phases)
        Abundances that sum to one in every pixel.

    Raises
    ------
    ValueError
        If a parameter makes no sense.

    References
    ----------
    J. Crank, The Mathematics of Diffusion, 2nd ed. (1975), section 2.2.
    """
    from scipy.special import ndtr

    check_shape(shape)
    if n_phases < 1:
        raise ValueError(f"`n_phases` is {n_phases}; it must be 1 or more.")
    if width is not None and not 0 < width < np.inf:
        raise ValueError(f"`width` is {width}; pixels above zero are expected.")
    y, x = np.ogrid[: shape[0], : shape[1]]
    along, _ = directed(y, x, orientation)
    span = max(np.ptp(along), 1.0)
    borders = along.min() + span * np.arange(1, n_phases) / n_phases
    sigma = (width or 0.5 * span / n_phases) / WIDTH_PER_SIGMA
    beyond = ndtr((along[..., None] - borders) / sigma)
    ends = np.ones((*shape, 1))
    return -np.diff(np.concatenate([ends, beyond, 0 * ends], axis=2), axis=2)
