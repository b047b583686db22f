# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of weights: the maximum of the likelihood, its errors, its goodness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peaks import N_CHANNELS, draws, peaks_on_continuum
from scipy.optimize import minimize
from scipy.special import xlogy

from hspy_ml.counts import DenseCounts, SparseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.quantification.weights import fit_weights


def objective(weights, y, matrix):
    model = matrix @ weights
    return model.sum() - xlogy(y, model).sum()


def best_of_scipy(y, matrix):
    def value_and_gradient(weights):
        model = matrix @ weights
        ratio = np.divide(y, model, out=np.zeros_like(model), where=y > 0)
        return objective(weights, y, matrix), matrix.T @ (1 - ratio)

    start = np.full(matrix.shape[1], y.sum() / matrix.sum())
    bounds = [(1e-14, None)] * start.size
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-10}
    return minimize(
        value_and_gradient, start, jac=True, bounds=bounds, options=options
    ).fun


@st.composite
def small_problems(draw):
    n_channels, n_columns = draw(st.integers(3, 30)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = rng.gamma(0.5, 1.0, (n_channels, n_columns))
    matrix[rng.random(matrix.shape) < draw(st.sampled_from([0.0, 0.5]))] = 0
    matrix[0] += 0.1
    truth = rng.gamma(0.5, draw(st.sampled_from([1.0, 30.0, 1e4])), n_columns)
    return rng.poisson(matrix @ truth).astype(float), matrix


@settings(max_examples=150, deadline=None)
@given(small_problems())
def test_no_other_weights_are_more_likely(problem):
    y, matrix = problem
    fit = fit_weights(DenseCounts(y[None]), matrix, num_workers=1)
    assert fit.converged[0]
    reached = matrix.any(axis=1)
    ours = objective(fit.weights[0], y[reached], matrix[reached])
    theirs = best_of_scipy(y[reached], matrix[reached])
    assert ours <= theirs + 1e-7 * max(1.0, abs(theirs))


@settings(max_examples=150, deadline=None)
@given(small_problems())
def test_conditions_of_an_optimum_hold(problem):
    """Karush-Kuhn-Tucker: the gradient is zero above the bound, positive on it."""
    y, matrix = problem
    weights = fit_weights(DenseCounts(y[None]), matrix, num_workers=1).weights[0]
    model = matrix @ weights
    ratio = np.divide(y, model, out=np.zeros_like(model), where=model > 0)
    gradient = matrix.T @ (1 - ratio) / matrix.sum(axis=0)
    assert (weights >= 0).all()
    counts_of_column = weights * matrix.sum(axis=0)
    assert abs(gradient * counts_of_column).max() < 1e-4 * (1 + np.sqrt(y.sum()))
    assert gradient[weights == 0].min(initial=0) > -1e-6


def test_one_column_gets_all_counts():
    matrix = np.array([[1.0], [3.0], [0.0], [4.0]])
    fit = fit_weights(DenseCounts(np.array([[2, 1, 0, 9]])), matrix)
    assert fit.weights[0, 0] == pytest.approx(12 / 8)
    assert fit.covariance[0, 0, 0] == pytest.approx(12 / 8**2)
    assert fit.degrees_of_freedom[0] == 3 - 1
    model = np.array([1.5, 4.5, 6.0])
    y = np.array([2, 1, 9])
    assert fit.deviance[0] == pytest.approx(2 * (y * np.log(y / model)).sum())


def test_newton_converges_to_the_last_digits_for_many_counts():
    matrix = peaks_on_continuum()
    truth = np.array([2e6, 1e6, 4e6, 3e3, 1e5, 2e7, 1e7])
    expected = truth @ matrix.T
    fit = fit_weights(DenseCounts(expected[None]), matrix, max_iterations=30)
    np.testing.assert_allclose(fit.weights[0], truth, rtol=1e-9)
    assert fit.deviance[0] < 1e-3


def test_scaling_a_column_scales_its_weight():
    matrix = peaks_on_continuum()
    data = draws(np.array([40, 30, 0, 10, 5, 60, 60.0]), 41, 1, matrix)
    factors = 10.0 ** np.array([-24, 3, 0, 12, -5, 7, 1])
    plain, scaled = fit_weights(data, matrix), fit_weights(data, matrix * factors)
    np.testing.assert_allclose(scaled.weights * factors, plain.weights, rtol=1e-7)
    outer = factors[:, None] * factors
    np.testing.assert_allclose(scaled.covariance * outer, plain.covariance, rtol=1e-6)
    np.testing.assert_allclose(scaled.goodness, plain.goodness)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64])
