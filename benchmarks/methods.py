# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods that are compared, each as a user would run it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from scenes import Scene, fitted_weights

from hspy_ml.factorization.constraints import ConstantThickness
from hspy_ml.factorization.factorize import factorize
from hspy_ml.factorization.likelihood import fit_abundances
from hspy_ml.factorization.multiplicative import LikelihoodProblem, Model, iterate
from hspy_ml.factorization.multiscale import bin_image, block_sizes
from hspy_ml.factorization.variational import (
    CONCENTRATION,
    SharesModel,
    VariationalProblem,
    fit,
)

TRUTH_START_ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a method found.

    Parameters
    ----------
    weights : ndarray, shape (n_columns, n_phases)
        W, in any unit.
    spectra : ndarray, shape (n_channels, n_phases)
        In any unit.
    abundances : ndarray, shape (n_pixels, n_phases)
        Rows that sum to one; where ``in_counts``, counts of each phase instead.
    in_counts : bool
        Whether the method knows no abundances but counts only: the score then
        makes abundances of them with the true brightness of the phases.
    n_iterations : int
        Passes over the data.
    """

    weights: np.ndarray
    spectra: np.ndarray
    abundances: np.ndarray
    in_counts: bool = False
    n_iterations: int = 0


def ours(scene: Scene, random_state: int) -> Estimate:
    """`physics_nmf` with its defaults."""
    found, _ = factorize(
        scene.image, scene.g_matrix, scene.n_phases, random_state=random_state
    )
    spectra = scene.g_matrix.matrix @ found.weights
    return Estimate(
        found.weights, spectra, found.abundances, n_iterations=found.n_iterations
    )


def ours_from_truth(scene: Scene, random_state: int) -> Estimate:
    """Our default algorithm, whose spectra start at the truth; then our maps."""
    totals = scene.g_matrix.matrix.sum(axis=0)
    true_shares = _normalised(scene.weights * totals[:, None])
    size = block_sizes(
        scene.map_shape, scene.counts.pixel_totals.mean(), scene.n_phases
    )[-1]
    image = bin_image(scene.counts, scene.map_shape, scene.image.pixels, size)
    free = np.zeros(scene.n_phases, dtype=bool)
    problem = VariationalProblem(image.counts, scene.g_matrix.matrix / totals, free)
    prior = np.full(scene.n_phases, CONCENTRATION)
    posterior = prior + _block_counts(scene, image.block_of_pixel)
    start = SharesModel(np.maximum(true_shares, 1e-12), posterior, prior)
    run = fit(problem, start, max_iterations=1000, tolerance=2e-4)
    found, _ = factorize(
        scene.image,
        scene.g_matrix,
        scene.n_phases,
        fixed_shares=run.model.column_shares,
        random_state=random_state,
    )
    spectra = scene.g_matrix.matrix @ found.weights
    return Estimate(
        found.weights, spectra, found.abundances, n_iterations=run.n_iterations
    )


def multiplicative_from_truth(scene: Scene, random_state: int) -> Estimate:
    """Plain multiplicative updates, rows on the simplex, started at the truth."""
    problem = LikelihoodProblem(
        scene.counts,
        scene.g_matrix.matrix,
        ConstantThickness(),
        (),
        np.zeros(scene.n_phases, dtype=bool),
    )
    model = Model(scene.weights, np.maximum(scene.abundances, 1e-6))
    for _ in range(TRUTH_START_ITERATIONS):
        model, _ = iterate(problem, model)
    return Estimate(
        model.weights,
        problem.spectra(model),
        model.abundances,
        n_iterations=TRUTH_START_ITERATIONS,
    )


def oracle(scene: Scene, random_state: int) -> Estimate:
    """Spectra known; the most likely abundances, without smoothing."""
    found = fit_abundances(scene.counts, scene.spectra, tolerance=1e-7)
    return Estimate(
        scene.weights,
        scene.spectra,
        found.abundances,
        n_iterations=found.n_iterations,
    )


def sklearn_nmf(scene: Scene, random_state: int) -> Estimate:
    """NMF of scikit-learn with the Poisson loss; its spectra are fitted with G."""
    from sklearn.decomposition import NMF

    model = NMF(
        scene.n_phases,
        solver="mu",
        beta_loss="kullback-leibler",
        init="nndsvda",
        random_state=random_state,
    )
    with _warnings_off():
        maps = model.fit_transform(scene.matrix)
    spectra = model.components_.T
    return Estimate(
        fitted_weights(spectra, scene.g_matrix.matrix),
        spectra,
        maps * spectra.sum(axis=0),
        in_counts=True,
        n_iterations=model.n_iter_,
    )


def espm_default(scene: Scene, random_state: int) -> Estimate:
    """SmoothNMF of espm with its defaults."""
    return _espm(scene, random_state)


def espm_tutorial(scene: Scene, random_state: int) -> Estimate:
    """SmoothNMF of espm with the settings of its tutorial on EDS data."""
    return _espm(scene, random_state, tol=1e-6, max_iter=200)


def _espm(scene: Scene, random_state: int, **settings) -> Estimate:
    with contextlib.redirect_stdout(io.StringIO()), _warnings_off():
        from espm.estimators import SmoothNMF

        estimator = SmoothNMF(
            n_components=scene.n_phases,
            G=_espm_g(scene),
            hspy_comp=True,
            random_state=random_state,
            **settings,
        )
        maps = estimator.fit_transform(scene.matrix.toarray())
    spectra = estimator.G_ @ estimator.W_
    return Estimate(
        estimator.W_,
        spectra,
        maps * spectra.sum(axis=0),
        in_counts=True,
        n_iterations=estimator.n_iter_,
    )


def _espm_g(scene: Scene):
    """espm's model; or our G, scaled so that its floor of 1e-14 is far away."""
    if scene.espm_model is not None:
        return deepcopy(scene.espm_model)
    matrix = scene.g_matrix.matrix
    return matrix / matrix.sum(axis=0).mean()


@contextlib.contextmanager
def _warnings_off():
    import warnings

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _normalised(columns: np.ndarray) -> np.ndarray:
    return columns / columns.sum(axis=0)


def _block_counts(scene: Scene, block_of_pixel: np.ndarray) -> np.ndarray:
    """Expected counts of each phase in each block."""
    expected = scene.abundances * scene.spectra.sum(axis=0)
    blocks = np.zeros((block_of_pixel.max() + 1, scene.n_phases))
    np.add.at(blocks, block_of_pixel, expected)
    return blocks


METHODS: dict[str, Callable[[Scene, int], Estimate]] = {
    "ours": ours,
    "espm": espm_default,
    "espm-tutorial": espm_tutorial,
    "sklearn": sklearn_nmf,
    "truth-start": multiplicative_from_truth,
    "ours-from-truth": ours_from_truth,
    "oracle": oracle,
}
