# SPDX-License-Identifier: GPL-3.0-or-later
"""What `deconvolve_net` refuses, and what it says of it."""

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml

N_CHANNELS = 256
CENTRE = 60.0
QUIET = {"show_progressbar": False}


def peak(width=10.0, height=2e4, n_channels=N_CHANNELS):
    """A zero-loss peak and a plasmon, with noise."""
    channels = np.arange(n_channels)
    zero_loss = np.exp(-4 * np.log(2) * ((channels - CENTRE) / width) ** 2)
    plasmon = 0.05 * np.exp(-0.5 * ((channels - CENTRE - 90) / 15) ** 2)
    rng = np.random.default_rng(5)
    return rng.poisson(height * (zero_loss + plasmon)).astype(float)


def eels(data, scale=0.1, offset=None):
    s = hs.signals.Signal1D(np.array(data))
    s.set_signal_type("EELS")
    axis = s.axes_manager[-1]
    axis.units, axis.scale = "eV", scale
    axis.offset = -CENTRE * scale if offset is None else offset
    return s


PSF = np.exp(-4 * np.log(2) * (np.arange(-100, 101) / 10.0) ** 2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.exp(-np.arange(N_CHANNELS) / 50.0) * 1e4, "no zero-loss peak"),
        (peak().clip(max=1.5e4), "saturated"),
        (peak(n_channels=63), "63 channels"),
        (np.full(N_CHANNELS, np.nan), "finite"),
        (np.zeros(N_CHANNELS), "no counts"),
    ],
    ids=["no zero loss", "saturated", "short", "NaN", "empty"],
)
def test_spectra_that_are_refused(data, said):
    with pytest.raises((ValueError, TypeError), match=said):
        eels(data).deconvolve_net(**QUIET)


@pytest.mark.parametrize(
    ("psf", "said"),
    [
        (np.exp(-0.5 * (np.arange(-600, 601) / 300.0) ** 2), "peak"),
        (np.full(201, np.nan), "NaN"),
        (-PSF, "`psf`"),
        (np.zeros(201), "`psf`"),
        (3.0, "number 3"),
        ("zero loss", "'data'"),
        (np.ones((2, 201)), "`psf`"),
    ],
    ids=["wide", "NaN", "negative", "empty", "number", "word", "flat"],
)
def test_psfs_that_are_refused(psf, said):
    with pytest.raises(ValueError, match=said):
        eels(peak()).deconvolve_net(psf=psf, **QUIET)


def test_a_psf_need_not_be_normalised():
    s = eels(peak())
    found = s.deconvolve_net(psf=PSF, **QUIET)
    again = s.deconvolve_net(psf=7.5e3 * PSF, **QUIET)
    np.testing.assert_allclose(again.data, found.data, rtol=1e-4, atol=0.1)


def test_a_negative_background_is_a_dark_level():
    s = eels(peak())
    below = eels(peak() - 40.0)
    found, low = (x.deconvolve_net(psf=PSF, **QUIET).data for x in (s, below))
    assert (low >= 0).all()
    assert abs(low.sum() / found.sum() - 1) < 0.02


def test_axes_that_are_refused():
    s = eels(peak())
    s.axes_manager[-1].scale = -0.1
    with pytest.raises(ValueError, match="reversed"):
        s.deconvolve_net(**QUIET)
    s = eels(peak())
    s.axes_manager[-1].convert_to_non_uniform_axis()
    with pytest.raises(ValueError, match="uniform"):
        s.deconvolve_net(**QUIET)


def test_options_that_are_refused():
    s = eels(peak())
    for option, value, said in (
        ("method", "wiener", "richardson-lucy"),
        ("target_width_eV", -1.0, "target_width_eV"),
        ("gain", 0.0, "gain"),
        ("read_noise", "much", "read_noise"),
        ("num_workers", 0, "num_workers"),
        ("random_state", 1.5, "random_state"),
        ("model", 5, "model"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            s.deconvolve_net(**{option: value}, **QUIET)
    with pytest.raises(FileNotFoundError):
        s.deconvolve_net("nowhere.safetensors", **QUIET)


def test_spectra_in_an_image_that_are_no_data():
    """They are flagged; the others are what they are alone."""
    data = np.stack([peak(), np.zeros(N_CHANNELS), peak()])
    data[2, 7] = np.nan
    s = eels(data)
    with pytest.warns(UserWarning, match="flagged"):
        found = s.deconvolve_net(psf=PSF, **QUIET)
    flagged = hspy_ml.deconvolution_report(found).flagged.data
    assert flagged[1:].all()
    assert (found.data[1] == 0).all()
    assert np.isnan(found.data[2]).all()
    alone = s.inav[0].deconvolve_net(psf=PSF, **QUIET)
    assert abs(found.data[0].sum() / alone.data.sum() - 1) < 1e-3


def test_a_narrow_psf_is_not_sharpened():
    """A peak of two channels would only be made wider by a target of four."""
    s = eels(peak(width=2.0))
    psf = np.exp(-4 * np.log(2) * (np.arange(-30, 31) / 2.0) ** 2)
    with pytest.warns(UserWarning, match="narrow"):
        found = s.deconvolve_net(psf=psf, **QUIET)
    above = found.data > 0.5 * found.data.max()
    assert above.sum() <= 3


def test_reports_are_of_deconvolved_signals_only():
    with pytest.raises(ValueError, match="was not deconvolved"):
        hspy_ml.deconvolution_report(eels(peak()))
    with pytest.raises(TypeError, match="float"):
        hspy_ml.deconvolution_report(3.0)


def test_x_rays_have_no_psf():
    s = hs.signals.Signal1D(np.ones(N_CHANNELS))
    s.set_signal_type("EDS_TEM")
    with pytest.raises(ValueError, match="energy_resolution_MnKa"):
        s.deconvolve_net(psf=PSF, **QUIET)
