# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of a map that are alike, by principal components."""

from __future__ import annotations

import numpy as np

__all__ = ["alike", "principal_scores"]

MOST_COMPONENTS = 12
EDGE = 1.05  # of the largest variance of noise alone, that a component exceeds
MOST_GROUPS = 16
GROUPS_PER_VERTEX = 3  # a mixture in `k` dimensions has `k + 1` vertices
FEWEST_SPECTRA = 4  # in a group, on average


def principal_scores(
    electrons: np.ndarray, read_variance: np.ndarray, random_state: int = 0
) -> np.ndarray:
    """Coordinates of spectra along the components in which they truly differ.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
    read_variance : ndarray, shape (n,)
        Of reading out, electrons^2.
    random_state : int, default 0
        Of the decomposition.

    Returns
    -------
    ndarray, shape (n, n_components)
        In standard deviations of the noise; maybe of no component at all.

    Notes
    -----
    Spectra, less the mean at the same dose, are divided by their standard deviations,
    in which noise is alike everywhere (M. R. Keenan & P. G. Kotula, Surf. Interface
    Anal. 36 (2004) 203). A component counts if its variance is beyond the largest of
    noise alone (V. A. Marchenko & L. A. Pastur, Math. USSR Sb. 1 (1967) 457).
    """
    from sklearn.decomposition import PCA

    n, n_channels = electrons.shape
    n_most = min(MOST_COMPONENTS, n - 1, n_channels)
    if n_most < 1:
        return np.zeros((n, 0))
    dose = electrons.sum(axis=1, keepdims=True).clip(1)
    mean = (electrons.sum(axis=0) / dose.sum()).clip(0)
    expected = dose * mean
    variance = expected + read_variance[:, None] + 1e-3 * expected.mean() + 1e-12
    pca = PCA(n_most, svd_solver="randomized", random_state=random_state)
    scores = pca.fit_transform((electrons - expected) / np.sqrt(variance))
    largest_of_noise = (1 + np.sqrt(n_channels / n)) ** 2
    return scores[:, pca.explained_variance_ > EDGE * largest_of_noise]


def alike(scores: np.ndarray, random_state: int = 0) -> np.ndarray:
    """Groups of spectra that are near each other.

    Parameters
    ----------
    scores : ndarray, shape (n, n_components)
    random_state : int, default 0
        Of the search.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0, none empty; at most 16 groups. One, where there are no components.
    """
    from sklearn.cluster import KMeans

    n, n_components = scores.shape
    n_groups = GROUPS_PER_VERTEX * (n_components + 1)
    n_groups = min(MOST_GROUPS, n_groups, n // FEWEST_SPECTRA)
    if n_components == 0 or n_groups < 2:
        return np.zeros(n, int)
    found = KMeans(n_groups, n_init=1, random_state=random_state).fit_predict(scores)
    return np.unique(found, return_inverse=True)[1]
