# SPDX-License-Identifier: GPL-3.0-or-later
"""A network trained on the spectra of a signal: made, saved, loaded, used."""

import numpy as np
import pytest

import hspy_ml

QUIET = {"show_progressbar": False}


@pytest.fixture(scope="module")
def simulated():
    return hspy_ml.simulate_low_loss(
        "plasmon", 8, 1e6, n_channels=512, channel_width_eV=0.1, random_state=5
    )


@pytest.fixture(scope="module")
def model(simulated):
    return hspy_ml.train_deconvolver(
        simulated.measured, simulated.psf, n_steps=2, **QUIET
    )


def test_a_model_is_saved_loaded_and_used(simulated, model, tmp_path):
    path = tmp_path / "own.safetensors"
    model.save(path)
    loaded = hspy_ml.load_model(path)
    assert loaded.card == model.card
    assert "deconvolution" in str(hspy_ml.model_info(path))
    s = simulated.measured.inav[:2]
    found, again = (
        s.deconvolve_net(given, psf=simulated.psf, method="network", **QUIET)
        for given in (model, path)
    )
    # the file holds the weights in half precision
    np.testing.assert_allclose(again.data, found.data, rtol=0.05, atol=5.0)
    with pytest.raises(TypeError, match="for EDS"):
        x_rays = hspy_ml.simulate({"a": "TiO2"}, (1, 2), 1e4, random_state=0)
        x_rays.deconvolve_net(path, **QUIET)


def test_what_cannot_be_trained_is_refused(simulated):
    with pytest.raises(ValueError, match="architecture"):
        hspy_ml.train_deconvolver(simulated.measured, architecture="transformer")
    with pytest.raises(ValueError, match="n_steps"):
        hspy_ml.train_deconvolver(simulated.measured, n_steps=0)
    x_rays = hspy_ml.simulate({"a": "TiO2"}, (1, 2), 1e4, random_state=0)
    with pytest.raises(ValueError, match="EDS_TEM"):
        hspy_ml.train_deconvolver(x_rays)


def test_simulated_spectra_have_a_truth():
    """Without losses the truth is a Gaussian of four channels at 0 eV."""
    simulated = hspy_ml.simulate_low_loss(
        "vacuum", 2, 1e6, misalignment=2.0, gain=3.0, offset=10.0, random_state=1
    )
    energy = simulated.truth.axes_manager[-1].axis
    truth = simulated.truth.data
    np.testing.assert_allclose(truth.sum(axis=1), 1e6, rtol=1e-3)
    np.testing.assert_allclose(energy[truth.argmax(axis=1)], 0, atol=1e-3)
    assert ((truth > 0.5 * truth.max()).sum(axis=1) <= 5).all()
    assert simulated.measured.data.min() >= 10
    again = hspy_ml.simulate_low_loss(
        "vacuum", 2, 1e6, misalignment=2.0, gain=3.0, offset=10.0, random_state=1
    )
    np.testing.assert_array_equal(again.measured.data, simulated.measured.data)
    with pytest.raises(ValueError, match="vib"):
        hspy_ml.simulate_low_loss("glass")
