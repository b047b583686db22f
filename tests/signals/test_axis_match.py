# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of one energy axis in the channels of another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.signals.classification.axis_match import rebinned


@settings(deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(0.3, 3.0),
    st.floats(-2.0, 2.0),
)
def test_counts_are_kept(seed, width, offset):
    """Whatever the channels, as long as they cover the spectrum."""
    counts = np.random.default_rng(seed).poisson(3.0, size=(2, 40)).astype(float)
    energy = np.arange(40.0)
    n = int(np.ceil(50 / width)) + 1
    wanted = -5 + offset + width * np.arange(n)
    if wanted[-1] + width / 2 < 39.5:
        return
    found = rebinned(counts, energy, wanted)
    np.testing.assert_allclose(found.sum(axis=1), counts.sum(axis=1))
    assert (found >= -1e-9).all()


def test_the_same_axis_changes_nothing():
    counts = np.random.default_rng(0).poisson(3.0, size=(3, 30))
    energy = 0.1 + 0.01 * np.arange(30)
    np.testing.assert_allclose(rebinned(counts, energy, energy), counts, atol=1e-9)


def test_two_channels_are_one_of_twice_the_width():
    counts = np.arange(12.0)[None]
    energy = np.arange(12.0)
    found = rebinned(counts, energy, 0.5 + 2 * np.arange(6))
    np.testing.assert_allclose(found[0], counts[0].reshape(6, 2).sum(axis=1))


def test_a_peak_stays_where_it_is():
    energy, wanted = 0.01 * np.arange(500), 0.003 + 0.0137 * np.arange(360)
    peak = np.exp(-0.5 * ((energy - 2.5) / 0.06) ** 2)[None]
    found = rebinned(peak, energy, wanted)[0]
    assert found @ wanted / found.sum() == pytest.approx(2.5, abs=1e-3)
