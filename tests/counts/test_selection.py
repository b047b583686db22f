# SPDX-License-Identifier: GPL-3.0-or-later
"""Selected channels and pixels are those of the array, dense or sparse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.counts import DenseCounts, SparseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.counts.selection import plain_array, select_channels, select_pixels


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 3.0]))
def test_selection_is_that_of_the_array(seed, mean):
    rng = np.random.default_rng(seed)
    array = rng.poisson(mean, size=(7, 11))
    array[0, 0] = 1
    kept = rng.random(11) < 0.6
    pixels = rng.integers(0, 7, size=9)
    counts = counts_from_array(array)
    assert isinstance(counts, SparseCounts if mean < 1 else DenseCounts)
    np.testing.assert_array_equal(plain_array(counts), array)
    np.testing.assert_array_equal(
        plain_array(select_channels(counts, kept)), array[:, kept]
    )
    np.testing.assert_array_equal(
        plain_array(select_pixels(counts, pixels)), array[pixels]
    )


def test_all_channels_are_no_copy():
    counts = counts_from_array(np.eye(9))
    assert select_channels(counts, np.ones(9, bool)) is counts


def test_a_mask_of_another_length_is_refused():
    counts = counts_from_array(np.eye(9))
    with pytest.raises(ValueError, match=r"`kept` has the shape \(8,\)"):
        select_channels(counts, np.ones(8, bool))
