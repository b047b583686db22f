# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra are what their truth says, and repeat."""

import numpy as np
import pytest

from hspy_ml.deconvolution.exposure import MARGIN
from hspy_ml.deconvolution.network_stream import LARGEST_SHIFT, Batch, LowLossStream
from hspy_ml.deconvolution.scene_bank import (
    SceneBank,
    random_bank,
    random_bank_responses,
)
from hspy_ml.deconvolution.stream_faults import WIDTH_ERROR, mistaken_responses

N_CHANNELS = 256


def one_peak(n_channels=N_CHANNELS):
    """A scene of which a tenth of the electrons lost 100 channels of energy."""
    loss = np.zeros((1, n_channels + 2 * MARGIN), dtype=np.float32)
    loss[0, MARGIN + 160] = 0.1
    return SceneBank(loss, np.array([0.9]), np.array([60.0]))


def drawn(electrons, n=32, seed=0, bank=None):
    responses = random_bank_responses(50, random_state=3)
    stream = LowLossStream(bank or one_peak(), responses, electrons)
    return Batch(*stream.draw(n, np.random.default_rng(seed)))


@pytest.fixture(scope="module")
def bright():
    return drawn((1e8, 1e8))


def test_losses_are_where_they_belong(bright):
    channel = np.arange(N_CHANNELS)
    place = (bright.losses * channel).sum(axis=1) / bright.losses.sum(axis=1)
    # the zero loss is known to a few hundredths of a channel
    np.testing.assert_allclose(place, bright.centre + 100, atol=0.15)
    assert np.abs(bright.centre - 60).max() < LARGEST_SHIFT + 0.2


def test_losses_are_as_many_as_they_should_be(bright):
    np.testing.assert_allclose(bright.losses.sum(axis=1), 1e7, rtol=3e-3)


def test_losses_have_the_width_of_the_target(bright):
    fwhm = bright.losses.sum(axis=1) / bright.losses.max(axis=1) * 0.9394
    np.testing.assert_allclose(fwhm, bright.target_width, rtol=0.15)
    assert (bright.target_width <= bright.fwhm + 1e-4).all()


def test_the_zero_loss_peak_is_where_it_is_said_to_be(bright):
    near = (
        np.abs(np.arange(N_CHANNELS) - bright.centre[:, None]) <= bright.fwhm[:, None]
    )
    top = np.where(near, bright.electrons, 0).max(axis=1)
    assert (top == bright.electrons.max(axis=1)).all()


def test_noise_is_that_of_counting():
    quiet = one_peak()
    kernel = np.zeros((1, 3), np.float32)
    kernel[0, 1] = 1.0
    kernel[0, [0, 2]] = 0.5
    stream = LowLossStream(quiet, kernel / 2, (1e6, 1e6))
    batch = Batch(*stream.draw(400, np.random.default_rng(1)))
    calm = batch.read_variance < 0.05
    far = batch.electrons[calm, 200:]
    assert far.std() < 0.3
    noisy = batch.read_variance > 4
    ratio = batch.electrons[noisy, 200:].var(axis=1) / batch.read_variance[noisy]
    assert np.median(ratio) == pytest.approx(1, abs=0.15)


def test_draws_repeat_and_differ():
    first, again, other = (
        drawn((1e5, 1e7)),
        drawn((1e5, 1e7)),
        drawn((1e5, 1e7), seed=1),
    )
    for mine, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(mine, same)
    assert not np.array_equal(first.electrons, other.electrons)


def test_doubts_are_told_of_responses_that_are_mistaken():
    responses = random_bank_responses(50, random_state=3)
    stream = LowLossStream(one_peak(), responses, (1e6, 1e6), mistaken=0.5)
    batch = Batch(*stream.draw(40, np.random.default_rng(2)))
    as_they_are = (np.abs(batch.kernels[:, None] - responses) < 1e-7).all(axis=2)
    np.testing.assert_array_equal(batch.doubt == 0, as_they_are.any(axis=1))
    assert 0 < batch.doubt.mean() < 1
    untold = LowLossStream(one_peak(), responses, (1e6, 1e6), told=False)
    assert not Batch(*untold.draw(40, np.random.default_rng(2))).doubt.any()


def test_the_bank_holds_shares_of_electrons():
    bank = random_bank(60, 1024, random_state=5)
    assert bank.n_channels == 1024
    assert (bank.loss >= 0).all()
    assert (bank.loss.sum(axis=1) + bank.zero_loss < 1.01).all()
    assert ((bank.zero_channel > 0) & (bank.zero_channel < 1024)).all()


def test_a_short_axis_is_refused():
    with pytest.raises(ValueError, match="`n_channels` is 512"):
        random_bank(60, 512)


def test_responses_are_mistaken_a_little():
    kernels = random_bank_responses(50, random_state=3)
    middle = kernels.shape[1] // 2
    fwhm = LowLossStream(one_peak(), kernels).fwhm
    rows = np.arange(0, len(kernels), 2)
    known = mistaken_responses(kernels, fwhm, rows, np.random.default_rng(0))
    np.testing.assert_array_equal(known[1::2], kernels[1::2])
    np.testing.assert_allclose(known.sum(axis=1), 1, rtol=1e-4)
    height = known[rows, middle] / kernels[rows, middle]
    assert 0 < np.abs(np.log(height)).mean() < 10 * WIDTH_ERROR
