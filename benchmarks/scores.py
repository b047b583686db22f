# SPDX-License-Identifier: GPL-3.0-or-later
"""Three figures for an estimate, which have to be read together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from methods import Estimate
from scenes import Scene

from hspy_ml.physics.fractions import (
    conversion_factors,
    fractions,
    reference_columns,
)
from hspy_ml.physics.gmatrix import GMatrix


@dataclass(frozen=True)
class Score:
    """How far an estimate is from the truth, after the best permutation.

    Parameters
    ----------
    nmse : float
        Squared errors of the abundance maps of all phases, over the squared truth.
    angle : float
        Mean angle between found and true spectra, degrees.
    at_percent : float
        Mean absolute error of the atomic percent, over all elements and phases.
    """

    nmse: float
    angle: float
    at_percent: float


def score(estimate: Estimate, scene: Scene) -> Score:
    """Compare an estimate with the truth.

    Parameters
    ----------
    estimate : Estimate
    scene : Scene

    Returns
    -------
    Score
        Of the permutation of the phases whose maps fit best.
    """
    orders = [list(order) for order in permutations(range(scene.n_phases))]
    errors = [_map_error(estimate, scene, order) for order in orders]
    best = orders[int(np.argmin(errors))]
    found = atomic_percent(scene.g_matrix, estimate.weights[:, best])
    return Score(
        nmse=float(min(errors)),
        angle=_mean_angle(estimate.spectra[:, best], scene.spectra),
        at_percent=float(np.abs(found - scene.atomic_percent).mean()),
    )


def atomic_percent(g_matrix: GMatrix, weights: np.ndarray) -> np.ndarray:
    """Compositions of phases, shape (n_elements, n_phases)."""
    columns = list(reference_columns(g_matrix).values())
    units = (g_matrix.elements, g_matrix.concentration, "atomic")
    return 100 * fractions(weights[columns].T, conversion_factors(*units)).T


def _map_error(estimate: Estimate, scene: Scene, order: list[int]) -> float:
    maps = estimate.abundances[:, order]
    if estimate.in_counts:
        maps = maps / scene.spectra.sum(axis=0)
        maps = maps / np.maximum(maps.sum(axis=1, keepdims=True), 1e-300)
    error = maps - scene.abundances
    known = np.isfinite(error)
    return (error[known] ** 2).sum() / (scene.abundances[known] ** 2).sum()


def _mean_angle(found: np.ndarray, truth: np.ndarray) -> float:
    norms = np.linalg.norm(found, axis=0) * np.linalg.norm(truth, axis=0)
    cosines = (found * truth).sum(axis=0) / np.maximum(norms, 1e-300)
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean())
