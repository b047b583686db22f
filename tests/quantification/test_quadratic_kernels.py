# SPDX-License-Identifier: GPL-3.0-or-later
"""Small dense problems: inverse, and the Newton step that keeps to its bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from hspy_ml.quantification.quadratic_kernels import bounded_step, invert


def positive_matrix(rng, n):
    root = rng.normal(size=(n + 3, n)) * 10.0 ** rng.uniform(-8, 8, n)
    return root.T @ root


@pytest.mark.parametrize("kernel", [invert, invert.py_func])
@pytest.mark.parametrize("n", [1, 2, 7, 23])
def test_inverse(kernel, n):
    matrix = positive_matrix(np.random.default_rng(n), n)
    inverse = np.empty((n, n))
    kernel(matrix, inverse)
    scale = np.sqrt(np.diag(matrix))
    unit = (inverse * np.outer(scale, scale)) @ (matrix / np.outer(scale, scale))
    np.testing.assert_allclose(unit, np.eye(n), atol=1e-7)
    np.testing.assert_array_equal(inverse, inverse.T)


def test_what_is_not_known_has_no_inverse():
    matrix = np.diag([2.0, 0.0, 4.0])
    inverse = np.empty((3, 3))
    invert(matrix, inverse)
    np.testing.assert_allclose(np.diag(inverse), [0.5, np.nan, 0.25])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans())
def test_step_is_the_bounded_minimum(seed, n, collinear):
    """With a square root of the Hessian it is a non-negative least-squares problem."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n + 2, n))
    if collinear and n > 1:
        root[:, 1] = root[:, 0] + 1e-5 * rng.normal(size=n + 2)
    weights = rng.gamma(1.0, size=n) * (rng.random(n) < 0.7)
    target = rng.normal(size=n + 2)
    hessian = root.T @ root
    gradient = root.T @ (root @ weights - target)
    step = np.empty(n)
    bounded_step(hessian, gradient, weights, step)
    found = weights + step
    assert found.min() >= -1e-15 * (1 + weights.max())
    best, _ = nnls(root, target)
    ours, theirs = (np.sum((root @ w - target) ** 2) for w in (found, best))
    assert ours <= theirs + 1e-7 * (1 + theirs)


def test_a_column_without_counts_goes_to_zero():
    step = np.empty(2)
    hessian = np.array([[4.0, 0.0], [0.0, 0.0]])
    bounded_step(hessian, np.array([-2.0, 1.0]), np.array([1.0, 3.0]), step)
    np.testing.assert_allclose(step, [0.5, -3.0])
