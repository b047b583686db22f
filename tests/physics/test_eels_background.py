# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums of powers as a background, and the exponent of a measured one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from hspy_ml.physics.eels_background import (
    EXPONENTS,
    exponents_around,
    measured_exponent,
    power_law_columns,
)


def worst_error(energy, exponents):
    """Of one power between 2 and 5 described by others, relative."""
    columns = power_law_columns(energy, exponents)
    worst = 0.0
    for power in np.arange(2.0, 5.0, 0.04):
        target = (energy / energy[0]) ** -power
        weights, _ = nnls(columns / target[:, None], np.ones(energy.size))
        worst = max(worst, np.abs(columns @ weights / target - 1).max())
    return worst


@pytest.mark.parametrize(
    ("span", "step", "error"),
    [((400, 800), 0.25, 1.0e-3), ((300, 1000), 0.25, 4.2e-3), ((100, 600), 0.25, 12e-3)]
    + [((400, 800), 0.5, 4e-3), ((400, 800), 1.0, 16e-3)],
)
def test_the_error_goes_with_the_step_and_the_span(span, step, error):
    energy = np.arange(*span, 5.0)
    found = worst_error(energy, np.arange(2.0, 5.01, step))
    assert 0.4 * error < found < error


def test_by_default_the_step_is_a_quarter():
    assert np.diff(EXPONENTS) == pytest.approx(0.25)
    assert (EXPONENTS[0], EXPONENTS[-1]) == (2.0, 5.0)


def test_columns_sum_to_one():
    columns = power_law_columns(np.arange(300.0, 500.0, 3.0), [2.0, 3.7])
    assert columns.shape == (67, 2)
    assert columns.sum(axis=0) == pytest.approx(1.0)


@given(r=st.floats(1.2, 6.5), low=st.floats(60, 1500), scale=st.floats(1e-3, 1e9))
@settings(max_examples=50, deadline=None)
def test_the_exponent_of_a_power_is_found(r, low, scale):
    energy = np.linspace(low, 1.2 * low, 41)
    exponent, error = measured_exponent(energy, scale * (energy / low) ** -r)
    assert exponent == pytest.approx(r, abs=1e-6)
    assert error < 1e-6


@pytest.mark.parametrize("gain", [1.0, 9.0])
def test_its_error_is_the_scatter_of_its_values(gain):
    rng = np.random.default_rng(5)
    energy = np.arange(400.0, 460.0)
    mean = 3e4 * (energy / 400) ** -3.1
    found = [
        measured_exponent(energy, gain * rng.poisson(mean / gain)) for _ in range(300)
    ]
    values, errors = np.array(found).T
    assert values.mean() == pytest.approx(3.1, abs=4 * values.std() / np.sqrt(300))
    assert values.std() == pytest.approx(errors.mean(), rel=0.2)


def test_a_measured_exponent_narrows_the_choice():
    chosen = np.array(exponents_around(2.93, 0.01))
    assert chosen.min() == pytest.approx(2.63)
    assert chosen.max() == pytest.approx(3.23)
    assert np.diff(chosen).max() <= 0.25


@pytest.mark.parametrize("value", [(3.0, 2.0), (np.nan, np.nan), (-2.0, 0.1)])
def test_an_exponent_that_is_not_known_does_not(value):
    assert exponents_around(*value) == EXPONENTS


def test_nothing_is_known_without_counts():
    assert np.isnan(measured_exponent(np.arange(5.0, 9.0), np.zeros(4))).all()
