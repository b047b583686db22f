# SPDX-License-Identifier: GPL-3.0-or-later
"""Digamma and log-gamma function against their definitions and scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, psi

from hspy_ml.factorization.special_kernels import (
    digamma,
    digamma_in_place,
    dirichlet_moments,
    log_gamma_shifted,
    log_rising_factorial,
    sum_of_log_gamma,
)

EULER_GAMMA = 0.5772156649015329
positive = st.floats(-9, 9).map(lambda exponent: 10.0**exponent)


@pytest.mark.parametrize("kernel", [digamma, digamma.py_func])
def test_digamma_at_one_and_a_half(kernel):
    # Abramowitz & Stegun 1964, eqs. 6.3.2 and 6.3.3.
    assert kernel(1.0) == pytest.approx(-EULER_GAMMA, abs=1e-14)
    assert kernel(0.5) == pytest.approx(-EULER_GAMMA - 2 * np.log(2), abs=1e-14)


@settings(max_examples=200, deadline=None)
@given(positive)
def test_functions_agree_with_scipy(x):
    assert digamma(x) == pytest.approx(psi(x), rel=1e-13, abs=1e-13)
    log_gamma = log_gamma_shifted(x) - log_rising_factorial(x)
    assert log_gamma == pytest.approx(gammaln(x), rel=1e-13, abs=1e-13)


@settings(max_examples=100, deadline=None)
@given(positive)
def test_recurrences(x):
    assert digamma(x + 1) - digamma(x) == pytest.approx(1 / x, rel=1e-12, abs=1e-13)


def test_factorial():
    found = log_gamma_shifted(11.0) - log_rising_factorial(11.0)
    assert found == pytest.approx(np.log(3628800.0), rel=1e-14)


def test_loops_do_every_number_once():
    values = np.random.default_rng(0).gamma(0.5, 30, size=1037) + 1e-3
    assert sum_of_log_gamma(values) == pytest.approx(gammaln(values).sum(), rel=1e-12)
    expected = psi(values)
    digamma_in_place(values)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n_pixels", [1, 256, 601])
def test_moments_of_some_pixels(n_pixels):
    a = np.random.default_rng(1).gamma(0.5, 20, size=(n_pixels + 3, 5)) + 0.1
    found = np.full_like(a, np.nan)
    log_norm = dirichlet_moments(2, n_pixels + 2, a, found)
    part = a[2:-1]
    total = part.sum(axis=1, keepdims=True)
    expected = psi(part) - psi(total)
    np.testing.assert_allclose(found[2:-1], expected, rtol=1e-12, atol=1e-13)
    assert np.isnan(found[[0, 1, -1]]).all()
    assert log_norm == pytest.approx(gammaln(part).sum() - gammaln(total).sum())


def test_mean_of_a_uniform_share():
    # Of two shares with the parameters 1, 1 each is uniform: the mean of its
    # logarithm is -1, and the norm is one.
    found = np.empty((1, 2))
    assert dirichlet_moments(0, 1, np.ones((1, 2)), found) == pytest.approx(
        0, abs=1e-14
    )
    np.testing.assert_allclose(found, -1, rtol=1e-14)
