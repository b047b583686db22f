# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from hspy_ml.deconvolution.dark_level import dark_level
from hspy_ml.deconvolution.noise import DetectorNoise, estimate_noise, split
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.zero_loss import find_zero_loss
from hspy_ml.simulation.low_loss_test_sets import test_set as low_loss_set

SPECTRA = low_loss_set("vib medium", 24, random_state=77)
RESPONSE = Response(SPECTRA.responses)


def estimated(counts, response=None):
    peaks = find_zero_loss(counts)
    return estimate_noise(counts, peaks.centre, peaks.fwhm, response)


def test_gain_of_each_spectrum():
    """About 200 independent squares per spectrum: 10 % each, less than 3 % together."""
    ratio = estimated(SPECTRA.counts, RESPONSE).gain / SPECTRA.gain
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert np.std(np.log(ratio)) < 0.15


def test_spectra_of_one_detector_share_its_gain():
    rng = np.random.default_rng(0)
    electrons = rng.poisson(SPECTRA.expected)
    counts = 3 * electrons + rng.normal(0, 4, electrons.shape) + 20
    noise = estimated(counts, RESPONSE)
    assert np.ptp(noise.gain) < 0.1 * noise.gain.mean()
    np.testing.assert_allclose(noise.gain, 3, rtol=0.05)
    np.testing.assert_allclose(np.sqrt(np.median(noise.read_variance)), 4, rtol=0.3)


def test_whole_poisson_counts_are_known_for_what_they_are():
    counts = np.random.default_rng(1).poisson(SPECTRA.expected * 0.05)
    noise = estimated(counts)
    assert (noise.gain == 1).mean() > 0.8
    poisson = noise.gain == 1
    assert (noise.read_variance[poisson] == 0).all()
    assert (noise.offset[poisson] == 0).all()


def test_offset_is_told_from_the_tail_of_the_peak():
    """The tails hold many times the offset; what stays is 0.1 % of all electrons."""
    peaks = find_zero_loss(SPECTRA.counts)
    known = dark_level(SPECTRA.counts, peaks.centre, peaks.fwhm, RESPONSE)
    error = (known - SPECTRA.offset) / SPECTRA.gain * SPECTRA.counts.shape[1]
    assert np.median(np.abs(error) / SPECTRA.electrons) < 1e-3


def test_negative_background_gives_a_negative_offset():
    rng = np.random.default_rng(2)
    counts = rng.poisson(SPECTRA.expected[:4]) - 500.0
    peaks = find_zero_loss(counts)
    levels = dark_level(counts, peaks.centre, peaks.fwhm, RESPONSE.select(slice(4)))
    assert (levels < -200).all()
    assert (levels > -501).all()


def test_electrons_and_their_variance():
    noise = DetectorNoise([2.0], [8.0], [10.0])
    np.testing.assert_allclose(noise.electrons(np.array([[10.0, 14.0]])), [[0, 2]])
    np.testing.assert_allclose(noise.variance(np.array([[0.0, 5.0]])), [[2, 7]])


@pytest.mark.parametrize("read", [0.0, 4.0])
def test_parts_of_a_split_are_independent_and_sum_up(read):
    rng = np.random.default_rng(3)
    mean = np.tile(np.geomspace(1, 1e4, 500), (40, 1))
    counts = rng.poisson(mean).astype(float)
    if read:
        counts += rng.normal(0, np.sqrt(read), counts.shape)
    noise = DetectorNoise(np.ones(40), np.full(40, read), np.zeros(40))
    kept, held = split(counts, noise, 0.8, random_state=1)
    np.testing.assert_allclose(kept + held, counts, rtol=1e-4, atol=1e-3)
    scale = np.sqrt(mean + read)
    a, b = (kept - 0.8 * mean) / scale, (held - 0.2 * mean) / scale
    assert np.mean(a * b) == pytest.approx(0, abs=4 * 0.4 / np.sqrt(a.size) + 0.01)
    assert np.mean(a**2) == pytest.approx(0.8, abs=0.03)
    assert np.mean(b**2) == pytest.approx(0.2, abs=0.02)


def test_split_repeats_exactly():
    noise = DetectorNoise([1.0], [1.0], [0.0])
    counts = np.random.default_rng(0).poisson(9, (2, 50))
    first, again = (split(counts, noise, 0.5, random_state=4)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([0.0], [1.0], [0.0]), "gain"),
        (([1.0], [-1.0], [0.0]), "read_variance"),
        (([1.0], [1.0], [np.nan]), "offset"),
    ],
)
def test_impossible_noise(arguments, message):
    with pytest.raises(ValueError, match=message):
        DetectorNoise(*arguments)


def test_impossible_split():
    with pytest.raises(ValueError, match="probability"):
        split(np.ones((1, 9)), DetectorNoise([1.0], [0.0], [0.0]), 1.0)
