# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of spectra that are deconvolved side by side."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest

from hspy_ml.signals.deconvolution.blocks import (
    deconvolved,
    lazily_deconvolved,
    sampled_spectra,
)

N, N_CHANNELS = 150, 16


def doubled(spectra, pixels):
    """In place of a deconvolver: each spectrum tells which pixel it was."""
    n = len(spectra)
    return SimpleNamespace(
        spectra=2 * spectra,
        errors=np.full(spectra.shape, 3.0),
        deviance=pixels.astype(float),
        flagged=pixels % 2 == 1,
        shifts=np.zeros(n),
    )


@pytest.fixture
def spectra():
    return np.random.default_rng(0).poisson(5.0, (N, N_CHANNELS)).astype(float) + 1


@pytest.fixture
def excluded():
    return np.arange(N) % 10 == 0


def test_every_pixel_gets_its_own(spectra, excluded):
    found = deconvolved(doubled, spectra, excluded, False, 2)
    kept = ~excluded
    np.testing.assert_allclose(found.spectra[kept], 2 * spectra[kept])
    np.testing.assert_allclose(found.variance[kept], 9.0)
    np.testing.assert_array_equal(found.deviance[kept], np.flatnonzero(kept))
    assert np.isnan(found.spectra[excluded]).all()
    assert not found.flagged[excluded].any()


def test_lazily_too(spectra, excluded):
    lazy = da.from_array(spectra, chunks=(40, 7))
    found = lazily_deconvolved(doubled, lazy, excluded)
    eager = deconvolved(doubled, spectra, excluded, False, 1)
    for name in ("spectra", "variance", "deviance", "flagged"):
        expected = getattr(eager, name)
        np.testing.assert_array_equal(getattr(found, name).compute(), expected)


def test_an_interruption_keeps_what_is_done(spectra, excluded):
    """Blocks before it are there, the others NaN, and a warning says so."""

    def interrupted(block, pixels):
        if pixels[0] > 60:
            raise KeyboardInterrupt
        return doubled(block, pixels)

    with pytest.warns(UserWarning, match="Interrupted: .* of 135 spectra"):
        found = deconvolved(interrupted, spectra, excluded, False, 1)
    assert np.isfinite(found.spectra[1:10]).all()
    assert np.isnan(found.spectra[-5:]).all()


def test_errors_of_a_block_are_raised(spectra, excluded):
    def failing(block, pixels):
        raise ValueError("of a block")

    with pytest.raises(ValueError, match="of a block"):
        deconvolved(failing, spectra, excluded, False, 2)


def test_a_sample_is_of_the_whole_map(spectra, excluded):
    spectra[5] = np.nan
    sample, pixels = sampled_spectra(spectra, excluded)
    assert 5 not in pixels
    assert not excluded[pixels].any()
    np.testing.assert_array_equal(sample, spectra[pixels])
    with pytest.raises(ValueError, match="finite"):
        sampled_spectra(np.full((3, N_CHANNELS), np.nan), np.zeros(3, bool))
