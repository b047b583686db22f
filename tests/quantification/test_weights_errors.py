# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the weights cover, and the goodness of fit is standard normal."""

import numpy as np
import pytest
from peaks import N_CHANNELS, draws, peaks_on_continuum

from hspy_ml.counts import DenseCounts
from hspy_ml.quantification.deviance_moments import (
    KNOTS_PER_OCTAVE,
    deviance_moments,
    moments_at,
)
from hspy_ml.quantification.weights import fit_weights

MATRIX = peaks_on_continuum()
PRESENT = np.array([60.0, 40, 50, 30, 20, 150, 150])


def test_weights_are_unbiased_and_intervals_cover():
    """At 500 counts: one standard error covers in 68 % of draws, within 4 %."""
    fit = fit_weights(draws(PRESENT, 3000, 11, MATRIX), MATRIX)
    z = (fit.weights - PRESENT) / fit.standard_errors
    np.testing.assert_allclose(fit.weights.mean(axis=0), PRESENT, rtol=0.03)
    coverage = (abs(z) < 1).mean(axis=0)
    assert (abs(coverage - 0.683) < 0.04).all()


def test_covariance_is_that_of_the_draws():
    many = 40 * PRESENT
    fit = fit_weights(draws(many, 4000, 12, MATRIX), MATRIX)
    errors = fit.standard_errors.mean(axis=0)
    difference = np.cov(fit.weights.T) - fit.covariance.mean(axis=0)
    assert abs(difference / np.outer(errors, errors)).max() < 0.08


def test_covariance_is_the_inverse_information_of_all_columns():
    """Also of those not reported: overlap and continuum are in the errors."""
    y = draws(100 * PRESENT, 1, 13, MATRIX)
    fit = fit_weights(y, MATRIX, reported=[2, 0])
    model = MATRIX @ fit.weights[0]
    information = MATRIX.T @ (MATRIX / model[:, None])
    expected = np.linalg.inv(information)[np.ix_([2, 0], [2, 0])]
    np.testing.assert_allclose(fit.covariance[0], expected, rtol=0.01)


def test_absent_element_has_the_error_of_one_count_where_nothing_else_is():
    peaks = MATRIX[:, [0, 3]]
    y = np.zeros((1, N_CHANNELS))
    y[0, 28:33] = 20
    fit = fit_weights(DenseCounts(y), peaks)
    assert fit.weights[0, 1] == 0
    assert fit.standard_errors[0, 1] * peaks[:, 1].sum() == pytest.approx(1)


def test_coinciding_columns_have_large_errors():
    """Two elements that are the same within a thousandth: the sum is known only."""
    columns = MATRIX
    twin = columns[:, 1] * (1 + 1e-3 * np.sin(np.arange(N_CHANNELS)))
    both = np.column_stack([columns, twin])
    y = draws(50 * PRESENT, 1, 14, MATRIX)
    alone, fit = fit_weights(y, columns), fit_weights(y, both)
    assert fit.converged[0]
    errors = fit.standard_errors[0]
    assert (errors[[1, 7]] > 30 * alone.standard_errors[0, 1]).all()
    assert errors[1] > 10 * fit.weights[0, [1, 7]].sum()
    of_sum = np.sqrt(fit.covariance[0][np.ix_([1, 7], [1, 7])].sum())
    assert of_sum == pytest.approx(alone.standard_errors[0, 1], rel=0.05)


@pytest.mark.parametrize("n_same", [2, 5])
def test_identical_columns_do_not_break_the_fit(n_same):
    columns = np.column_stack([MATRIX, *[MATRIX[:, 3]] * (n_same - 1)])
    y = draws(PRESENT, 31, 15, MATRIX)
    alone, fit = fit_weights(y, MATRIX), fit_weights(y, columns)
    assert fit.converged.all()
    together = fit.weights[:, [3, *range(7, 6 + n_same)]].sum(axis=1)
    np.testing.assert_allclose(together, alone.weights[:, 3], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fit.deviance, alone.deviance, rtol=1e-8)
    assert (fit.standard_errors[:, 3] > 1e3 * alone.standard_errors[:, 3]).all()


def test_many_collinear_power_laws():
    """As of EELS: a background of thirteen powers below two edges."""
    energy = np.linspace(300, 700, 401)
    powers = energy[:, None] ** -np.linspace(2, 5, 13) * 300 ** np.linspace(2, 5, 13)
    edges = (energy[:, None] > [400, 530]) * powers[:, [5, 6]]
    columns = np.concatenate([edges, powers], axis=1)
    truth = np.zeros(15)
    truth[[0, 1, 7]] = 3e3, 2e3, 2e4
    y = np.random.default_rng(16).poisson(truth @ columns.T, (200, 401))
    fit = fit_weights(DenseCounts(y), columns, reported=[0, 1])
    assert fit.converged.all()
    z = (fit.weights[:, :2] - truth[:2]) / fit.standard_errors
    assert abs(z.mean(axis=0)).max() < 0.4
    assert ((abs(z) < 1).mean(axis=0) > 0.6).all()


@pytest.mark.parametrize("total", [50, 500, 50000])
def test_goodness_is_standard_normal_if_the_model_holds(total):
    truth = total * PRESENT / PRESENT.sum()
    fit = fit_weights(draws(truth, 2000, 17, MATRIX), MATRIX)
    assert abs(fit.goodness.mean()) < 0.2
    assert fit.goodness.std() == pytest.approx(1, abs=0.08)


def test_goodness_is_large_if_an_element_is_missing():
    fit = fit_weights(
        draws(PRESENT, 300, 18, MATRIX),
        MATRIX[:, [1, 2, 3, 4, 5]],
    )
    assert np.median(fit.goodness) > 4


def test_deviance_counts_empty_channels():
    y = draws(PRESENT / 10, 1, 19, MATRIX)
    fit = fit_weights(y, MATRIX)
    model = MATRIX @ fit.weights[0]
    full = np.zeros(N_CHANNELS)
    full[y.channels] = y.values
    ratio = np.where(full > 0, full / model, 1)
    expected = 2 * (full * np.log(ratio) - full + model).sum()
    assert fit.deviance[0] == pytest.approx(expected)


@pytest.mark.parametrize("mean", [1e-9, 0.03, 0.7, 8.0, 400.0])
def test_moments_of_the_deviance(mean):
    """Limits for few and many counts; derivatives as differences."""
    expected, variance, slope, curvature = moments_at(np.array([mean]))[0]
    h = 1e-4 * mean
    below, above = moments_at(np.array([mean - h, mean + h]))
    assert slope == pytest.approx((above[0] - below[0]) / (2 * h), rel=1e-5, abs=1e-9)
    assert curvature == pytest.approx((above[2] - below[2]) / (2 * h), rel=1e-4)
    if mean < 1e-6:
        assert expected == pytest.approx(2 * mean * np.log(1 / mean), rel=1e-6)
    if mean > 100:
        assert expected == pytest.approx(1 + 1 / (6 * mean), rel=1e-4)
        assert variance == pytest.approx(2, rel=0.01)


def test_knots_are_found_from_the_bits_of_a_number():
    table = deviance_moments()
    knots = 2.0**-40 * (1 + np.arange(KNOTS_PER_OCTAVE) / KNOTS_PER_OCTAVE)
    np.testing.assert_allclose(table[:KNOTS_PER_OCTAVE], moments_at(knots))
