# SPDX-License-Identifier: GPL-3.0-or-later
"""The variational iterations: the bound, its ascent, its limits."""

import numpy as np
import pytest
import scenes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalProblem,
    _inverse_psi,
    expected_log_shares,
    extrapolate,
    fit,
    iterate,
    learn_concentration,
    prior_term,
)


def _random_problem(seed, n_pixels=23, n_channels=31, n_columns=5, n_phases=3):
    rng = np.random.default_rng(seed)
    response = rng.gamma(0.5, size=(n_channels, n_columns)) + 1e-3
    response /= response.sum(axis=0)
    shares = rng.dirichlet(np.ones(n_columns), n_phases).T
    truth = rng.dirichlet(np.full(n_phases, 0.3), n_pixels) @ (response @ shares).T
    counts = rng.poisson(rng.uniform(0, 60, (n_pixels, 1)) * truth)
    counts[0, 0] += 1
    problem = VariationalProblem(
        counts_from_array(counts), response, np.zeros(n_phases, dtype=bool)
    )
    start = SharesModel(
        rng.dirichlet(np.ones(n_columns), n_phases).T,
        rng.gamma(2.0, size=(n_pixels, n_phases)) + 0.1,
        rng.uniform(0.05, 0.8, n_phases),
    )
    return problem, start


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), n_phases=st.integers(1, 4))
def test_the_bound_never_falls(seed, n_phases):
    problem, model = _random_problem(seed, n_phases=n_phases)
    bounds = []
    for _ in range(12):
        model, bound = iterate(problem, model)
        bounds.append(bound)
    assert np.all(np.diff(bounds) >= -1e-9 * np.abs(bounds[0]))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_the_bound_never_falls_with_extrapolation_and_learning(seed):
    problem, model = _random_problem(seed)
    found = fit(problem, model, max_iterations=90, tolerance=0.0, matrix=0)
    assert np.all(np.diff(found.bounds) >= -1e-9 * np.abs(found.bounds[0]))


def test_the_bound_is_below_the_evidence_and_exact_for_one_count():
    # One count in channel e: the evidence is sum_k D_ek alpha_k / sum(alpha).
    response = np.array([[0.7, 0.2], [0.3, 0.8]])
    alpha = np.array([0.4, 0.9])
    problem = VariationalProblem(
        counts_from_array(np.array([[0, 1]])), response, np.zeros(2, dtype=bool)
    )
    evidence = np.log(response[1] @ alpha / alpha.sum())
    model = SharesModel(np.eye(2), alpha[None] + [[0.3, 0.7]], alpha)
    for _ in range(300):
        posterior = iterate(problem, model)[0].posterior
        model = SharesModel(np.eye(2), posterior, alpha)
    bound = iterate(problem, model)[1]
    assert evidence - 0.3 < bound <= evidence + 1e-12


def test_rows_of_the_posterior_hold_the_prior_and_all_counts():
    problem, model = _random_problem(3)
    new = iterate(problem, model)[0]
    expected = model.concentration.sum() + problem.counts.pixel_totals
    np.testing.assert_allclose(new.posterior.sum(axis=1), expected)
    np.testing.assert_allclose(new.column_shares.sum(axis=0), 1.0)


def test_held_phases_stay_bit_for_bit():
    problem, model = _random_problem(4)
    held = np.array([True, False, False])
    problem = VariationalProblem(problem.counts, problem.response, held)
    found = fit(problem, model, max_iterations=30, tolerance=0.0)
    kept = found.model.column_shares
    np.testing.assert_array_equal(kept[:, 0], model.column_shares[:, 0])
    assert not np.allclose(kept[:, 1], model.column_shares[:, 1])


def test_prior_term_vanishes_where_posterior_is_the_prior():
    alpha = np.array([0.2, 1.5, 0.7])
    posterior = np.repeat(alpha[None], 5, axis=0)
    assert prior_term(
        posterior, alpha, expected_log_shares(posterior)
    ) == pytest.approx(0)


