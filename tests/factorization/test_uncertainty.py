# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard errors: known results, Monte Carlo, and what is at the boundary."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from hspy_ml.counts import DenseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.information import observed_information
from hspy_ml.factorization.multiscale import BinnedImage, PhaseSpectra
from hspy_ml.factorization.start import fit_column_shares
from hspy_ml.factorization.uncertainty import (
    column_shares_covariance,
    one_sided_variance,
    weights_covariance,
)
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalFit,
    VariationalProblem,
    fit,
    iterate,
)
from hspy_ml.physics.gmatrix import GMatrix

N_CHANNELS = 23


def peaks(n_columns, width):
    channel = np.arange(N_CHANNELS)[:, None]
    centre = np.linspace(3, N_CHANNELS - 4, n_columns)
    response = np.exp(-((channel - centre) ** 2) / (2 * width**2))
    return response / response.sum(axis=0)


def phases_of(counts, model):
    image = BinnedImage(counts, np.arange(counts.n_pixels))
    return PhaseSpectra(
        model.column_shares, image, VariationalFit(model, [0.0], 1, True), 1
    )


def one_phase(counts, shares):
    totals = counts.pixel_totals[:, None]
    return phases_of(
        counts, SharesModel(shares[:, None], 0.1 + totals, np.array([0.1]))
    )


def two_phases(data, response, columns):
    """Fit spectra and shares, from near the truth until nothing moves."""
    counts = DenseCounts(data)
    totals = data.sum(axis=1, dtype=float)[:, None]
    start = SharesModel(columns, 0.3 + totals * [[0.5, 0.5]], np.full(2, 0.3))
    problem = VariationalProblem(counts, response, np.zeros(2, dtype=bool))
    result = fit(problem, start, max_iterations=6000, tolerance=1e-10)
    return phases_of(counts, result.model)


@pytest.fixture
def mixture():
    """Spectra of 301 pixels, of 200 counts, that mix two phases at random."""
    generator = np.random.default_rng(3)
    columns = np.array([[0.6, 0.1], [0.25, 0.2], [0.1, 0.3], [0.05, 0.4]])
    response = peaks(4, 1.5)
    shares = generator.dirichlet([0.4, 0.4], 301)
    data = generator.poisson(200 * shares @ (response @ columns).T)
    return data, response, columns


def test_lines_apart_give_multinomial_errors():
    """With one phase and no overlap V is a share of counts: (V - VV')/N."""
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    response = np.kron(np.eye(4), np.array([[0.25], [0.75]]))
    data = np.tile(800 * response @ shares, (5, 1))
    covariance = column_shares_covariance(
        one_phase(DenseCounts(data), shares), response
    )
    expected = (np.diag(shares) - np.outer(shares, shares)) / data.sum()
    # The score products of noiseless counts vanish: the curvature alone decides.
    np.testing.assert_allclose(covariance[0], expected, rtol=1e-9, atol=1e-12)


def test_errors_of_one_phase_are_those_of_many_draws():
    generator = np.random.default_rng(1)
    shares, response = np.array([0.5, 0.3, 0.2]), peaks(3, 4.0)
    draws = generator.poisson(3000 * response @ shares, (200, N_CHANNELS))
    fits = [fit_column_shares(draw, response, 1000) for draw in draws]
    data = generator.multinomial(30, response @ shares, 100)
    phases = one_phase(
        DenseCounts(data), fit_column_shares(data.sum(0), response, 1000)
    )
    predicted = np.sqrt(np.diag(column_shares_covariance(phases, response)[0]))
    measured = np.std(fits, axis=0, ddof=1)
    # 200 draws know a standard deviation to 5 %; three of those.
    np.testing.assert_allclose(predicted, measured, rtol=0.15)


def test_information_is_the_curvature_of_the_bound(mixture):
    data, response, columns = mixture
    phases = two_phases(data, response, columns)
    information = observed_information(phases.image.counts, response, phases.fit.model)
    problem = VariationalProblem(phases.image.counts, response, np.ones(2, dtype=bool))

    def bound(move):
        shifted = phases.column_shares + move
        model = SharesModel(shifted, phases.fit.model.posterior, np.full(2, 0.3))
        for _ in range(3000):
            model = iterate(problem, model)[0]
        return iterate(problem, model)[1]

    move = 2e-3 * np.array([[1, -0.5], [-1, 1], [0.5, -1], [-0.5, 0.5]])
    middle = bound(0 * move)
    curvature = 2 * middle - bound(move) - bound(-move)
    direction = move.T.ravel()
    assert curvature == pytest.approx(
        direction @ information.matrix @ direction, rel=0.02
    )
    assert abs(information.score @ direction) < 0.05


def test_errors_fall_with_the_square_root_of_the_counts(mixture):
    data, response, columns = mixture
    model = two_phases(data, response, columns).fit.model
    fourfold = SharesModel(
        model.column_shares, np.tile(model.posterior, (4, 1)), model.concentration
    )
    once = column_shares_covariance(phases_of(DenseCounts(data), model), response)
    four = column_shares_covariance(
        phases_of(DenseCounts(np.tile(data, (4, 1))), fourfold), response
    )
    np.testing.assert_allclose(four, once / 4, rtol=0.01, atol=1e-9)


