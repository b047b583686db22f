# SPDX-License-Identifier: GPL-3.0-or-later
"""`deconvolve_net` on EELS signals: what comes back, and what is known of it."""

import importlib.util

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml

N_CHANNELS = 512
QUIET = {"show_progressbar": False}


@pytest.fixture(scope="module")
def _simulated():
    """Six plasmon spectra, with a PSF of 10 to 14 channels, out of line and offset."""
    return hspy_ml.simulate_low_loss(
        "plasmon",
        6,
        2e6,
        response_width=(10, 14),
        n_channels=N_CHANNELS,
        channel_width_eV=0.1,
        misalignment=2.0,
        read_noise=1.0,
        offset=20.0,
        random_state=3,
    )


def with_axis_of(line, data):
    """Other spectra on the same energy axis."""
    s = hs.signals.Signal1D(np.array(data))
    s.set_signal_type("EELS")
    wanted = ("name", "units", "scale", "offset")
    s.axes_manager[-1].update_from(line.axes_manager[-1], wanted)
    s.metadata.General.title = "plasmons"
    return s


@pytest.fixture
def measured(_simulated):
    """The same as a map of three by two."""
    line = _simulated.measured
    return with_axis_of(line, line.data.reshape(2, 3, N_CHANNELS))


@pytest.fixture(scope="module")
def informed(_simulated):
    return _simulated.measured.deconvolve_net(psf=_simulated.psf, **QUIET)


def nmse(found, truth):
    energy = truth.axes_manager.signal_axes[0].axis
    loss = energy > 1.0
    error = (found.data - truth.data)[..., loss]
    return np.sum(error**2, axis=-1) / np.sum(truth.data[..., loss] ** 2, axis=-1)


def test_spectra_become_what_they_should_have_been(_simulated, informed):
    """Unlike the spectra as measured, which the PSF has made several times wider."""
    counted = _simulated.measured.deepcopy()
    counted.data = counted.data - 20.0
    before = np.median(nmse(counted, _simulated.truth))
    after = np.median(nmse(informed, _simulated.truth))
    assert after < 0.004
    assert after < 0.1 * before


def test_the_result_is_a_signal_like_the_one_measured(measured, _simulated):
    before = measured.deepcopy()
    found = measured.deconvolve_net(psf=_simulated.psf, **QUIET)
    assert type(found) is type(measured)
    assert found.data.shape == measured.data.shape
    assert found.axes_manager.as_dictionary() == measured.axes_manager.as_dictionary()
    assert found.metadata.General.title == "Deconvolved plasmons"
    assert (found.data >= 0).all()
    np.testing.assert_array_equal(measured.data, before.data)
    assert measured.metadata.as_dictionary() == before.metadata.as_dictionary()


def test_counts_are_those_measured_less_the_dark_level(_simulated, informed):
    """20 counts per channel of offset, found to within its statistical error."""
    net = _simulated.measured.data.sum(axis=-1) - 20.0 * N_CHANNELS
    np.testing.assert_allclose(informed.data.sum(axis=-1), net, rtol=2e-3)


def test_the_zero_loss_is_aligned(informed):
    energy = informed.axes_manager.signal_axes[0].axis
    near = np.abs(energy) < 0.35
    centre = informed.data[:, near] @ energy[near] / informed.data[:, near].sum(axis=1)
    assert np.abs(centre).max() < 0.02


def test_errors_flags_and_deviance(_simulated, informed):
    report = hspy_ml.deconvolution_report(informed)
    errors = report.standard_errors
    assert errors.data.shape == informed.data.shape
    assert (errors.data > 0).all()
    assert report.flagged.data.shape == (6,)
    np.testing.assert_allclose(report.deviance.data, 1.0, atol=0.2)
    assert report.response.axes_manager.signal_axes[0].scale == pytest.approx(0.1)
    assert report.method in repr(report) or report.notes
    shift = report.zero_loss_shift.data
    assert np.abs(shift).max() <= 2.3


