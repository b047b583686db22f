# SPDX-License-Identifier: GPL-3.0-or-later
"""The continuum's basis: known laws, nothing negative, nothing infinite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.continuum import bernstein_continuum, small_continuum

AXIS = np.arange(-20, 230) * 0.1  # keV, through zero and beyond the beam


@given(degree=st.integers(0, 7), vanishing=st.booleans(), end=st.floats(0.5, 300))
def test_finite_not_negative_and_within_its_range(degree, vanishing, end):
    if degree == 0 and vanishing:
        return
    basis = bernstein_continuum(AXIS, end, degree, vanishing=vanishing)
    assert basis.shape == (250, degree + (not vanishing))
    assert np.all(np.isfinite(basis)) and np.all(basis >= 0)
    assert not basis[(AXIS < 0.05) | (AXIS > end)].any()


def test_bernstein_polynomials_sum_to_one():
    basis = bernstein_continuum(AXIS, 20.0, 3, vanishing=False)
    inside = (AXIS >= 0.05) & (AXIS <= 20)
    assert np.allclose(basis.sum(axis=1)[inside] * AXIS[inside], 1)


def test_first_degree_is_the_law_of_kramers():
    basis = bernstein_continuum(AXIS, 15.0, 1, vanishing=True)[:, 0]
    inside = (AXIS >= 0.05) & (AXIS <= 15)
    expected = (15 - AXIS[inside]) / AXIS[inside]
    assert np.allclose(basis[inside], expected / 15)


def test_degrees_are_nested():
    lower = bernstein_continuum(AXIS, 20.0, 2, vanishing=True)
    higher = bernstein_continuum(AXIS, 20.0, 3, vanishing=True)
    weights, *_ = np.linalg.lstsq(higher, lower, rcond=None)
    assert np.allclose(higher @ weights, lower, atol=1e-10)
    assert weights.min() > -1e-10


def test_vanishes_at_the_beam_energy():
    assert bernstein_continuum(np.array([20.0]), 20.0, 3, vanishing=True).max() == 0
    assert bernstein_continuum(np.array([20.0]), 20.0, 3, vanishing=False).max() > 0
    assert small_continuum(np.array([20.0]), 20.0).max() == 0


def test_small_exponent_at_20_keV():
    low, high = small_continuum(np.array([4.0, 10.0]), 20.0)
    assert high == pytest.approx(1.0)
    assert np.log(low) / np.log(4.0) == pytest.approx(0.00599 * 20 + 1.05)
    assert not small_continuum(np.array([-1.0, 0.0, 0.04, 21.0]), 20.0).any()


def test_no_columns_left():
    with pytest.raises(ValueError, match="`continuum_degree` 0"):
        bernstein_continuum(AXIS, 20.0, 0, vanishing=True)
    with pytest.raises(ValueError, match="`continuum_degree` -1"):
        bernstein_continuum(AXIS, 20.0, -1, vanishing=False)
