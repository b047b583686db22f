# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra on a grid of widths, and the peak that is fitted below its losses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.deconvolution import peak_fit_kernels as kernels
from hspy_ml.deconvolution.log_profiles import kernels_of, tops_of
from hspy_ml.deconvolution.peak_fit import fit_peaks, peak_logarithms
from hspy_ml.deconvolution.profile_grid import PROFILE_GRID as GRID

SHAPES = st.tuples(
    st.floats(-0.5, 0.5),  # logarithm of the height
    st.floats(-0.2, 0.2),  # place
    st.floats(-1.2, -0.3),  # logarithms of half widths
    st.floats(-1.2, -0.3),
    st.floats(-4.0, 4.0),  # logit of the share of the tail
    st.floats(0.0, 0.8),  # logarithm of its exponent
)


def peak(channels, centre, width, parameters):
    """Counts of a peak whose parameters are in units of its width."""
    places = (np.asarray(channels, float) - centre) / width
    return np.exp(peak_logarithms(np.array([[*parameters, 0.0]]), places))


@settings(deadline=None, max_examples=40)
@given(SHAPES, st.floats(-6.0, 6.0))
@pytest.mark.parametrize("compiled", [True, False])
def test_derivatives_are_those_of_the_value(compiled, shape, x):
    value_of = kernels.peak_value if compiled else kernels.peak_value.py_func
    parameters = np.array([*shape, 0.0])
    if abs(x - parameters[1]) < 0.01:
        return  # the second derivative jumps at the top

    def value(at, gradient):
        return value_of(kernels.natural(at), x, gradient)

    gradient = np.zeros(kernels.N_PARAMETERS)
    value(parameters, gradient)
    for i in range(6):
        step = np.zeros(7)
        step[i] = 1e-5
        up, down = (value(parameters + s, np.zeros(7)) for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-8)


@settings(deadline=None, max_examples=30)
@given(
    st.floats(40.0, 160.0),
    st.floats(3.0, 40.0),
    st.integers(0, 2**31),
    st.integers(60, 200),
)
def test_the_grid_loses_no_counts(centre, width, seed, n_channels):
    counts = np.random.default_rng(seed).poisson(20.0, (1, n_channels)).astype(float)
    none = np.zeros(1)
    profile = GRID.measure(counts, none, np.array([centre]), np.array([width]))
    borders = np.clip(centre + width * GRID.edges, -0.5, n_channels - 0.5)
    total = np.sum(profile.density[0] * np.diff(borders))
    assert total == pytest.approx(counts.sum(), rel=1e-9)


def test_a_shape_looks_the_same_at_every_width():
    shape = (0.0, 0.0, np.log(0.45), np.log(0.55), -1.0, 0.3)
    profiles = []
    for width in (8.0, 31.0):
        counts = 1e6 * peak(np.arange(4000), 1500.3, width, shape)
        places = np.array([1500.3]), np.array([width])
        profiles.append(GRID.measure(counts, np.zeros(1), *places))
    both = profiles[0].covered & profiles[1].covered & (np.abs(GRID.nodes) < 40)
    first, second = (np.log(p.density[both] / 1e6) for p in profiles)
    np.testing.assert_allclose(first, second, atol=0.02)


@pytest.mark.parametrize("share", [-4.0, 0.0, 4.0])  # Gaussian, both, Pearson VII
def test_a_peak_is_found_under_losses_on_an_offset(share):
    shape = (0.0, 0.0, np.log(0.55), np.log(0.45), share, 0.3)
    channels = np.arange(2048)
    inside = np.linspace(-0.4, 0.4, 5)  # counts are means over channels
    counts = np.mean([peak(channels + x, 300.2, 12.0, shape) for x in inside], axis=0)
    counts *= 1e6
    losses = 2e3 * np.exp(-0.5 * ((channels - 345) / 9.0) ** 2)
    losses += 5e2 * (channels > 420) * np.sqrt(np.maximum(channels - 420, 0))
    offset = 40.0
    spectrum = np.random.default_rng(41).poisson(counts + losses + offset)
    at = np.array([300.2]), np.array([12.0])
    profile = GRID.measure(spectrum.astype(float), np.zeros(1), *at)
    found = fit_peaks(profile, np.array([1e6]), GRID, np.array([100.0]))
    assert found[0, 6] * 1e6 == pytest.approx(offset, abs=4)
    near = np.abs(GRID.nodes) < 8
    expected = peak_logarithms(np.array([[*shape, 0.0]]), GRID.nodes)[0, near]
    seen = peak_logarithms(found, GRID.nodes)[0, near]
    # in shares of the top: 1e-3 is three electrons in a thousand of the losses
    np.testing.assert_allclose(np.exp(seen), np.exp(expected), atol=1e-3)


def test_kernels_have_their_top_in_the_middle_and_the_shape_of_the_grid():
    shape = np.array([[0.0, 0.03, np.log(0.5), np.log(0.5), 0.0, 0.2, 0.0]])
    logs = peak_logarithms(shape, GRID.nodes)
    tops = tops_of(logs, GRID, np.array([np.nan]))
    assert tops[0] == pytest.approx(0.03, abs=2e-3)
    kernel = kernels_of(logs, GRID, tops, np.array([20.0]), 2000)[0]
    assert kernel.argmax() == 2000
    assert kernel.sum() == pytest.approx(1)
    truth = peak(np.arange(4001) - 2000 + 0.03 * 20, 0.0, 20.0, shape[0, :6])[0]
    np.testing.assert_allclose(kernel, truth / truth.sum(), rtol=0.01, atol=1e-7)
