# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of X-ray spectra as they are given: checked, and a few of all doses."""

from __future__ import annotations

import numpy as np

__all__ = ["checked_gain", "photons", "some_of_all_doses"]

LARGEST_SAMPLE = 48  # spectra that decide


def checked_gain(gain: float | None) -> float:
    """What one photon adds to the data.

    Parameters
    ----------
    gain : float or None

    Returns
    -------
    float
        One for None.

    Raises
    ------
    ValueError
        If it is not above zero.
    """
    if gain is None:
        return 1.0
    if not 0 < gain < np.inf:
        raise ValueError(
            f"`gain` is {gain}; give what one photon adds to the data, above 0."
        )
    return float(gain)


def photons(
    block: np.ndarray, n_channels: int, gain: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Data as counts of photons.

    Parameters
    ----------
    block : ndarray, shape (n_spectra, n_channels)
    n_channels : int
        Of the axis.
    gain : float, default 1

    Returns
    -------
    counts : ndarray of float64, shape (n_spectra, n_channels)
        Zero in spectra that are not finite.
    finite : ndarray of bool, shape (n_spectra,)

    Raises
    ------
    ValueError
        If the shape is another, or values are negative.
    """
    block = np.asarray(block)
    if block.ndim != 2 or block.shape[1] != n_channels:
        raise ValueError(
            f"The spectra have the shape {block.shape}; (n_spectra, {n_channels}) is "
            "expected, as the energy axis has channels."
        )
    counts = block.astype(np.float64)
    finite = np.isfinite(counts).all(axis=1)
    counts[~finite] = 0.0
    if counts.size and counts.min() < 0:
        raise ValueError(
            f"The spectra hold negative values, down to {counts.min():.4g}; X-ray "
            "counts are not negative. Give the counts as measured, with no background "
            "subtracted."
        )
    return counts / gain, finite


def some_of_all_doses(counts: np.ndarray) -> np.ndarray:
    """Spectra with counts, few enough to decide on.

    Parameters
    ----------
    counts : ndarray, shape (n_spectra, n_channels)

    Returns
    -------
    ndarray, shape (n_some, n_channels)
        At most 48, evenly over the order of their doses.
    """
    total = counts.sum(axis=1)
    by_dose = np.argsort(total, kind="stable")[np.count_nonzero(total < 1) :]
    if by_dose.size > LARGEST_SAMPLE:
        places = np.linspace(0, by_dose.size - 1, LARGEST_SAMPLE)
        by_dose = by_dose[places.round().astype(int)]
    return counts[by_dose]
