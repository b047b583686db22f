# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra as read out: counts, shifts, gain and noise; the test sets."""

import numpy as np
import pytest

from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.low_loss_test_sets import TEST_SETS, test_set
from hspy_ml.simulation.zero_loss_shapes import random_responses


@pytest.fixture(scope="module")
def scenes():
    return random_scenes("vib", 6, 1024, 2e-3, random_state=5)


@pytest.fixture(scope="module")
def responses():
    return random_responses("family", 6, 1024, random_state=5)


def test_expected_electrons_are_the_convolution(scenes, responses):
    made = measure(scenes, responses, 1e6, random_state=0)
    whole = scenes.loss.copy()
    zero = int(round(scenes.zero_channel)) + scenes.padding
    whole[:, zero] += scenes.zero_loss
    for row in range(6):
        direct = np.convolve(whole[row], responses[row])[1024:-1024]
        inside = direct[scenes.padding : scenes.padding + 1024] * 1e6
        # 0 eV is at the channel within rounding of the axis
        assert np.allclose(made.expected[row], inside, rtol=1e-6, atol=1e-3)


def test_what_lies_beyond_the_end_reaches_in(scenes, responses):
    made = measure(scenes, responses, 1.0, random_state=0)
    loss = scenes.loss.copy()
    loss[:, scenes.padding + 1024 :] = 0
    cut = type(scenes)(
        scenes.energy_eV, loss, scenes.zero_loss, scenes.padding, scenes.lines
    )
    less = measure(cut, responses, 1.0, random_state=0)
    assert (less.expected[:, -1] < made.expected[:, -1]).all()
    assert np.allclose(less.expected[:, :300], made.expected[:, :300], atol=1e-5)


def test_a_shift_moves_the_spectrum_and_not_the_truth(scenes, responses):
    still = measure(scenes, responses, 1e6, random_state=0)
    moved = measure(scenes, responses, 1e6, 2.0, random_state=0)
    inner = slice(200, 800)
    assert np.allclose(moved.expected[:, 202:802], still.expected[:, inner], atol=1e-3)
    assert np.array_equal(moved.truth, still.truth)


def test_a_fraction_of_a_channel(scenes, responses):
    """Twice half a channel is one channel."""
    half = measure(scenes, responses, 1e6, 0.5, random_state=0).expected
    back = measure(scenes, responses, 1e6, -0.5, random_state=0).expected
    assert np.allclose(half[:, 201:801], back[:, 200:800], atol=1e-2)


def test_the_truth_has_the_zero_loss_line_of_the_target(scenes, responses):
    made = measure(scenes, responses, 1e6, 1.7, random_state=0)
    line = made.truth - made.loss_truth
    assert line.sum(axis=1) == pytest.approx(made.zero_loss, rel=1e-6)
    channels = np.arange(1024)
    assert (line @ channels) / line.sum(axis=1) == pytest.approx(
        np.full(6, made.zero_channel), abs=1e-6
    )
    assert ((line > line.max(axis=1, keepdims=True) / 2).sum(axis=1) <= 5).all()


def test_counts_without_gain_and_read_noise_are_whole_and_poisson(scenes, responses):
    made = measure(scenes, responses, 1e7, random_state=0)
    assert made.counts.dtype == np.float32
    assert np.array_equal(made.counts, np.round(made.counts))
    deviation = (made.counts - made.expected) / np.sqrt(made.expected)
    bright = made.expected > 20
    # 6 x ~1000 channels: the variance of a variance is 2 / n
    assert deviation[bright].var() == pytest.approx(1, abs=0.1)
    assert deviation[bright].mean() == pytest.approx(0, abs=0.06)


def test_gain_offset_and_read_noise(scenes, responses):
    gain = np.array([0.5, 1, 2, 5, 10, 20.0])
    made = measure(
        scenes, responses, 1e7, gain=gain, read_noise=3.0, offset=50.0, random_state=0
    )
    electrons = (made.counts - 50.0) / gain[:, None]
    variance = made.expected + (3.0 / gain[:, None]) ** 2
    pull = (electrons - made.expected) / np.sqrt(variance)
    assert pull.var(axis=1) == pytest.approx(np.ones(6), abs=0.2)  # 4.5 sigma
    assert pull.mean(axis=1) == pytest.approx(np.zeros(6), abs=0.14)


def test_fixed_pattern_is_the_same_in_all_spectra(scenes):
    response = random_responses("family", 1, 1024, random_state=0)
    made = measure(scenes, response, 1e12, fixed_pattern=0.02, random_state=0)
    ratio = made.counts / made.expected
    bright = (made.expected > 1e7).all(axis=0)
    pattern = ratio[:, bright].mean(axis=0)
    assert bright.sum() > 50
    assert pattern.std() == pytest.approx(0.02, rel=0.4)
    assert np.abs(ratio[:, bright] - pattern).max() < 0.005


def test_bad_responses(scenes, responses):
    for wrong in (responses[:2], responses[:, 1:]):
        with pytest.raises(ValueError, match="`responses`"):
            measure(scenes, wrong, 1e6)


@pytest.mark.parametrize("name", TEST_SETS)
def test_sets_are_what_they_say_and_repeat(name):
    made, again = test_set(name, 2), test_set(name, 2)
    wanted = TEST_SETS[name]
    assert made.counts.shape == made.truth.shape == (2, wanted.n_channels)
    assert np.isfinite(made.counts).all()
    assert np.array_equal(made.counts, again.counts)
    low, high = wanted.electrons
    assert ((made.electrons >= low) & (made.electrons <= high)).all()
    assert (np.abs(made.shifts) <= 3).all()


def test_sets_are_not_those_of_a_plain_seed():
    made = test_set("vib medium", 2)
    plain = random_scenes("vib", 2, random_state=0)
    assert not np.array_equal(made.lines["energy_eV"], plain.lines["energy_eV"])
    other = test_set("vib medium", 2, random_state=1)
    assert not np.array_equal(made.counts, other.counts)


def test_unknown_set():
    with pytest.raises(ValueError, match="`name`"):
        test_set("vib")
