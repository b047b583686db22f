# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging channels loses no counts, and less than a percent of the information."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peaks import peaks_on_continuum

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.quantification.channel_groups import columns_of, merged_channels


def information(columns, weights):
    values = columns.values
    model = weights @ values
    return (values / np.where(model > 0, model, np.inf)) @ values.T


@pytest.fixture(scope="module")
def x_ray_columns():
    acquisition = Acquisition(
        np.arange(1900) * 0.01 + 0.2, "EDS_TEM", 200.0, 30.0, make_detector("polymer")
    )
    elements = ["O", "Mg", "Al", "Si", "Ca", "Fe", "Nd", "Cu"]
    matrix = build_g_matrix(acquisition, elements).matrix
    return matrix / matrix.sum(axis=0)


@pytest.mark.parametrize("seed", range(8))
def test_errors_are_those_of_all_channels(x_ray_columns, seed):
    """For weights of very different size: variances rise by less than 2 %."""
    merged, sizes = merged_channels(x_ray_columns)
    assert sizes.size < 0.5 * x_ray_columns.shape[0]
    rng = np.random.default_rng(seed)
    weights = 10.0 ** rng.uniform(0, 4, x_ray_columns.shape[1])
    exact, fewer = (
        np.diag(np.linalg.inv(information(columns, weights)))
        for columns in (columns_of(x_ray_columns), merged)
    )
    assert (fewer > exact * (1 - 1e-9)).all()
    assert (fewer < 1.02 * exact).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5))
def test_nothing_is_lost(seed, n_channels, n_columns):
    rng = np.random.default_rng(seed)
    matrix = np.repeat(rng.gamma(0.3, 1, (n_channels, n_columns)), 3, axis=0)
    matrix[rng.random(n_channels * 3) < 0.2] = 0
    matrix[0] += 0.1
    merged, sizes = merged_channels(matrix)
    np.testing.assert_allclose(merged.values.sum(axis=1), matrix.sum(axis=0))
    assert sizes.sum() == matrix.any(axis=1).sum()


def test_equal_channels_are_one_group():
    _, sizes = merged_channels(np.ones((17, 2)))
    assert sizes.tolist() == [17]


def test_peaks_stay_apart():
    columns, sizes = merged_channels(peaks_on_continuum())
    assert columns.values.shape == (7, sizes.size)
    assert sizes.max() > 5 and np.median(sizes) == 1


def test_first_and_last_channels_hold_a_column():
    matrix = peaks_on_continuum()
    columns = columns_of(matrix)
    for k, column in enumerate(matrix.T):
        inside = np.arange(column.size)
        inside = (inside >= columns.first[k]) & (inside < columns.last[k])
        assert not column[~inside].any()
        assert column[columns.first[k]] > 0 and column[columns.last[k] - 1] > 0
