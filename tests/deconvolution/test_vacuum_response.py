# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses of vacuum spectra, with noise and a dark level."""

import numpy as np
import pytest

from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.vacuum_response import response_of_vacuum
from hspy_ml.simulation.zero_loss_shapes import random_responses

N_CHANNELS, ZERO, REACH = 1024, 300, 250


def vacuum(family, electrons, n=6):
    kernels = random_responses(family, n, N_CHANNELS, fwhm=(8, 20), random_state=4)
    first = N_CHANNELS - ZERO
    rng = np.random.default_rng(2)
    counts = rng.poisson(electrons * kernels[:, first : first + N_CHANNELS])
    return kernels, counts + rng.normal(15.0, 1.0, counts.shape)


def error(response, kernels):
    found, true = (r.cropped(REACH).kernel for r in (response, Response(kernels)))
    return np.abs(found - true).sum(axis=1)


def test_usual_shapes_are_nearer_than_their_channels():
    kernels, counts = vacuum("family", 1e6)
    fitted = error(response_of_vacuum(counts), kernels)
    as_measured = error(Response.from_spectrum(counts), kernels)
    assert np.median(fitted) < 0.3 * np.median(as_measured)
    assert fitted.max() < 0.02


def test_unusual_shapes_are_as_measured():
    kernels, counts = vacuum("shoulder", 1e8)
    found = response_of_vacuum(counts)
    np.testing.assert_allclose(
        error(found, kernels), error(Response.from_spectrum(counts), kernels), atol=1e-3
    )
    assert error(found, kernels).max() < 0.02


def test_what_is_no_peak_is_refused():
    with pytest.raises(ValueError, match="psf"):
        response_of_vacuum(np.random.default_rng(0).poisson(5.0, (1, N_CHANNELS)))


def test_a_shape_keeps_its_place():
    """A kernel that is known is not fitted, moved or smoothed."""
    kernels, _ = vacuum("family", 1e6)
    np.testing.assert_allclose(
        Response.from_shape(kernels, N_CHANNELS).kernel, Response(kernels).kernel
    )
    by_half = Response.from_shape(kernels, N_CHANNELS + 0.5).cropped(REACH)
    before = Response(kernels).cropped(REACH)
    places = np.arange(-REACH, REACH + 1)
    shift = by_half.kernel @ places - before.kernel @ places
    np.testing.assert_allclose(shift, -0.5, atol=0.02)
