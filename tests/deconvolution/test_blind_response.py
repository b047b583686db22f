# SPDX-License-Identifier: GPL-3.0-or-later
"""The response read off the spectra that are to be deconvolved."""

import numpy as np
import pytest

from hspy_ml.deconvolution.blind_response import blind_response, estimate_response
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.response import Response
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N_CHANNELS = 1200


def spectra_of(kind, family, n, electrons, seed, n_responses=None, **options):
    scenes = random_scenes(kind, n, N_CHANNELS, random_state=seed)
    responses = random_responses(
        family, n_responses or n, N_CHANNELS, random_state=seed + 1
    )
    shifts = np.random.default_rng(seed).uniform(-3, 3, n)
    return measure(
        scenes, responses, electrons, shifts, random_state=seed + 2, **options
    )


def misplaced(response, spectra):
    """Share of the electrons that the estimate puts elsewhere, of each spectrum."""
    truth = Response(spectra.responses).cropped(response.half_width)
    return 0.5 * np.abs(response.kernel - truth.kernel).sum(axis=1)


def test_under_phonons_the_response_of_the_family_is_found():
    spectra = spectra_of("vib", "family", 24, 1e7, 11)
    estimate = blind_response(spectra.counts)
    assert estimate.response.kernel.shape == (24, 2 * N_CHANNELS + 1)
    assert np.median(misplaced(estimate.response, spectra)) < 3e-3
    width = Response(spectra.responses).fwhm
    np.testing.assert_allclose(estimate.response.fwhm, width, rtol=0.02)
    # an error of a tenth of a channel is 0.3 to 1 % of these widths
    centre = spectra.zero_channel + spectra.shifts
    np.testing.assert_allclose(estimate.centre, centre, atol=0.1)


def test_more_electrons_bring_the_estimate_nearer():
    few, many = (
        np.median(misplaced(estimate_response(s.counts, pooled=False), s))
        for s in (spectra_of("vib", "family", 24, n, 12) for n in (1e5, 1e8))
    )
    assert many < few / 2


def test_moving_a_spectrum_moves_its_centre_alone():
    spectra = spectra_of("vib", "family", 3, 1e8, 14).counts
    first = blind_response(spectra, pooled=False)
    second = blind_response(np.roll(spectra, 7, axis=1), pooled=False)
    np.testing.assert_allclose(second.centre, first.centre + 7, atol=0.01)
    miss = np.abs(second.response.kernel - first.response.kernel).sum(axis=1)
    assert (miss < 0.02).all()


def test_spectra_of_one_response_are_pooled():
    spectra = spectra_of("vib", "family", 40, 1e5, 15, n_responses=1)
    together = blind_response(spectra.counts)
    assert together.pooled
    assert len(together.response) == 1
    alone = estimate_response(spectra.counts, pooled=False)
    assert misplaced(together.response, spectra)[0] < 0.8 * np.median(
        misplaced(alone, spectra)
    )


def test_spectra_of_unlike_responses_are_not_pooled():
    spectra = spectra_of("vib", "family", 20, 1e6, 16)
    estimate = blind_response(spectra.counts)
    assert not estimate.pooled
    assert len(estimate.response) == 20


def test_read_out_noise_is_allowed_for():
    spectra = spectra_of("vib", "family", 24, 3e6, 17, read_noise=1.0)
    estimate = estimate_response(spectra.counts, DetectorNoise(1.0, 1.0, 0.0))
    assert np.median(misplaced(estimate, spectra)) < 0.01


def channel_means(centre, fwhm, n_channels):
    """Share of a Gaussian peak in each channel."""
    from scipy.special import erf

    edges = (np.arange(n_channels + 1) - 0.5 - centre) / fwhm * 2 * np.sqrt(np.log(2))
    return 0.5 * np.diff(erf(edges))


@pytest.mark.parametrize("pooled", [False, True])
def test_peaks_of_two_channels_are_known_wherever_they_lie_between_channels(pooled):
    centres = 60 + np.array([0.0, 0.25, 0.5, -0.4])
    losses = 0.05 * channel_means(90, 15, 300)
    expected = 1e7 * np.array([channel_means(c, 2.0, 300) + losses for c in centres])
    counts = np.random.default_rng(20).poisson(expected)
    estimate = blind_response(counts, DetectorNoise(1.0, 0.0, 0.0), pooled=pooled)
    np.testing.assert_allclose(estimate.centre, centres, atol=0.02)
    truth = channel_means(300, 2.0, 601)
    for kernel in estimate.response.kernel:
        np.testing.assert_allclose(kernel, truth, atol=0.005)


def test_spectra_without_a_peak_get_the_response_of_the_others():
    spectra = spectra_of("vib", "family", 4, 1e7, 18)
    counts = spectra.counts.copy()
    counts[2] = 0
    estimate = blind_response(counts, pooled=False)
    assert estimate.problem.tolist() == ["", "", "empty", ""]
    assert np.isnan(estimate.centre).tolist() == [False, False, True, False]
    kernels = estimate.response.kernel
    np.testing.assert_allclose(kernels[2], kernels[[0, 1, 3]].mean(axis=0))


def test_the_input_is_not_changed():
    counts = spectra_of("vib", "family", 2, 1e6, 19).counts
    before = counts.copy()
    estimate_response(counts)
    np.testing.assert_array_equal(counts, before)


@pytest.mark.parametrize(
    ("spectra", "message"),
    [
        (np.zeros((3, 200)), "no counts"),
        (np.full((2, 200), np.nan), "NaN"),
        (np.ones(200), "one spectrum a row"),
    ],
)
def test_what_cannot_be_used_is_refused(spectra, message):
    with pytest.raises(ValueError, match=message):
        estimate_response(spectra)
