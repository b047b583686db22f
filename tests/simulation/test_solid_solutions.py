# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixtures between the points of a lattice."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.simulation.solid_solutions import between_compositions


@given(
    n_phases=st.integers(1, 6),
    n_steps=st.integers(1, 9),
    concentration=st.floats(0.05, 3),
    seed=st.integers(0, 999),
)
@settings(max_examples=60, deadline=None)
def test_mixtures_are_interpolated_exactly(n_phases, n_steps, concentration, seed):
    rng = np.random.default_rng(seed)
    maps = rng.dirichlet(np.full(n_phases, concentration), size=(4, 5))
    points, shares = between_compositions(maps, n_steps)
    assert points.shape == (shares.shape[-1], n_phases)
    assert points.min() >= 0 and shares.min() >= -1e-12
    np.testing.assert_allclose(points.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=2), 1, atol=1e-12)
    np.testing.assert_allclose(shares @ points, maps, atol=1e-8)
    on_lattice = points * n_steps
    np.testing.assert_allclose(on_lattice, np.round(on_lattice), atol=1e-9)
    assert ((shares > 0).sum(axis=2) <= n_phases).all()


def test_corners_are_near():
    """No corner of the simplex around a mixture is further than one step away."""
    maps = np.random.default_rng(0).dirichlet([1, 1, 1], size=(6, 7))
    points, shares = between_compositions(maps, 8)
    distance = np.abs(points - maps[..., None, :]).max(axis=-1)
    assert distance[shares > 1e-9].max() <= 1 / 8 + 1e-9


def test_pure_phases_are_points_of_the_lattice():
    maps = np.eye(3)[None]
    points, shares = between_compositions(maps)
    assert points.shape == (3, 3)
    np.testing.assert_allclose(shares @ points, maps)
