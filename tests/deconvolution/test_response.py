# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.zero_loss import find_zero_loss, half_height_width
from hspy_ml.simulation.zero_loss_shapes import random_responses


def gaussian(n_channels, centre, fwhm):
    x = np.arange(n_channels) - centre
    return np.exp(-4 * np.log(2) * (x / fwhm) ** 2)


def test_rows_sum_to_one_and_are_as_wide_as_they_should_be():
    kernel = np.stack([gaussian(201, 100, w) for w in (3.0, 8.0, 20.0)])
    response = Response(5 * kernel)
    np.testing.assert_allclose(response.kernel.sum(axis=1), 1)
    np.testing.assert_allclose(response.fwhm, [3, 8, 20], rtol=0.02)
    assert len(response.select([True, False, True])) == 2


@pytest.mark.parametrize(
    "kernel, message",
    [
        (np.ones(4), "odd"),
        (np.array([0.0, 1.0, -0.1]), "negative"),
        (np.array([0.0, np.nan, 0.1]), "NaN"),
        (np.zeros(5), "without any counts"),
    ],
)
def test_kernels_that_are_none(kernel, message):
    with pytest.raises(ValueError, match=message):
        Response(kernel)


def test_vacuum_spectrum_gives_the_response_it_was_made_with():
    """To 2 % of the area, most of it the noise of 1e7 electrons."""
    kernels = random_responses("family", 12, 1024, random_state=5)
    rng = np.random.default_rng(0)
    counts = rng.poisson(1e7 * kernels[:, 1024 - 200 : 2048 - 200])
    response = Response.from_spectrum(counts + 30, offset=30.0)
    near = slice(response.half_width - 150, response.half_width + 151)
    truth = kernels[:, 1024 - 150 : 1024 + 151]
    difference = np.abs(response.kernel[:, near] - truth).sum(axis=1)
    assert np.median(difference) < 0.02
    assert difference.max() < 0.08


def test_offset_of_a_vacuum_spectrum_is_taken_off():
    counts = 1e5 * gaussian(600, 300.3, 9.0) + 50
    kernel = Response.from_spectrum(counts).kernel[0]
    far = np.abs(np.arange(kernel.size) - kernel.size // 2) > 40
    assert kernel[far].sum() < 1e-3


@pytest.mark.parametrize(
    "counts, message",
    [
        (np.full(200, 7.0), "no zero-loss peak"),
        (np.zeros(200), "no counts"),
        (np.minimum(1e5 * gaussian(200, 100, 9.0), 4e4), "saturated"),
        (np.append(gaussian(99, 50, 8.0), np.nan), "NaN"),
        (gaussian(100, 50, 80.0) * 1e4, "wider than half|no zero-loss peak"),
        (np.ones(3), "at least"),
    ],
)
def test_spectra_without_a_usable_peak(counts, message):
    with pytest.raises(ValueError, match=message):
        Response.from_spectrum(counts)


def test_zero_loss_is_found_before_a_higher_plasmon():
    spectrum = 3e4 * gaussian(1000, 200.4, 10.0) + 4e4 * gaussian(1000, 500, 60.0)
    peak = find_zero_loss(spectrum)
    assert peak.problem[0] == ""
    assert peak.centre[0] == pytest.approx(200.4, abs=0.02)
    assert peak.fwhm[0] == pytest.approx(10.0, rel=0.02)


def test_what_is_no_low_loss_spectrum_has_no_zero_loss():
    rng = np.random.default_rng(1)
    energy = np.linspace(400, 800, 500)
    core_loss = rng.poisson(1e4 * (energy / 400) ** -3)
    noise = rng.poisson(100, 500)
    peaks = find_zero_loss(np.stack([core_loss, noise, np.full(500, 3.0)]))
    assert list(peaks.problem) == ["none"] * 3
    assert np.isnan(peaks.centre).all()


def test_width_between_channels():
    triangle = np.array([[0.0, 1.0, 2.0, 1.0, 0.0]])
    assert half_height_width(triangle, np.array([2.0]))[0] == pytest.approx(2.0)
