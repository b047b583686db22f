# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels summed to bins, and bins spread over their channels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.simulation.channel_bins import ChannelBins

used_channels = st.lists(st.booleans(), min_size=1, max_size=60).filter(any)
bins = st.builds(ChannelBins, used_channels.map(np.array), st.integers(1, 7))
quick = settings(deadline=None, max_examples=150)


def counts_for(bins, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(3.0, (2, bins.used_channels.size)).astype(np.float32)


@quick
@given(bins)
def test_no_count_of_a_used_channel_is_lost(bins):
    counts = counts_for(bins)
    summed = bins.summed(counts)
    assert summed.shape == (2, bins.n_bins)
    np.testing.assert_array_equal(
        summed.sum(axis=1), counts[:, bins.used_channels].sum(axis=1)
    )


@quick
@given(bins)
def test_channels_are_summed_into_the_bin_they_are_in(bins):
    counts = counts_for(bins)
    place = bins.bin_of_channel
    wanted = np.zeros((2, bins.n_bins))
    for channel in np.flatnonzero(bins.used_channels):
        wanted[:, place[channel]] += counts[:, channel]
    np.testing.assert_array_equal(bins.summed(counts), wanted)
    np.testing.assert_array_equal(place >= 0, bins.used_channels)


@quick
@given(bins)
def test_bins_are_of_equal_width_from_the_first_to_the_last_used_channel(bins):
    used = np.flatnonzero(bins.used_channels)
    place = bins.bin_of_channel[used]
    assert bins.first == used[0]
    assert place[0] == 0
    assert place[-1] == bins.n_bins - 1
    np.testing.assert_array_equal(place, (used - used[0]) // bins.channels_per_bin)


@quick
@given(bins)
def test_spreading_is_even_and_undone_by_summing(bins):
    spectra = bins.summed(counts_for(bins))
    spread = bins.spread(spectra)
    assert spread.shape == (2, bins.used_channels.size)
    assert not spread[:, ~bins.used_channels].any()
    np.testing.assert_allclose(bins.summed(spread), spectra, rtol=1e-6)
    for channel in np.flatnonzero(bins.used_channels):
        alike = bins.bin_of_channel == bins.bin_of_channel[channel]
        np.testing.assert_array_equal(spread[0, alike], spread[0, channel])


@quick
@given(bins.filter(lambda b: b.used_channels.size > 1), st.floats(-2, 9))
def test_an_energy_is_in_the_bin_of_its_channel(bins, start):
    energy = start + 0.02 * np.arange(bins.used_channels.size)
    found = [bins.place_of(energy, value) for value in energy]
    used = bins.used_channels
    np.testing.assert_array_equal(np.array(found)[used], bins.bin_of_channel[used])


def test_energies_beyond_the_window_have_places_beyond_it():
    bins = ChannelBins(np.arange(40) >= 10, 3)
    energy = 0.5 + 0.1 * np.arange(40)
    assert bins.place_of(energy, 1.5) == 0
    assert bins.place_of(energy, 0.0) == -5  # channel -5 is 15 before the tenth
    assert bins.place_of(energy, 1.4) == -1
    assert bins.place_of(energy, 1.5 + 3 * 20 * 0.1) == 20


def test_energies_that_are_not_used_between_those_that_are_count_nothing():
    used = np.array([False, True, False, True, True, False, True, False])
    summed = ChannelBins(used, 2).summed(np.arange(8.0) + 1)
    np.testing.assert_array_equal(summed, [2, 9, 7])


@pytest.mark.parametrize(
    ("width", "widest", "n"), [(0.01, 0.02, 2), (0.005, 0.02, 4), (0.03, 0.02, 1)]
)
def test_bins_are_not_wider_than_they_may_be(width, widest, n):
    bins = ChannelBins.narrower_than(np.ones(9, bool), width, widest)
    assert bins.channels_per_bin == n


def test_some_channel_must_be_used():
    with pytest.raises(ValueError, match="`used_channels`"):
        ChannelBins(np.zeros(5, bool))