def test_prior_term_is_minus_a_kullback_leibler_divergence():
    rng = np.random.default_rng(0)
    alpha, beta = np.array([0.6, 1.4]), np.array([[3.0, 2.0]])
    draws = rng.beta(*beta[0], size=400_000)

    def log_density(a):
        norm = gammaln(a.sum()) - gammaln(a).sum()
        return norm + (a[0] - 1) * np.log(draws) + (a[1] - 1) * np.log1p(-draws)

    divergence = (log_density(beta[0]) - log_density(alpha)).mean()
    found = -prior_term(beta, alpha, expected_log_shares(beta))
    # 400 000 draws leave a standard error of about 0.001.
    assert found == pytest.approx(divergence, abs=0.006)


@given(st.floats(0.02, 500.0))
def test_inverse_psi_inverts(x):
    from scipy.special import psi

    assert _inverse_psi(float(psi(x))) == pytest.approx(x, rel=1e-6)


def test_learnt_concentration_is_that_of_the_draws():
    rng = np.random.default_rng(1)
    alpha = np.array([0.6, 0.1, 0.1])
    shares = np.maximum(rng.dirichlet(alpha, 4000), 1e-300)
    # Posteriors so sharp that their mean logarithms are those of the draws; an
    # absent phase is not known to be below 1e-4, hence the tolerance.
    model = SharesModel(np.eye(3), shares * 1e4 + 1e-2, np.full(3, 0.1))
    learnt = learn_concentration(model, 0).concentration
    assert learnt[0] == pytest.approx(0.6, rel=0.15)
    np.testing.assert_array_equal(learnt[1:], 0.1)


def test_a_matrix_around_small_grains_is_not_rewarded_for_absence():
    rng = np.random.default_rng(2)
    grains = rng.random(500) < 0.15
    matrix = np.where(grains, rng.uniform(0.5, 1.0, 500), 0.999)
    shares = np.column_stack([matrix, 1 - matrix])
    model = SharesModel(np.eye(2), 300 * shares + 0.1, np.full(2, 0.1))
    assert learn_concentration(model, 0).concentration[0] == 1.0


def test_extrapolation_keeps_shares_normalised_and_positive():
    problem, first = _random_problem(5)
    second = iterate(problem, first)[0]
    third = iterate(problem, second)[0]
    leap = extrapolate(problem, (first, second, third))
    np.testing.assert_allclose(leap.column_shares.sum(axis=0), 1.0)
    assert (leap.column_shares > 0).all()
    assert (leap.posterior >= first.concentration).all()


def test_a_leap_throws_no_share_to_zero():
    # A share that falls fast would be negative after the leap: it may fall to a
    # tenth, but not to the prior, where it would stay for ever.
    problem, first = _random_problem(8)
    falling = [
        SharesModel(first.column_shares, 0.1 + counted, np.full(3, 0.1))
        for counted in (
            np.full(first.posterior.shape, 100.0),
            np.full(first.posterior.shape, 60.0),
            np.full(first.posterior.shape, 30.0),
        )
    ]
    leap = extrapolate(problem, tuple(falling))
    np.testing.assert_allclose(leap.posterior, 0.1 + 3.0)


def test_ctrl_c_keeps_the_last_good_state():
    problem, model = _random_problem(6)
    passes = []

    def progress(n):
        passes.append(n)
        if len(passes) == 4:
            raise KeyboardInterrupt

    found = fit(problem, model, max_iterations=300, tolerance=0.0, progress=progress)
    assert found.interrupted and not found.converged
    assert found.n_iterations == 12
    reference = fit(problem, model, max_iterations=12, tolerance=0.0)
    np.testing.assert_array_equal(
        found.model.column_shares, reference.model.column_shares
    )


def test_threads_do_not_change_the_result():
    rng = np.random.default_rng(7)
    scene = scenes.draw(scenes.grains_side_by_side((17, 19), rng), (17, 19), 90, rng)
    response = scene.g_matrix.matrix / scene.g_matrix.matrix.sum(axis=0)
    start = SharesModel(
        rng.dirichlet(np.ones(6), 3).T,
        rng.gamma(2.0, size=(17 * 19, 3)),
        np.full(3, 0.1),
    )
    free = np.zeros(3, dtype=bool)
    one, two = (
        fit(
            VariationalProblem(scene.image.counts, response, free, num_workers=n),
            start,
            max_iterations=30,
            tolerance=0.0,
        )
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one.model.posterior, two.model.posterior)
