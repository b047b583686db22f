# SPDX-License-Identifier: GPL-3.0-or-later
"""The updates under constraints are exact minima."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from hspy_ml.factorization.constraints import (
    ConstantThickness,
    FreeThickness,
    HeldAbundances,
    minimise_non_negative,
    minimise_on_simplex,
)
from hspy_ml.factorization.simplex_kernels import minimise_row_on_simplex


@st.composite
def pixels(draw, decades=3.0, zeros=True):
    """Expected counts, slopes and curvatures of a few pixels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    allocated = 10 ** rng.uniform(-decades, decades, shape)
    if zeros:
        allocated[rng.random(shape) < draw(st.sampled_from([0, 0.3, 1]))] = 0
    slope = 10 ** rng.uniform(-decades, decades, shape)
    curvature = 10 ** rng.uniform(-decades, decades, shape[0])
    curvature[rng.random(shape[0]) < 0.5] = 0
    slope -= curvature[:, None] * rng.random(shape)
    return allocated, slope, curvature


def objective(h, allocated, slope, curvature):
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(allocated > 0, allocated * np.log(h), 0.0)
    return curvature / 2 * h**2 + slope * h - logarithm


def kkt_residual(h, allocated, slope, curvature):
    """How much slopes of positive entries differ, and zero ones lie below."""
    alive = h > 0
    forces = allocated[alive] / h[alive]
    gradient = curvature * h[alive] + slope[alive] - forces
    size = np.abs(slope).max() + curvature + forces
    pivot = np.argmin(size)
    spread = np.abs(gradient - gradient[pivot]) / (size + size[pivot])
    gain = gradient[pivot] - slope[~alive]
    return max(spread.max(), (gain / (1 + np.abs(slope).max())).max(initial=0.0))


@settings(max_examples=200, deadline=None)
@given(pixels(decades=8.0))
def test_conditions_of_karush_kuhn_tucker_hold(case):
    allocated, slope, curvature = case
    h = minimise_on_simplex(*case)
    np.testing.assert_allclose(h.sum(axis=1), 1, rtol=1e-14)
    assert (h >= 0).all()
    for p in range(len(h)):
        assert kkt_residual(h[p], allocated[p], slope[p], curvature[p]) < 1e-12


@settings(max_examples=100, deadline=None)
@given(pixels(), st.integers(0, 2**32 - 1))
def test_no_other_point_of_the_simplex_is_lower(case, seed):
    h = minimise_on_simplex(*case)
    others = np.random.default_rng(seed).dirichlet(np.ones(h.shape[1]), (50, len(h)))
    others = (others + 9 * h) / 10
    allocated, slope, curvature = case
    lowest = objective(h, allocated, slope, curvature[:, None]).sum(axis=1)
    for other in others:
        value = objective(other, allocated, slope, curvature[:, None]).sum(axis=1)
        assert (value >= lowest - 1e-12 * (1 + np.abs(lowest))).all()


@settings(max_examples=100, deadline=None)
@given(pixels(zeros=False))
def test_root_is_that_of_a_bracketing_search(case):
    allocated, slope, curvature = case
    h = minimise_on_simplex(*case)
    for a, b, q, row in zip(allocated, slope, curvature, h, strict=True):

        def entries(nu, a=a, b=b, q=q):
            c = b + nu
            root = np.sqrt(c**2 + 4 * q * a)
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(c > 0, 2 * a / (c + root), (root - c) / (2 * q))

        low = np.max(a - q - b)
        high = np.max(a * a.size - q / a.size - b)
        nu = low
        if entries(low).sum() > 1 + 1e-12 and a.size > 1:
            nu = brentq(
                lambda x: entries(x).sum() - 1, low, high, xtol=1e-300, rtol=1e-15
            )
        # The reference has the rounding of nu, which swamps the smallest b + nu.
        swamped = 1e-14 * (np.abs(b).max() + abs(nu) + q)
        error = swamped * entries(nu) / np.sqrt((b + nu) ** 2 + 4 * q * a)
        assert (np.abs(row - entries(nu)) < 1e-10 + 10 * error).all()


def test_equally_bright_phases_share_as_the_counts_do():
    allocated = np.array([[3.0, 5.0, 12.0], [1e-30, 2e-30, 7e-30]])
    h = minimise_on_simplex(allocated, np.full(3, 40.0))
    expected = allocated / allocated.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(h, expected, rtol=1e-14)


def test_two_phases_in_closed_form():
    # a / (b + nu) summed to one is a quadratic in nu.
    a, b = np.array([2.0, 7.0]), np.array([30.0, 4.0])
    nu = np.roots([1, b.sum() - a.sum(), b.prod() - a[0] * b[1] - a[1] * b[0]]).max()
    h = minimise_on_simplex(a[None], b)
    np.testing.assert_allclose(h[0], a / (b + nu), rtol=1e-13)


