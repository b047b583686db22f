# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra outside what the deconvolution was made for are flagged, others are not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.blind_response import blind_response
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.outlying import REASONS, flags
from hspy_ml.deconvolution.outlying_statistics import misfit
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.richardson_lucy import (
    likelihood_steps,
    start_with_zero_loss,
)
from hspy_ml.deconvolution.transfer import Transfer
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N_CHANNELS = 1000
POISSON = DetectorNoise(1.0, 0.0, 0.0)


def spectra_of(kind, family, electrons, seed, n=20):
    scenes = random_scenes(kind, n, N_CHANNELS, random_state=seed)
    responses = random_responses(family, n, N_CHANNELS, random_state=seed + 1)
    return measure(scenes, responses, electrons, random_state=seed + 2)


def judged_blind(electrons, zero=100):
    """Flags of spectra that Richardson-Lucy explains with the response found."""
    blind = blind_response(electrons, POISSON, pooled=False)
    refolded = refold(electrons, blind.response, blind.centre - zero, zero)
    return flags(electrons, POISSON, blind.response, refolded, blind=blind)


def refold(electrons, response, shifts, zero, n_iterations=60):
    transfer = Transfer(response, electrons.shape[1], shifts)
    measured = torch.from_numpy(np.asarray(electrons, np.float32))
    none = torch.zeros(len(electrons), 1)
    scene = start_with_zero_loss(measured, transfer, zero, none)
    likelihood_steps(measured, transfer, scene, n_iterations, none)
    return transfer.forward(scene).numpy()


@pytest.mark.parametrize("electrons", [3e5, 1e7, 1e8])
@pytest.mark.parametrize("kind", ["vib", "plasmon", "interband"])
def test_no_more_than_some_spectra_of_the_family_are_flagged(kind, electrons):
    spectra = spectra_of(kind, "family", electrons, 31)
    # 5 % of 20 spectra are to be expected; four happen once in a hundred times
    assert judged_blind(spectra.counts, round(spectra.zero_channel)).flagged.sum() <= 3


@pytest.mark.parametrize("family", ["shoulder", "one-sided"])
def test_responses_of_another_shape_are_flagged(family):
    outlying = judged_blind(spectra_of("vib", family, 1e7, 32).counts, 300)
    assert outlying.flagged.mean() >= 0.8
    why = [reason for row in range(20) for reason in outlying.why(row)]
    assert "response of an unknown shape" in why


def x_ray_spectra(n, rng):
    channels = np.arange(N_CHANNELS)
    spectra = np.zeros((n, N_CHANNELS))
    for row in spectra:
        row += 0.02 * np.exp(-channels / 400)
        for place in rng.uniform(60, 900, 8):
            sigma = np.sqrt(9 + place / 20)
            row += rng.uniform(0.1, 1) * np.exp(
                -0.5 * ((channels - place) / sigma) ** 2
            )
    return rng.poisson(1e3 * spectra).astype(float)


def test_x_ray_spectra_are_flagged():
    outlying = judged_blind(x_ray_spectra(10, np.random.default_rng(33)))
    assert outlying.flagged.all()


def test_spectra_without_a_zero_loss_peak_are_flagged():
    rng = np.random.default_rng(34)
    energy = 300 + np.arange(N_CHANNELS)
    foreign = np.stack(
        [
            rng.poisson(1e5 * (energy / 300.0) ** -3),  # core losses, background
            rng.poisson(np.full(N_CHANNELS, 50.0)),
            np.full(N_CHANNELS, 100.0),
            rng.standard_normal(N_CHANNELS),
            np.zeros(N_CHANNELS),
        ]
    )
    good = spectra_of("vib", "family", 1e7, 35, n=3)
    spectra = np.concatenate([foreign, good.counts])
    response = Response(np.concatenate([good.responses[[0] * 5], good.responses]))
    refolded = np.concatenate([foreign, good.expected])  # however well explained
    outlying = flags(spectra, POISSON, response, refolded)
    assert outlying.flagged[:5].all()
    assert all("no zero-loss peak" in outlying.why(row) for row in range(5))
    assert not outlying.flagged[5:].any()


def test_what_the_result_does_not_explain_is_flagged_at_any_gain_error():
    spectra = spectra_of("plasmon", "family", 1e7, 36, n=4)
    response = Response(spectra.responses)
    expected = spectra.expected
    explained = flags(spectra.counts, POISSON, response, expected)
    assert not explained.flagged.any()
    wrong = expected * (1 + 0.3 * np.sin(np.arange(N_CHANNELS) / 9.0))
    assert flags(spectra.counts, POISSON, response, wrong).flagged.all()
    tripled = DetectorNoise(1 / 3, 0.0, 0.0)  # three electrons for each that was
    values = flags(3 * spectra.counts, tripled, response, 3 * expected).values
    assert (values < 1).all()


def test_a_peak_wider_than_trained_for_is_flagged():
    spectra = spectra_of("vib", "family", 1e7, 37, n=1)
    wide = Response(np.exp(-0.5 * (np.arange(-200, 201) / 40.0) ** 2))
    outlying = flags(spectra.counts, POISSON, wide, spectra.expected)
    assert "width not trained for" in outlying.why(0)


def test_a_misfit_is_the_relative_error_of_what_was_expected():
    rng = np.random.default_rng(38)
    true = np.full((1, 4000), 1e6)
    wrong = true * (1 + 0.02 * np.sin(np.arange(4000) / 30.0))
    residuals = (rng.poisson(true) - wrong) / np.sqrt(wrong)
    everywhere = np.ones_like(true, dtype=bool)
    error = misfit(residuals, wrong, everywhere)
    np.testing.assert_allclose(error, 0.02 / np.sqrt(2), rtol=0.02)


def test_a_misfit_is_none_where_there_is_but_noise():
    rng = np.random.default_rng(39)
    expected = np.full((50, 2000), 100.0)
    residuals = (rng.poisson(expected) - expected) / 10
    error = misfit(residuals, expected, np.ones_like(expected, dtype=bool))
    # three standard errors are taken off: one in 700 has any left
    assert (error > 0).sum() <= 1


def test_values_and_reasons_belong_together():
    spectra = spectra_of("vib", "family", 1e7, 40, n=3)
    blind = blind_response(spectra.counts, POISSON, pooled=False)
    outlying = flags(
        spectra.counts, POISSON, blind.response, spectra.expected, blind=blind
    )
    assert outlying.reasons == tuple(REASONS)
    assert outlying.values.shape == (3, len(REASONS))
    odd = replace(blind, oddness=np.array([0.0, 0.5, 0.0]), doubt=np.ones(3))
    again = flags(spectra.counts, POISSON, odd.response, spectra.expected, blind=odd)
    assert again.why(1)[0] == "response of an unknown shape"
    np.testing.assert_array_equal(again.flagged, (again.values >= 1).any(axis=1))


def test_unlike_shapes_are_refused():
    response = Response(np.ones(7))
    with pytest.raises(ValueError, match="refolded"):
        flags(np.ones((2, 50)), POISSON, response, np.ones((2, 51)))
