# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done where a result does not explain the data, and where it does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.explaining import explained
from hspy_ml.deconvolution.measured import measured
from hspy_ml.deconvolution.noise_prior import NoisePrior
from hspy_ml.deconvolution.response import Response
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N, N_CHANNELS = 3, 600


@pytest.fixture
def found():
    """Spectra, and the scene of which they are, its zero loss in one channel."""
    scenes = random_scenes("vib", N, N_CHANNELS, random_state=5)
    kernel = random_responses("family", 1, N_CHANNELS, fwhm=(12, 13), random_state=6)
    made = measure(scenes, kernel, 1e6, gain=2.0, read_noise=4.0, random_state=1)
    prior = NoisePrior.known(2.0, 4.0)
    spectra = measured(made.counts, prior, Response(kernel), made.zero_channel)
    scene = torch.zeros(N, spectra.transfer.n_scene)
    losses = torch.from_numpy(1e6 * scenes.loss[:, scenes.padding : -scenes.padding])
    first = spectra.transfer.margin
    scene[:, first : first + N_CHANNELS] = losses.float()
    scene[:, spectra.zero + first] += torch.from_numpy(1e6 * scenes.zero_loss).float()
    return spectra, scene


def test_the_truth_is_left_alone(found):
    spectra, scene = found
    before = scene.clone()
    after = explained(spectra, scene)
    assert after is spectra
    torch.testing.assert_close(scene, before)


def test_noise_estimated_too_small_is_no_reason_for_steps(found):
    spectra, scene = found
    before = scene.clone()
    smaller = replace(spectra, read_variance=0.2 * spectra.read_variance)
    explained(smaller, scene)
    torch.testing.assert_close(scene, before)


def test_an_offset_is_found_in_the_residuals(found):
    """Five electrons per channel, or ten counts; some of it may pass for losses."""
    spectra, scene = found
    shifted = replace(spectra, electrons=spectra.electrons + 5)
    after = explained(shifted, scene)
    np.testing.assert_allclose(after.noise.offset - spectra.noise.offset, 10, atol=3)


def test_losses_that_were_missed_are_found(found):
    """Half of them is missing; steps stop where the rest is within the noise."""
    spectra, scene = found
    at = spectra.zero + spectra.transfer.margin
    truth = scene[:, at + 20 :].sum(dim=1)
    scene[:, at + 20 :] *= 0.5
    explained(spectra, scene)
    np.testing.assert_allclose(scene[:, at + 20 :].sum(dim=1), truth, rtol=0.2)
