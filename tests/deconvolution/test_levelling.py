# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks are cut off where they do not stand out, and left alone where they do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import find_peaks

from hspy_ml.deconvolution.levelling import level_peaks


def bump(centre, height, width=10.0, n_channels=200):
    return height * np.exp(-0.5 * ((np.arange(n_channels) - centre) / width) ** 2)


ERRORS = np.ones((1, 200))


def test_a_peak_that_stands_out_stays():
    losses = (bump(60, 100.0) + bump(140, 3.0))[None]
    np.testing.assert_array_equal(level_peaks(losses, ERRORS), losses)


def test_a_peak_that_does_not_is_cut_off_at_its_saddle():
    losses = (bump(60, 100.0) + bump(120, 4.0))[None]
    saddle = losses[0, 60:120].min()
    levelled = level_peaks(losses, 3 * ERRORS)[0]
    assert find_peaks(levelled)[0].tolist() == [60]
    np.testing.assert_array_equal(levelled[:80], losses[0, :80])
    assert levelled[120] == saddle


def test_a_large_peak_stays_though_it_is_not_sure():
    losses = (bump(60, 5.0) + bump(140, 3.0))[None]
    np.testing.assert_array_equal(level_peaks(losses, 4 * ERRORS), losses)


def test_ripples_on_the_flank_of_a_peak_go_and_the_peak_stays():
    channel = np.arange(200)
    losses = (bump(100, 50.0, 30.0) + 0.5 * np.sin(channel))[None]
    losses -= losses.min()
    levelled = level_peaks(losses, ERRORS)[0]
    found = find_peaks(levelled, prominence=0.3)[0]
    assert found.size == 1
    assert np.abs(levelled - losses[0]).max() < 1.01


rows = arrays(float, (1, 40), elements=st.floats(0, 100), unique=True)


@given(rows, arrays(float, (1, 40), elements=st.floats(0.01, 30)))
def test_nothing_rises_and_nothing_low_is_left(losses, errors):
    before = losses.copy()
    levelled = level_peaks(losses, errors)
    np.testing.assert_array_equal(losses, before)
    assert (levelled <= losses).all()
    assert levelled.min() >= losses.min()
    tops, found = find_peaks(losses[0], prominence=0)
    stay = found["prominences"] >= 1.5 * errors[0, tops]
    np.testing.assert_array_equal(levelled[0, tops[stay]], losses[0, tops[stay]])
