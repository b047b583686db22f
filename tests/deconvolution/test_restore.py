# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra restored by a network: aligned, conserved, alike however they are asked."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.deconvolution_network import DeconvolutionNetwork
from hspy_ml.deconvolution.deconvolver_model import DeconvolverModel
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.restore import restore
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N, N_CHANNELS = 6, 600
SHIFTS = np.array([-2.6, -1, 0, 0.3, 1.2, 2.9])
NOISE = DetectorNoise(np.ones(1), np.full(1, 0.25), np.zeros(1))


@pytest.fixture(scope="module")
def spectra():
    scenes = random_scenes("vib", N, N_CHANNELS, first_energy_eV=-0.1, random_state=4)
    responses = random_responses("family", N, N_CHANNELS, random_state=5)
    return measure(scenes, responses, 1e8, SHIFTS, read_noise=0.5, random_state=6)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return DeconvolverModel(DeconvolutionNetwork(8, 3, 2).eval())


def restored(spectra, model, rows=slice(None), **options):
    response = Response(spectra.responses).select(np.arange(N)[rows])
    options = {"zero_channel": spectra.zero_channel} | options
    return restore(spectra.counts[rows], response, NOISE, model, **options)


@pytest.fixture(scope="module")
def result(spectra, model):
    return restored(spectra, model)


def test_the_zero_loss_goes_where_it_was_wanted(spectra, result):
    np.testing.assert_allclose(result.centre, spectra.zero_channel + SHIFTS, atol=0.05)
    top = result.spectra.argmax(axis=1)
    np.testing.assert_array_equal(top, round(spectra.zero_channel))


def test_counts_are_conserved(spectra, result):
    np.testing.assert_allclose(
        result.spectra.sum(axis=1), spectra.truth.sum(axis=1), rtol=0.01
    )


def test_nothing_is_negative_and_all_is_finite(result):
    assert np.isfinite(result.spectra).all()
    assert (result.spectra >= 0).all()
    assert (result.errors > 0).all()
    assert (result.losses <= result.spectra + 1e-3).all()


def test_losses_are_aligned(spectra, model, result):
    moved = restored(spectra, model, zero_channel=None)
    for row, (mine, true) in enumerate(
        zip(result.losses, spectra.loss_truth, strict=True)
    ):
        lags = range(-3, 4)
        overlaps = [np.roll(mine, lag) @ true for lag in lags]
        assert lags[int(np.argmax(overlaps))] == 0
        wanted = round(float(spectra.zero_channel + SHIFTS[row]))
        assert abs(int(moved.spectra[row].argmax()) - wanted) <= 1


def test_a_spectrum_does_not_depend_on_its_neighbours(spectra, model, result):
    alone = restored(spectra, model, rows=slice(3, 4))
    scale = result.errors[3]
    assert np.abs(alone.spectra[0] - result.spectra[3]).max() < 1e-2 * scale.max()
    assert np.median(np.abs(alone.spectra[0] - result.spectra[3]) / scale) < 1e-3


def test_threads_do_not_disturb_each_other(spectra, model, result):
    with ThreadPoolExecutor(3) as threads:
        runs = list(threads.map(lambda _: restored(spectra, model), range(3)))
    for run in runs:
        np.testing.assert_array_equal(run.spectra, result.spectra)


def test_inputs_are_left_alone(spectra, model):
    before = spectra.counts.copy()
    restored(spectra, model)
    np.testing.assert_array_equal(spectra.counts, before)


def test_the_target_width_is_that_of_the_zero_loss_peak(spectra, model):
    wide = restored(spectra, model, target_width=6.0)
    line = wide.spectra - wide.losses
    width = line.sum(axis=1) / line.max(axis=1) * 0.9394
    np.testing.assert_allclose(width, 6.0, rtol=0.03)


def test_what_is_doubted_is_told_to_the_network(spectra, model, result):
    np.testing.assert_allclose(
        restored(spectra, model, doubt=1.0).losses, result.losses, rtol=1e-5
    )  # which has not learnt what that means
    torch.manual_seed(0)
    taught = DeconvolutionNetwork(8, 3, 2).eval()
    with torch.no_grad():
        taught.doubting += 1.0
        taught.unet.leave.weight += 0.01
    taught = DeconvolverModel(taught)
    sure, unsure = (restored(spectra, taught, doubt=d).losses for d in (0.0, 1.0))
    assert np.abs(sure - unsure).max() > 1.0


def test_one_response_serves_all_spectra(spectra, model):
    response = Response(spectra.responses[:1])
    result = restore(spectra.counts[:1].repeat(3, axis=0), response, NOISE, model)
    assert result.spectra.shape == (3, N_CHANNELS)
    np.testing.assert_allclose(result.spectra[0], result.spectra[2], rtol=1e-4, atol=1)


def test_whole_numbers_are_taken(spectra, model):
    whole = np.rint(spectra.counts).astype(np.int64)
    result = restore(whole, Response(spectra.responses), NOISE, model)
    assert np.isfinite(result.spectra).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: np.where(x == x.max(), np.nan, x), "NaN or infinite"),
        (lambda x: x[0], "one spectrum a row"),
        (lambda x: np.zeros_like(x), "`electrons` has"),
    ],
)
def test_bad_spectra_are_refused(spectra, model, spoil, message):
    with pytest.raises(ValueError, match=message):
        restore(spoil(spectra.counts), Response(spectra.responses), NOISE, model)
