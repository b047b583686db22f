# SPDX-License-Identifier: GPL-3.0-or-later
"""One iteration: both updates from one expectation step."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.counts import DenseCounts
from hspy_ml.factorization.constraints import ConstantThickness, FreeThickness
from hspy_ml.factorization.multiplicative import (
    LikelihoodProblem,
    Model,
    extrapolate,
    iterate,
)
from hspy_ml.factorization.penalties import PixelGraph, Smoothness, Sparsity


@st.composite
def problems(draw, constraint, penalties=True):
    """A problem on a map of 3 x 2 pixels, and a model that is allowed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_channels, n_columns, n_phases = 9, 4, draw(st.integers(1, 3))
    counts = DenseCounts(rng.poisson(5 * rng.gamma(0.5, 2.0, (6, n_channels))))
    counts.values[0, 0] += 1
    terms = (Smoothness(PixelGraph.of_map((3, 2)), 20.0), Sparsity(2.0))
    problem = LikelihoodProblem(
        counts,
        rng.random((n_channels, n_columns)) + 0.01,
        constraint,
        terms if penalties else (),
        np.zeros(n_phases, bool),
    )
    weights = 10 * rng.gamma(0.5, 1.0, (n_columns, n_phases)) + 0.01
    return problem, Model(weights, rng.dirichlet(np.ones(n_phases), 6) + 1e-9)


@settings(max_examples=40, deadline=None)
@given(st.one_of(problems(ConstantThickness()), problems(FreeThickness())))
def test_loss_falls_with_every_iteration(case):
    problem, model = case
    losses = []
    for _ in range(12):
        model, loss = iterate(problem, model)
        losses.append(loss)
    losses.append(problem.loss(model))
    assert (np.diff(losses) <= 1e-9 * (1 + np.abs(losses[1:]))).all()
    assert losses[-1] < losses[0]


@settings(max_examples=20, deadline=None)
@given(problems(ConstantThickness()))
def test_columns_give_the_counts_that_were_allocated_to_them(case):
    # The weights belong to the new abundances: the sum of the model is that of the
    # data after every iteration, as every maximum over the weights demands.
    problem, model = case
    after, _ = iterate(problem, model)
    expected = after.abundances @ problem.spectra(after).T
    np.testing.assert_allclose(expected.sum(), problem.counts.values.sum())
    old = problem.spectra(model)
    ratio = problem.counts.values / (model.abundances @ old.T)
    allocated = model.weights * (problem.g.T @ ratio.T @ model.abundances)
    given_now = problem.column_totals[:, None] * after.weights
    np.testing.assert_allclose(given_now * after.abundances.sum(axis=0), allocated)


@settings(max_examples=20, deadline=None)
@given(problems(FreeThickness(), penalties=False))
def test_pixels_of_free_thickness_get_their_own_counts(case):
    problem, model = case
    after, _ = iterate(problem, model)
    brightness = problem.column_totals @ model.weights
    np.testing.assert_allclose(
        after.abundances @ brightness, problem.counts.pixel_totals
    )


@settings(max_examples=20, deadline=None)
@given(st.one_of(problems(ConstantThickness()), problems(FreeThickness())))
def test_leap_is_allowed_and_stays_positive(case):
    problem, model = case
    first, _ = iterate(problem, model)
    second, _ = iterate(problem, first)
    third, _ = iterate(problem, second)
    leap = extrapolate(problem, (first, second, third))
    assert (leap.abundances[third.abundances > 0] > 0).all()
    assert (leap.weights[third.weights > 0] > 0).all()
    if isinstance(problem.constraint, ConstantThickness):
        np.testing.assert_allclose(leap.abundances.sum(axis=1), 1)
    else:
        np.testing.assert_allclose(
            problem.column_totals @ leap.weights,
            problem.column_totals @ model.weights,
        )


def test_leap_from_a_fixed_point_stays_there():
    rng = np.random.default_rng(6)
    problem = LikelihoodProblem(
        DenseCounts(np.ones((5, 4))),
        rng.random((4, 3)),
        ConstantThickness(),
        (),
        np.zeros(2, bool),
    )
    model = Model(rng.random((3, 2)), rng.dirichlet(np.ones(2), 5))
    leap = extrapolate(problem, (model, model, model))
    np.testing.assert_allclose(leap.abundances, model.abundances, rtol=1e-14)
    np.testing.assert_array_equal(leap.weights, model.weights)
