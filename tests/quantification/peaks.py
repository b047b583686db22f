# SPDX-License-Identifier: GPL-3.0-or-later
"""Five peaks on a continuum, and counts drawn from them."""

import numpy as np

from hspy_ml.counts import SparseCounts

N_CHANNELS = 240
PEAKS = ((30, 4), (80, 5), (86, 5), (150, 6), (200, 7))


def peaks_on_continuum() -> np.ndarray:
    """Five peaks, two of which overlap, each ending somewhere, and a continuum."""
    e = np.arange(N_CHANNELS)[:, None]
    centre, sigma = np.array(PEAKS).T
    peaks = np.exp(-0.5 * ((e - centre) / sigma) ** 2) / sigma
    peaks[abs(e - centre) > 6 * sigma] = 0
    continuum = np.stack([np.exp(-e[:, 0] / 90), 1 - e[:, 0] / 300], axis=1)
    return np.concatenate([peaks, continuum / continuum.sum(axis=0)], axis=1)


def draws(weights: np.ndarray, n: int, seed: int, matrix: np.ndarray) -> SparseCounts:
    y = np.random.default_rng(seed).poisson(weights @ matrix.T, (n, N_CHANNELS))
    offsets = np.append(0, np.cumsum((y > 0).sum(axis=1)))
    return SparseCounts(
        offsets, np.nonzero(y)[1].astype(np.uint16), y[y > 0], N_CHANNELS
    )
