# SPDX-License-Identifier: GPL-3.0-or-later
"""The top of the response is found although a shoulder comes first."""

import numpy as np

from hspy_ml.deconvolution.matched_centre import matched_centres
from hspy_ml.deconvolution.response import Response

N_CHANNELS = 400


def gaussian(centre, fwhm):
    channel = np.arange(N_CHANNELS)
    return np.exp(-4 * np.log(2) * ((channel - centre) / fwhm) ** 2)


def with_shoulder(centre):
    """A peak 12 channels wide and another of half its height 18 channels before it."""
    return 0.5 * gaussian(centre - 18, 12) + gaussian(centre, 12)


RESPONSE = Response(np.stack([with_shoulder(200)[20:381]]))


def test_a_shoulder_is_not_the_zero_loss():
    centres = np.array([140.0, 151.0, 160.5])
    spectra = 1e4 * np.stack([with_shoulder(c) for c in centres])
    found = matched_centres(spectra, RESPONSE, centres - 18)
    np.testing.assert_allclose(found, centres, atol=1)


def test_a_right_start_is_left_as_it_is():
    centres = np.array([140.2, 151.4])
    counts = np.random.default_rng(0).poisson(
        300 * np.stack([with_shoulder(c) for c in centres])
    )
    found = matched_centres(counts, RESPONSE, centres)
    np.testing.assert_array_equal(found, centres)


def test_a_stronger_loss_further_up_does_not_count():
    spectrum = 100 * with_shoulder(150) + 400 * gaussian(240, 20)
    found = matched_centres(spectrum[None], RESPONSE, np.array([150.0]))
    assert found[0] == 150.0


def test_a_peak_at_the_end_of_the_axis_is_found():
    spectra = 1e4 * np.stack([with_shoulder(10), with_shoulder(385)])
    found = matched_centres(spectra, RESPONSE, np.array([8.0, 367.0]))
    np.testing.assert_allclose(found, [8, 385], atol=1)
