# SPDX-License-Identifier: GPL-3.0-or-later
r"""The least errors that counts allow: bounds of Cramer and Rao, and of Bayes.

The information of Poisson counts of mean m on the weights of the columns of G is
:math:`I_{kl} = \sum_e G_{ek} G_{el} / m_e`; its inverse is the least covariance of any
estimate without bias. An estimate that knows that nothing is negative, or what is
likely, has a bias and may lie below. No estimate has a lower mean square than the mean
of the posterior, averaged over the compositions that it took for likely.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from alloy_scene import AlloyScene, ExpectedSpectra, expected_spectra, in_a_film

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.fractions import (
    conversion_factors,
    fraction_errors,
    reference_columns,
)
from hspy_ml.physics.gmatrix import GMatrix

PIXELS_AT_ONCE = 2048


def bound_all_free(expected: ExpectedSpectra, g_matrix: GMatrix) -> np.ndarray:
    """Every column is free: each family of each element, and the continuum's shape.

    Returns standard errors of at.% for one count, shape (n_pixels, n_elements); they
    go with one over the root of the counts.
    """
    columns = list(reference_columns(g_matrix).values())
    information = _information(expected.total, g_matrix.matrix)
    return _percent_errors(expected, information, columns, g_matrix.elements)


def bound_continuum_known(expected: ExpectedSpectra, g_matrix: GMatrix) -> np.ndarray:
    """The shape of the continuum is known, its amount and every family are free."""
    of_elements = [i for i, c in enumerate(g_matrix.columns) if c.element]
    chosen = reference_columns(g_matrix).values()
    columns = [of_elements.index(i) for i in chosen]
    information = _with_continuum(expected, g_matrix.matrix[:, of_elements])
    return _percent_errors(expected, information, columns, g_matrix.elements)


def bound_all_known(expected: ExpectedSpectra, elements: tuple[str, ...]) -> np.ndarray:
    """Only amounts are free: one for each element, and one for the continuum."""
    information = _with_continuum(expected, expected.of_elements)
    return _percent_errors(expected, information, range(len(elements)), elements)


def bayes_mean(
    image: np.ndarray,
    scene: AlloyScene,
    acquisition: Acquisition,
    n_draws: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the posterior of even mixtures, by importance sampling.

    Everything but composition and continuum is known, ratios of lines included.

    Parameters
    ----------
    image : ndarray, shape (n_pixels, n_channels)
        Counts.
    scene : AlloyScene
        Whose L lines are known.
    acquisition : Acquisition
    n_draws : int
        Of the prior.
    seed : int

    Returns
    -------
    mean : ndarray, shape (n_pixels, n_elements)
        Atomic percent.
    effective_draws : ndarray, shape (n_pixels,)
        Below about ten the mean is not to be trusted.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.dirichlet(np.ones(len(scene.elements)), (1, n_draws))
    prior = in_a_film("prior", scene.elements, drawn, rng)
    prior = replace(prior, l_lines=scene.l_lines)
    expected = expected_spectra(prior, acquisition).total
    seen = (image.sum(axis=0) > 0) & (expected.min(axis=0) > 0)
    logarithm = image[:, seen].astype(np.float32) @ np.log(
        expected[:, seen].T, dtype=np.float32
    )
    weight = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return weight @ prior.pixels, 1 / (weight**2).sum(axis=1)


def _information(total: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Of a count, on the weights of columns; shape (n_pixels, n_columns, n_columns)."""
    reached = total.min(axis=0) > 0
    columns = matrix[reached]
    pairs = (columns[:, :, None] * columns[:, None, :]).reshape(columns.shape[0], -1)
    parts = [
        (1 / total[first : first + PIXELS_AT_ONCE, reached]) @ pairs
        for first in range(0, total.shape[0], PIXELS_AT_ONCE)
    ]
    return np.concatenate(parts).reshape(-1, matrix.shape[1], matrix.shape[1])


def _with_continuum(expected: ExpectedSpectra, matrix: np.ndarray) -> np.ndarray:
    """The same with the continuum of each pixel as one more column, the last."""
    n = matrix.shape[1]
    continuum, total = expected.continuum, expected.total
    relative = np.divide(continuum, total, out=np.zeros_like(total), where=total > 0)
    information = np.empty((total.shape[0], n + 1, n + 1))
    information[:, :n, :n] = _information(total, matrix)
    information[:, :n, n] = information[:, n, :n] = relative @ matrix
    information[:, n, n] = (relative * continuum).sum(axis=1)
    return information


def _percent_errors(expected, information, columns, elements) -> np.ndarray:
    columns = list(columns)
    scale = 1 / np.sqrt(np.diagonal(information, axis1=1, axis2=2))
    scaled = information * scale[:, :, None] * scale[:, None, :]
    covariance = np.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :]
    among = covariance[:, columns][:, :, columns]
    factors = conversion_factors(elements, "mass", "atomic")
    return 100 * fraction_errors(expected.amounts, among, factors)
