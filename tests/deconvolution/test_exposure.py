# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators between losses and electrons, and steps up the likelihood."""

import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.exposure import MARGIN, Exposure
from hspy_ml.deconvolution.response import Response
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N_CHANNELS, N = 512, 4


def tensor(values):
    return torch.from_numpy(np.array(values, dtype=np.float32))


@pytest.fixture(scope="module")
def spectra():
    scenes = random_scenes(
        "lines", N, N_CHANNELS, first_energy_eV=-0.06, random_state=1
    )
    responses = random_responses("family", N, N_CHANNELS, random_state=2)
    return measure(scenes, responses, 1e7, [-2.3, 0, 0.4, 1.9], random_state=3)


def exposure_of(spectra, electrons=None):
    electrons = spectra.counts if electrons is None else electrons
    centre = spectra.zero_channel + spectra.shifts
    fwhm = Response(spectra.responses).fwhm
    parts = (electrons, np.zeros(N), spectra.responses, centre, fwhm, [4.0])
    return Exposure(*map(tensor, parts))


@pytest.fixture(scope="module")
def exposure(spectra):
    return exposure_of(spectra)


def random_losses(seed=0):
    rng = np.random.default_rng(seed)
    return tensor(rng.random((N, N_CHANNELS + 2 * MARGIN)) ** 4)


def test_transposed_is_the_transpose(exposure):
    losses = random_losses()
    values = tensor(np.random.default_rng(1).standard_normal((N, N_CHANNELS)))
    left = (exposure.spread(losses) * values).sum(dim=1)
    right = (losses * exposure.transposed(values)).sum(dim=1)
    torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-2)


def test_electrons_are_conserved_far_from_the_ends(exposure):
    losses = torch.zeros(N, N_CHANNELS + 2 * MARGIN)
    losses[:, MARGIN + N_CHANNELS // 2] = 1000.0
    inside = exposure.spread(losses).sum(dim=1)
    assert (inside > 900).all()  # but for the tails
    assert (inside < 1000.1).all()
    sharp = exposure.at_target(losses)
    torch.testing.assert_close(sharp.sum(dim=1), torch.full((N,), 1000.0))


def test_the_target_is_as_wide_as_it_should_be(exposure):
    losses = torch.zeros(N, N_CHANNELS + 2 * MARGIN)
    losses[:, MARGIN + 200] = 1.0
    sharp = exposure.at_target(losses)
    half = sharp[:, 200] / 2
    torch.testing.assert_close(sharp[:, 202], half)  # 4 channels at half maximum


def test_the_line_is_the_expected_spectrum_of_a_vacuum():
    scenes = random_scenes("vacuum", N, N_CHANNELS, random_state=1)
    responses = random_responses("family", N, N_CHANNELS, random_state=2)
    spectra = measure(scenes, responses, 1e9, [-2.3, 0, 0.4, 1.9], random_state=3)
    exposure = exposure_of(spectra)
    expected = 1e9 * exposure.line
    torch.testing.assert_close(expected, tensor(spectra.expected), rtol=1e-4, atol=2.0)
    error = exposure.area[:, 0] / 1e9 - 1
    assert error.abs().max() < 1e-3


def test_the_likelihood_rises_with_steps(exposure):
    start, area = exposure.rough_losses(), exposure.area
    kept = exposure.climb(start, area, (1, 5, 20))
    logs = []
    for losses, line in [(start, area), *kept]:
        expected = exposure.expected(losses, line)
        log = exposure.electrons * torch.log(expected) - expected
        logs.append(log.sum(dim=1))
    rises = torch.stack(logs).diff(dim=0)
    assert (rises > 0).all()


def test_steps_find_the_losses(spectra, exposure):
    ((losses, _),) = exposure.climb(exposure.rough_losses(), exposure.area, (30,))
    scenes_shift = tensor(spectra.shifts).round().int()
    assert (losses > 0).all()
    found = exposure.at_target(losses)
    for row, true, shift in zip(found, spectra.loss_truth, scenes_shift, strict=True):
        moved = np.roll(true, int(shift))  # to half a channel
        cosine = row.numpy() @ moved / np.linalg.norm(row) / np.linalg.norm(moved)
        assert cosine > 0.9


def test_a_sharpened_residual_gives_back_what_is_missing(exposure):
    losses = random_losses()
    sharp = exposure.at_target(losses)[:, 50:-50]
    spread = exposure.spread(losses)
    (found,) = exposure.sharpened(spread, (1e-6,)).unbind(1)
    strong = exposure.sharpened(spread, (1e3,))
    inner = found[:, 50:-50]
    cosine = torch.cosine_similarity(inner, sharp)
    assert (cosine > 0.9).all()
    assert strong.abs().max() < 0.01 * found.abs().max()


def test_no_step_overflows_where_nothing_is_expected(spectra):
    counts = np.array(spectra.counts)
    counts[:, ::2] = -5.0
    counts[:, 300] = 1e9
    exposure = exposure_of(spectra, counts)
    kept = exposure.climb(exposure.rough_losses(), exposure.area, (60,))
    assert all(torch.isfinite(part).all() for part in kept[0])