def test_saved_and_loaded(informed, tmp_path):
    names = ["sharp.hspy"]
    if importlib.util.find_spec("zarr"):
        names.append("sharp.zspy")
    for name in names:
        informed.save(tmp_path / name)
        loaded = hs.load(tmp_path / name)
        report = hspy_ml.deconvolution_report(loaded)
        expected = hspy_ml.deconvolution_report(informed)
        np.testing.assert_array_equal(loaded.data, informed.data)
        np.testing.assert_array_equal(
            report.standard_errors.data, expected.standard_errors.data
        )
        np.testing.assert_array_equal(report.flagged.data, expected.flagged.data)
        assert report.settings == expected.settings
        assert repr(report) == repr(expected)


def test_lazy_is_the_same(measured, _simulated):
    found = measured.deconvolve_net(psf=_simulated.psf, **QUIET)
    lazy = measured.as_lazy().deconvolve_net(psf=_simulated.psf, **QUIET)
    assert lazy._lazy
    np.testing.assert_allclose(lazy.data.compute(), found.data, rtol=1e-4, atol=1e-2)
    flagged = hspy_ml.deconvolution_report(lazy).flagged
    assert flagged.data.shape == (2, 3)


def test_one_spectrum_of_integers_and_masked_pixels(measured, _simulated):
    s = measured.inav[0, 0]
    s.data = np.rint(s.data).astype(np.uint32)
    found = s.deconvolve_net(psf=_simulated.psf, **QUIET)
    assert found.data.shape == (N_CHANNELS,)
    assert np.isfinite(found.data).all()
    mask = np.zeros((2, 3), bool)
    mask[0, 1] = True
    found = measured.deconvolve_net(psf=_simulated.psf, navigation_mask=mask, **QUIET)
    assert np.isnan(found.data[0, 1]).all()
    assert np.isfinite(found.data[~mask]).all()
    assert not hspy_ml.deconvolution_report(found).flagged.data[0, 1]


def test_repeats_exactly(measured):
    found, again = (measured.deconvolve_net(random_state=1, **QUIET) for _ in range(2))
    np.testing.assert_array_equal(found.data, again.data)


def test_blind_is_not_as_good_but_good(_simulated, informed):
    blind = _simulated.measured.deconvolve_net(**QUIET)
    assert np.median(nmse(blind, _simulated.truth)) < 0.02


def test_an_axis_that_is_not_calibrated_is_moved(_simulated):
    s = _simulated.measured.deepcopy()
    s.axes_manager.signal_axes[0].offset += 30.0
    found = s.deconvolve_net(psf=_simulated.psf, **QUIET)
    expected = _simulated.measured.axes_manager.signal_axes[0].offset
    assert found.axes_manager.signal_axes[0].offset == pytest.approx(expected, abs=0.11)
    assert any("moved" in n for n in hspy_ml.deconvolution_report(found).notes)


def test_psf_on_another_scale_is_resampled(_simulated, informed):
    """exspy takes it without a word, which makes the response wider or narrower."""
    psf = _simulated.psf.rebin(scale=[2])
    found = _simulated.measured.deconvolve_net(psf=psf, **QUIET)
    assert np.median(nmse(found, _simulated.truth)) < 0.008
    psf.axes_manager.signal_axes[0].scale = 5.0
    with pytest.raises(ValueError, match="channels of 5 eV"):
        _simulated.measured.deconvolve_net(psf=psf, **QUIET)


def test_vacuum_in_the_map_gives_the_psf(_simulated):
    """Four pixels beside the specimen."""
    first = N_CHANNELS - 100  # so that the zero loss is in channel 100, as measured
    peak = _simulated.psf.data[first : first + N_CHANNELS]
    rng = np.random.default_rng(0)
    vacuum = rng.poisson(2e6 * np.tile(peak, (4, 1))) + 20
    s = _simulated.measured
    both = with_axis_of(s, np.concatenate([s.data, vacuum]))
    found = both.deconvolve_net(psf="data", **QUIET)
    assert "vacuum" in " ".join(hspy_ml.deconvolution_report(found).notes)
    assert np.median(nmse(found.inav[:6], _simulated.truth)) < 0.006
    alike = with_axis_of(s, np.tile(s.data[0], (3, 1)))
    with pytest.raises(ValueError, match="pixels of vacuum"):
        alike.deconvolve_net(psf="data", **QUIET)