def test_empty_pixel_is_the_dimmest_phase():
    h = minimise_on_simplex(np.zeros((2, 3)), np.array([[5.0, 4.0, 6.0], [3, 2, 2]]))
    np.testing.assert_array_equal(h, [[0, 1, 0], [0, 1, 0]])


def test_empty_pixel_is_the_limit_of_few_counts():
    slope = np.array([5.0, 4.0, 6.0])
    few = minimise_on_simplex(np.full((1, 3), 1e-12), slope)
    empty = minimise_on_simplex(np.zeros((1, 3)), slope)
    np.testing.assert_allclose(few, empty, atol=1e-11)


def test_phase_without_counts_takes_what_a_bright_one_leaves():
    # One count cannot feed a phase of brightness ten: h_1 = 1 / (10 - 0.5).
    h = minimise_on_simplex(np.array([[1.0, 0.0]]), np.array([10.0, 0.5]))
    np.testing.assert_allclose(h, [[1 / 9.5, 1 - 1 / 9.5]], rtol=1e-14)


def test_curvature_alone_is_the_projection_on_the_simplex():
    # Nearest point of the simplex to (0.9, 0.5, -1): (0.7, 0.3, 0).
    h = minimise_on_simplex(np.zeros((1, 3)), -4 * np.array([0.9, 0.5, -1]), 4.0)
    np.testing.assert_allclose(h, [[0.7, 0.3, 0]], atol=1e-15)


def test_counts_over_a_huge_range():
    allocated = np.array([[1e12, 1.0, 1e-12, 1e-300]])
    slope = np.array([1e6, 1e9, 2e6, 5e5])
    h = minimise_on_simplex(allocated, slope)[0]
    nu = allocated[0, 0] / h[0] - slope[0]
    np.testing.assert_allclose(h[1:], allocated[0, 1:] / (slope[1:] + nu), rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(pixels())
def test_single_precision_is_rounded_double_precision(case):
    allocated, slope, curvature = case
    allocated = allocated.astype(np.float32)
    single = minimise_on_simplex(allocated, slope, curvature)
    double = minimise_on_simplex(allocated.astype(float), slope, curvature)
    assert single.dtype == np.float32
    # Entries are rounded twice: as they are written, and with their sum.
    np.testing.assert_allclose(single, double, rtol=3e-7, atol=1e-37)


@pytest.mark.parametrize("kernel", ["compiled", "interpreted"])
def test_kernel_is_the_same_compiled_and_interpreted(kernel):
    solve = minimise_row_on_simplex
    solve = solve if kernel == "compiled" else solve.py_func
    out = np.empty(3)
    solve(np.array([3.0, 0.0, 8.0]), np.array([7.0, 9.0, 5.0]), 2.5, out)
    assert kkt_residual(out, np.array([3.0, 0, 8]), np.array([7.0, 9, 5]), 2.5) < 1e-14


@settings(max_examples=100, deadline=None)
@given(pixels())
def test_free_entries_solve_their_quadratic(case):
    allocated, slope, curvature = case
    h = minimise_non_negative(*case)
    q = curvature[:, None]
    size = q * h**2 + np.abs(slope) * h + allocated
    known = (h > 0) & (size > 0)
    residual = q * h**2 + slope * h - allocated
    assert (np.abs(residual) <= 1e-12 * size + 1e-300)[known].all()
    # Zero only without counts, where raising the entry would cost.
    assert ((allocated == 0) & (slope >= 0))[~known].all()


def test_free_entry_without_count_and_slope_is_zero():
    assert minimise_non_negative(np.zeros((1, 1)), np.zeros(1))[0, 0] == 0


def test_free_thickness_keeps_the_brightness_of_phases():
    rng = np.random.default_rng(3)
    previous, allocated = rng.random((5, 3)), rng.random((5, 3))
    totals = rng.random(5) * 100
    weights = FreeThickness().weights(previous, allocated, totals, rng.random(3))
    np.testing.assert_allclose(totals @ weights, totals @ previous)
    counts = totals[:, None] * weights
    np.testing.assert_allclose(
        counts / counts.sum(axis=0), allocated / allocated.sum(axis=0)
    )


@pytest.mark.parametrize(
    "constraint", [ConstantThickness(), FreeThickness(), HeldAbundances()]
)
def test_phase_that_died_keeps_its_weights(constraint):
    previous = np.array([[1.0, 2.0], [3.0, 4.0]])
    allocated = np.array([[1.0, 0.0], [5.0, 0.0]])
    weights = constraint.weights(
        previous, allocated, np.array([2.0, 3.0]), np.array([4.0, 0.0])
    )
    assert np.isfinite(weights).all()
    if not isinstance(constraint, FreeThickness):
        np.testing.assert_array_equal(weights[:, 1], previous[:, 1])