def test_sparse_is_dense(dtype):
    matrix = peaks_on_continuum()
    y = np.random.default_rng(2).poisson(0.3, (17, N_CHANNELS)).astype(dtype)
    sparse, dense = counts_from_array(y), DenseCounts(y)
    if isinstance(sparse, DenseCounts):
        where, counted = np.nonzero(y), y[y > 0]
        offsets = np.append(0, np.cumsum((y > 0).sum(axis=1)))
        sparse = SparseCounts(offsets, where[1].astype(np.int32), counted, N_CHANNELS)
    ours, theirs = fit_weights(sparse, matrix), fit_weights(dense, matrix)
    for name in ("weights", "covariance", "deviance", "goodness", "counts"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-9
        )


def test_order_of_channels_in_a_pixel_does_not_matter():
    matrix = peaks_on_continuum()
    data = draws(np.full(7, 20.0), 3, 3, matrix)
    rng = np.random.default_rng(4)
    order = np.concatenate(
        [
            rng.permutation(np.arange(i, j))
            for i, j in zip(data.offsets[:-1], data.offsets[1:], strict=True)
        ]
    )
    mixed = SparseCounts(
        data.offsets, data.channels[order], data.values[order], N_CHANNELS
    )
    np.testing.assert_array_equal(
        fit_weights(mixed, matrix).weights, fit_weights(data, matrix).weights
    )


def test_number_of_threads_does_not_matter():
    matrix = peaks_on_continuum()
    data = draws(np.full(7, 30.0), 700, 5, matrix)
    done = []
    one = fit_weights(data, matrix, num_workers=1)
    many = fit_weights(data, matrix, num_workers=5, progress=done.append)
    np.testing.assert_array_equal(one.weights, many.weights)
    np.testing.assert_array_equal(one.covariance, many.covariance)
    assert sum(done) == 700


def test_input_is_not_changed():
    matrix = peaks_on_continuum()
    data = draws(np.full(7, 30.0), 5, 6, matrix)
    before = matrix.copy(), data.values.copy(), data.channels.copy()
    fit_weights(data, matrix)
    for now, then in zip((matrix, data.values, data.channels), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_empty_pixels_have_no_error():
    matrix = peaks_on_continuum()
    y = np.zeros((3, N_CHANNELS), np.uint8)
    y[1, 80] = 4
    fit = fit_weights(DenseCounts(y), matrix)
    assert fit.converged.all()
    assert not fit.weights[[0, 2]].any()
    assert np.isnan(fit.covariance[[0, 2]]).all()
    assert np.isnan(fit.goodness[[0, 2]]).all()
    assert fit.counts.tolist() == [0, 4, 0]
    assert np.isfinite(fit.covariance[1]).all()
    assert fit.weights[1] @ matrix.sum(axis=0) == pytest.approx(4)


def test_counts_where_there_is_no_column_are_left_out():
    matrix = peaks_on_continuum()[:, :1]
    y = np.zeros((1, N_CHANNELS))
    y[0, 28:32] = 5
    alone = fit_weights(DenseCounts(y), matrix)
    y[0, 200] = 1000
    beside = fit_weights(DenseCounts(y), matrix)
    assert beside.counts[0] == 20
    np.testing.assert_allclose(beside.weights, alone.weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m[:-1], "channels of `counts`"),
        (lambda m: -m, "negative"),
        (lambda m: m * np.nan, "not finite"),
        (lambda m: m * np.array([1, 1, 0, 1, 1, 1, 1]), r"empty columns, \[2\]"),
    ],
)
def test_unusable_matrix_is_refused(change, message):
    matrix = peaks_on_continuum()
    with pytest.raises(ValueError, match=message):
        fit_weights(draws(np.ones(7), 2, 7, matrix), change(matrix))


def test_reported_column_has_to_exist():
    matrix = peaks_on_continuum()
    with pytest.raises(ValueError, match="from 0 to 6"):
        fit_weights(draws(np.ones(7), 2, 7, matrix), matrix, reported=[7])
