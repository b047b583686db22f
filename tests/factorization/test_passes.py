# SPDX-License-Identifier: GPL-3.0-or-later
"""The fused pass conserves counts, whatever the form of the data or the threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.counts import DenseCounts, SparseCounts
from hspy_ml.factorization.passes import (
    fused_pass,
    fused_pass_and_log_likelihood,
    log_likelihood_of_counts,
)


def sparse_counts(data):
    pixels, channels = np.nonzero(data)
    offsets = np.searchsorted(pixels, np.arange(data.shape[0] + 1))
    values = data[pixels, channels]
    return SparseCounts(offsets, channels.astype(np.uint16), values, data.shape[1])


@st.composite
def problems(draw):
    n_pixels, n_channels = draw(st.integers(1, 41)), draw(st.integers(1, 37))
    n_phases = draw(st.integers(1, 6))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    spectra = generator.exponential(size=(n_channels, n_phases))
    abundances = generator.dirichlet(np.ones(n_phases), n_pixels)
    mean = draw(st.sampled_from([0.05, 1.0, 50.0]))
    data = generator.poisson(mean, (n_pixels, n_channels)).astype(np.uint16)
    data[generator.random(n_pixels) < 0.2] = 0
    data[:, generator.random(n_channels) < 0.2] = 0
    return data, spectra, abundances


@settings(max_examples=40, deadline=None)
@given(problems(), st.sampled_from([SparseCounts, DenseCounts]))
def test_every_count_is_given_to_some_phase(problem, form):
    data, spectra, abundances = problem
    counts = sparse_counts(data) if form is SparseCounts else DenseCounts(data)
    allocated, correlation = fused_pass(counts, spectra, abundances)
    np.testing.assert_allclose(allocated.sum(1), counts.pixel_totals, rtol=1e-12)
    np.testing.assert_allclose(
        (spectra * correlation).sum(1), counts.channel_totals, rtol=1e-12
    )
    np.testing.assert_allclose(
        (spectra * correlation).sum(0), allocated.sum(0), rtol=1e-10, atol=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(problems())
def test_sparse_and_dense_agree(problem):
    data, spectra, abundances = problem
    sparse = fused_pass_and_log_likelihood(sparse_counts(data), spectra, abundances)
    dense = fused_pass_and_log_likelihood(DenseCounts(data), spectra, abundances)
    for one, other in zip(sparse, dense, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
    for counts in (sparse_counts(data), DenseCounts(data)):
        likelihood = log_likelihood_of_counts(counts, spectra, abundances)
        assert likelihood == pytest.approx(dense[2], rel=1e-11, abs=1e-11 * data.sum())


@settings(max_examples=20, deadline=None)
@given(problems())
def test_single_and_double_precision_agree(problem):
    data, spectra, abundances = problem
    for counts in (sparse_counts(data), DenseCounts(data)):
        double = fused_pass(counts, spectra, abundances)
        single = fused_pass(counts, spectra.astype("f4"), abundances)
        for one, other in zip(single, double, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-5 * data.sum())


@pytest.mark.parametrize("form", [sparse_counts, DenseCounts])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_threads_change_no_bit(form, dtype):
    generator = np.random.default_rng(0)
    counts = form(generator.poisson(0.4, (203, 97)).astype(np.uint8))
    spectra = generator.exponential(size=(97, 4)).astype(dtype)
    abundances = generator.dirichlet(np.ones(4), 203)
    results = [
        fused_pass_and_log_likelihood(counts, spectra, abundances, n)
        for n in (1, 2, 3, 7, None)
    ]
    for result in results[1:]:
        for one, other in zip(result, results[0], strict=True):
            np.testing.assert_array_equal(one, other)


def test_fewer_pixels_than_blocks():
    data = np.array([[3, 0, 1]], np.uint8)
    allocated, _ = fused_pass(DenseCounts(data), np.ones((3, 2)), np.full((1, 2), 0.5))
    np.testing.assert_allclose(allocated, [[2, 2]])
