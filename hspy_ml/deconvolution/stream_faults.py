# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses as they are known in practice: measured, or estimated from the data."""

from __future__ import annotations

import numpy as np

__all__ = ["mistaken_responses"]

WIDTH_ERROR = 0.015  # relative
TAIL_ERROR = 0.15  # relative, beyond three widths
MEASURED = 0.4  # share of those that are noisy besides
ELECTRONS = 10**5.5, 1e8  # in a measured one
NOISY_WITHIN = 4.0  # widths; tails are smoothed


def mistaken_responses(
    kernels: np.ndarray,
    fwhm: np.ndarray,
    rows: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Responses a little too wide or narrow, their tails too high or low.

    Parameters
    ----------
    kernels : ndarray, shape (n, 2 m + 1)
        Highest in the middle; rows sum to one.
    fwhm : ndarray, shape (n,)
        Channels.
    rows : ndarray of int
        Which to change; the others are returned as they are.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, 2 m + 1)
        New; rows sum to one.
    """
    known = kernels.copy()
    half_width = kernels.shape[1] // 2
    channel = np.arange(-half_width, half_width + 1)
    for row in rows:
        stretch = 1 + WIDTH_ERROR * rng.standard_normal()
        wrong = np.interp(channel * stretch, channel, kernels[row])
        distance = np.abs(channel) / fwhm[row]
        in_tail = np.clip((distance - 1) / 2, 0, 1)
        wrong *= np.exp(TAIL_ERROR * rng.standard_normal() * in_tail)
        if rng.random() < MEASURED:
            electrons = np.exp(rng.uniform(*np.log(ELECTRONS)))
            near = distance < NOISY_WITHIN
            wrong[near] = rng.poisson(wrong[near] * electrons) / electrons
        known[row] = wrong / wrong.sum()
    return known
