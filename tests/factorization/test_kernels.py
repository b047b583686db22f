# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiled kernels, and the same code as plain Python, against einsum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.factorization import kernels


def plain_formulas(counts, spectra, abundances):
    """Allocated counts, correlation and log-likelihood, one line each."""
    model = abundances @ spectra.T
    ratio = np.divide(counts, model, out=np.zeros_like(model), where=model > 0)
    allocated = abundances * np.einsum("pe,ek->pk", ratio, spectra)
    correlation = np.einsum("pe,pk->ek", ratio, abundances)
    seen = counts > 0
    with np.errstate(divide="ignore"):
        return allocated, correlation, np.sum(counts[seen] * np.log(model[seen]))


def run_sparse(counts, spectra, abundances, python):
    n_phases = spectra.shape[1]
    kernel = kernels.sparse_pass(n_phases)
    kernel = kernel.py_func if python else kernel
    pixels, channels = np.nonzero(counts)
    offsets = np.searchsorted(pixels, np.arange(counts.shape[0] + 1))
    values = counts[pixels, channels]
    allocated, correlation = np.empty_like(abundances), np.zeros_like(spectra)
    data = (offsets, channels.astype(np.uint16), values)
    likelihood = kernel(
        0, counts.shape[0], *data, spectra, abundances, allocated, correlation
    )
    return allocated, correlation, likelihood


def run_dense(counts, spectra, abundances, python):
    kernel = kernels.dense_pass(spectra.shape[1])
    kernel = kernel.py_func if python else kernel
    spectra = np.ascontiguousarray(spectra.T)
    allocated, correlation = np.empty_like(abundances), np.zeros_like(spectra)
    likelihood = kernel(
        0, counts.shape[0], counts, spectra, abundances, allocated, correlation
    )
    return allocated, correlation.T, likelihood


def problem(seed, n_phases, dtype, mean):
    generator = np.random.default_rng(seed)
    n_pixels, n_channels = 11, 29
    spectra = generator.exponential(size=(n_channels, n_phases))
    abundances = generator.dirichlet(np.ones(n_phases), n_pixels) * mean
    counts = generator.poisson(abundances @ spectra.T).astype(np.uint16)
    counts[3] = 0
    counts[:, 5] = 0
    abundances[7] = 0
    counts[7] = 0
    spectra[6] = 0
    counts[:, 6] = 0
    return counts, spectra.astype(dtype), abundances.astype(dtype)


@pytest.mark.parametrize("run", [run_sparse, run_dense])
@pytest.mark.parametrize("python", [False, True], ids=["compiled", "plain"])
@pytest.mark.parametrize("dtype, rtol", [("f4", 2e-5), ("f8", 1e-13)])
@pytest.mark.parametrize("n_phases", [1, 2, 3, 4, 5, 6])
def test_pass_is_the_plain_formulas(run, python, dtype, rtol, n_phases):
    for seed, mean in enumerate([0.2, 3.0, 90.0]):
        counts, spectra, abundances = problem(seed, n_phases, dtype, mean)
        found = run(counts, spectra, abundances, python)
        expected = plain_formulas(
            counts, spectra.astype(float), abundances.astype(float)
        )
        for one, other in zip(found[:2], expected[:2], strict=True):
            assert one.dtype == dtype
            np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * other.max())
        tolerance = rtol * counts.sum()
        assert found[2] == pytest.approx(expected[2], rel=rtol, abs=tolerance)


@pytest.mark.parametrize("run", [run_sparse, run_dense])
@pytest.mark.parametrize("python", [False, True], ids=["compiled", "plain"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_counts_where_the_model_vanishes(run, python, dtype):
    counts, spectra, abundances = problem(0, 3, dtype, 5.0)
    counts[2, 6] = 1
    with np.errstate(divide="ignore", invalid="ignore"):
        allocated, correlation, likelihood = run(counts, spectra, abundances, python)
    assert likelihood == -np.inf
    assert np.isfinite(allocated).all() and np.isfinite(correlation).all()
    assert not correlation[6].any()


@pytest.mark.parametrize("run", [run_sparse, run_dense])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_tiny_models_without_counts_give_no_nan(run, dtype):
    counts = np.zeros((2, 37), np.uint8)
    counts[0, 3] = 4
    spectra = np.full((37, 2), np.finfo(dtype).tiny, dtype)
    spectra[3] = 1
    abundances = np.full((2, 2), 0.5, dtype)
    allocated, correlation, likelihood = run(counts, spectra, abundances, False)
    np.testing.assert_allclose(allocated, [[2, 2], [0, 0]], rtol=1e-6)
    assert np.isfinite(correlation).all() and likelihood == 0


def test_pixels_outside_the_range_are_left_alone():
    counts, spectra, abundances = problem(0, 3, "f8", 5.0)
    allocated, correlation = np.full((11, 3), -1.0), np.zeros((3, 29))
    spectra = np.ascontiguousarray(spectra.T)
    kernels.dense_pass(3)(2, 5, counts, spectra, abundances, allocated, correlation)
    assert (allocated[:2] == -1).all() and (allocated[5:] == -1).all()
    assert allocated[2:5].sum() == pytest.approx(counts[2:5].sum())


@settings(max_examples=300, deadline=None)
@given(st.floats(2.3e-308, 1.7e308))
def test_logarithm(x):
    expected = float(np.log(x))
    assert kernels.logarithm(x) == pytest.approx(expected, rel=4e-16, abs=2e-16)
    assert kernels.logarithm.py_func(x) == pytest.approx(expected, rel=4e-16, abs=2e-16)


def test_logarithm_of_zero_is_finite_and_of_one_exact():
    assert np.isfinite(kernels.logarithm(0.0))
    assert kernels.logarithm(1.0) == 0