def test_sparse_and_dense_counts_agree(mixture):
    data, response, columns = mixture
    thinned = np.random.default_rng(0).binomial(data, 0.02)
    thinned = thinned[thinned.sum(axis=1) > 0]
    model = two_phases(thinned, response, columns).fit.model
    sparse = counts_from_array(thinned)
    assert not isinstance(sparse, DenseCounts)
    np.testing.assert_allclose(
        column_shares_covariance(phases_of(sparse, model), response),
        column_shares_covariance(phases_of(DenseCounts(thinned), model), response),
        rtol=1e-6,
    )


def test_unknown_shares_cost_precision(mixture):
    data, response, columns = mixture
    phases = two_phases(data, response, columns)
    covariance = column_shares_covariance(phases, response)
    known = phases.column_shares.T
    counts = (data.sum(axis=1)[:, None] * phases.fit.model.shares).sum(axis=0)
    if_known = known * (1 - known) / counts[:, None]
    assert (np.diagonal(covariance, axis1=1, axis2=2) > if_known).all()
    np.testing.assert_allclose(covariance.sum(axis=2), 0, atol=1e-10)


def test_boundaries_and_phases_alike_give_large_finite_errors(mixture):
    data, response, columns = mixture
    absent = np.array([[0.7, 0.0], [0.3, 0.0], [0.0, 0.4], [0.0, 0.6]])
    alike = np.array([[0.4, 0.4], [0.3, 0.3], [0.2, 0.2], [0.1, 0.1]])
    zero = np.zeros((N_CHANNELS, 1))
    for shares, matrix in [
        (absent, response),
        (alike, response),
        (np.vstack([columns, [[0, 0]]]), np.hstack([response, zero])),
    ]:
        totals = data.sum(axis=1)[:, None]
        model = SharesModel(shares, 0.1 + totals * [[0.3, 0.7]], np.full(2, 0.1))
        covariance = column_shares_covariance(
            phases_of(DenseCounts(data), model), matrix
        )
        assert np.isfinite(covariance).all()
        assert (np.linalg.eigvalsh(covariance) > -1e-12).all()
        assert (np.diagonal(covariance, axis1=1, axis2=2) > 0).all()
        assert (np.diagonal(covariance, axis1=1, axis2=2) <= 1).all()


def test_what_is_absent_has_the_mean_square_of_its_limits():
    np.testing.assert_allclose(one_sided_variance(np.array(3.0), np.array(4.0)), 0.25)
    np.testing.assert_allclose(one_sided_variance(np.array(-4.0), np.array(0.0)), 1 / 8)
    draws = np.random.default_rng(0).exponential(1 / 4, 100000)
    assert (draws**2).mean() == pytest.approx(1 / 8, rel=0.05)


def test_known_phases_have_no_errors_and_weights_follow_their_scale(mixture):
    data, response, columns = mixture
    phases = two_phases(data, response, columns)
    names = ["Mg", "Al", "Si", "Fe"]
    totals = np.array([2.0, 3.0, 5.0, 7.0])
    g_matrix = GMatrix.from_array(
        response * totals, names, names, concentration="atomic"
    )
    brightness = np.array([11.0, 13.0])
    weights = phases.column_shares * brightness / totals[:, None]
    shares = column_shares_covariance(phases, response, n_fixed=1)
    covariance = weights_covariance(phases, weights, g_matrix, n_fixed=1)
    assert not covariance[0].any()
    np.testing.assert_allclose(
        covariance[1], 13**2 * shares[1] / np.outer(totals, totals), rtol=1e-9
    )


def test_intervals_of_two_phases_cover_the_truth(mixture):
    """68 % of the intervals of 40 fits; 60 to 76 % is where the aim lies.

    Two times three independent shares in 40 fits scatter by 3 % if all were
    independent, by about 5 % since those of a fit are not: hence two of those
    beyond the aim on either side. The prior is that of the simulation.
    """
    response, columns = mixture[1:]
    generator = np.random.default_rng(7)
    covered = []
    for _ in range(40):
        shares = generator.dirichlet([0.3, 0.3], 211)
        data = generator.poisson(400 * shares @ (response @ columns).T)
        phases = two_phases(data, response, columns)
        covariance = column_shares_covariance(phases, response)
        errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2).T)
        covered.append(np.abs(phases.column_shares - columns) < errors)
    assert 0.55 < np.mean(covered) < 0.81


@pytest.mark.slow
@pytest.mark.parametrize("counts_per_pixel", [74.0, 293.0])
def test_intervals_of_concentrations_cover_the_truth(counts_per_pixel):
    """The benchmark's 100 scenes; 60 to 76 % is the aim."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "standard_errors.py"
    if not path.exists():
        pytest.skip("the benchmarks are not installed")
    coverage = runpy.run_path(str(path))
    result = coverage["repeat"](counts_per_pixel, side=96, n_repetitions=100)
    present = result.truth > coverage["PRESENT"]
    assert 0.6 < result.covered("default")[:, present].mean() < 0.76
