# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's training spectra: what is in them, and what is not."""

import numpy as np
import pytest

from hspy_ml.deconvolution.seed_stream import N_CHANNELS, ZERO_CHANNEL, SeedStream


def drawn(n=64, seed=0, **how):
    return SeedStream(**how).draw(n, seed)


def test_draws_repeat_and_have_the_published_size():
    spectra, truth = drawn(3)
    assert spectra.shape == truth.shape == (3, N_CHANNELS)
    assert spectra.dtype == truth.dtype == np.float32
    np.testing.assert_array_equal(spectra, drawn(3)[0])
    assert not np.array_equal(spectra, drawn(3, seed=1)[0])


def test_the_truth_is_a_line_in_its_place_and_losses_after_it():
    _, truth = drawn()
    assert (truth.argmax(axis=1) == ZERO_CHANNEL).all()
    assert (truth >= 0).all()
    np.testing.assert_allclose(truth.sum(axis=1), 1, rtol=1e-5)
    # losses of at most 1/300 of the line's height each
    highest = truth.max(axis=1)
    assert (truth[:, ZERO_CHANNEL + 20 :].max(axis=1) < 15 / 300 * highest).all()


@pytest.mark.parametrize("width", [3.0, 4.0])
def test_the_line_has_the_target_width(width):
    _, truth = drawn(target_width=width)
    bare = truth[truth[:, ZERO_CHANNEL + 200] == 0]  # no loss was drawn
    assert len(bare) > 0
    channel = np.arange(N_CHANNELS) - ZERO_CHANNEL
    variance = (bare * channel**2).sum(axis=1)
    np.testing.assert_allclose(variance, width**2 / (8 * np.log(2)), rtol=1e-3)


def test_the_response_is_as_wide_as_published_and_keeps_the_electrons():
    spectra, _ = drawn()
    np.testing.assert_allclose(spectra.sum(axis=1), 1, atol=0.02)  # noise of 1e-3
    above = (spectra > spectra.max(axis=1, keepdims=True) / 2).sum(axis=1)
    # Lorentzian of 7 to 40 channels, with a wobble of +- 10 channels
    assert (above > 7).all()
    assert (above < 60).all()
    assert np.ptp(above) > 20


def test_the_noise_does_not_know_the_counts():
    spectra, _ = drawn(256)
    before = spectra[:, 5:200:2] - (spectra[:, 4:199:2] + spectra[:, 6:201:2]) / 2
    noise = before.std(axis=1) / np.sqrt(1.5) / spectra.max(axis=1)
    assert noise.max() < 1.3e-3
    assert np.quantile(noise, 0.5) == pytest.approx(5e-4, rel=0.25)
