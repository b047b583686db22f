# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.alignment import refined_shifts
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.richardson_lucy import (
    likelihood_steps,
    richardson_lucy,
    start_with_zero_loss,
)
from hspy_ml.deconvolution.shrinkage import shrink_noise
from hspy_ml.deconvolution.transfer import Transfer
from hspy_ml.simulation.zero_loss_shapes import random_responses

N_CHANNELS, ZERO = 512, 120
RESPONSE = Response(random_responses("family", 1, N_CHANNELS, random_state=2))


def scene_of(transfer, zero_loss=0.95):
    scene = np.zeros((1, transfer.n_scene), np.float32)
    scene[0, transfer.margin + ZERO] = zero_loss
    x = np.arange(transfer.n_scene) - transfer.margin - ZERO
    loss = 1 / (1 + ((x - 90) / 8) ** 2) + 0.7 / (1 + ((x - 200) / 15) ** 2)
    loss[x < 5] = 0
    scene[0] += (1 - zero_loss) * loss / loss.sum()
    return scene


def expected_of(transfer, electrons):
    scene = torch.from_numpy(electrons * scene_of(transfer))
    return transfer.forward(scene).clamp_(min=0).numpy()


def test_without_noise_the_truth_stays_and_counts_are_kept():
    transfer = Transfer(RESPONSE, N_CHANNELS)
    truth = 1e6 * scene_of(transfer)
    expected = expected_of(transfer, 1e6)
    found = richardson_lucy(expected, transfer, 20, start=truth)
    changed = torch.from_numpy(found - truth)
    assert transfer.at_target(changed.abs(), 4.0).max() < 3e-4 * truth.max()
    again = richardson_lucy(expected, transfer, 30)
    refolded = transfer.forward(torch.from_numpy(again)).numpy()
    assert refolded.sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_each_iteration_explains_the_counts_better():
    transfer = Transfer(RESPONSE, N_CHANNELS)
    counts = np.random.default_rng(0).poisson(expected_of(transfer, 1e5))
    likelihoods = []
    for n_iterations in (1, 2, 4, 8, 16, 32):
        scene = richardson_lucy(counts, transfer, n_iterations)
        level = transfer.forward(torch.from_numpy(scene)).numpy().clip(1e-9)
        likelihoods.append((counts * np.log(level) - level).sum())
    assert (np.diff(likelihoods) > 0).all()


def test_sharp_start_saves_iterations():
    """The line is sharp at once: 20 iterations beat 200 from the spectrum itself."""
    transfer = Transfer(RESPONSE, N_CHANNELS)
    truth = 1e6 * scene_of(transfer)
    counts = np.random.default_rng(1).poisson(expected_of(transfer, 1e6))
    measured = torch.from_numpy(counts.astype(np.float32))
    start = start_with_zero_loss(measured, transfer, ZERO, torch.zeros(1, 1)).numpy()
    found = richardson_lucy(counts, transfer, 20, start=start)
    slow = richardson_lucy(counts, transfer, 200)
    losses = slice(transfer.margin + ZERO + 20, transfer.margin + ZERO + 300)

    def error(scene):
        at_target = transfer.at_target(torch.from_numpy(scene - truth), 4.0)
        return float(at_target[0, losses].square().sum())

    assert error(found) < 0.3 * error(slow)


@pytest.mark.parametrize(
    "counts",
    [
        np.zeros((1, N_CHANNELS), int),
        np.full((1, N_CHANNELS), -5.0),
        np.eye(1, N_CHANNELS, 40) * 1e6,
        np.random.default_rng(0).normal(0, 3, (1, N_CHANNELS)),
    ],
)
def test_never_negative_never_nan(counts):
    transfer = Transfer(RESPONSE, N_CHANNELS)
    for threshold in (0.0, 3.0):
        found = richardson_lucy(
            counts, transfer, 40, read_variance=2.0, noise_threshold=threshold
        )
        assert np.isfinite(found).all()
        assert (found >= 0).all()


def test_negative_counts_of_reading_out_do_not_bias():
    """A region without electrons stays without, though half its counts are negative."""
    transfer = Transfer(RESPONSE, N_CHANNELS)
    rng = np.random.default_rng(3)
    expected = np.repeat(expected_of(transfer, 1e5), 20, axis=0)
    counts = rng.poisson(expected) + rng.normal(0, 3, expected.shape)
    measured = torch.from_numpy(counts.astype(np.float32))
    read = torch.full((20, 1), 9.0)
    scene = start_with_zero_loss(measured, transfer, ZERO, read)
    likelihood_steps(measured, transfer, scene, 20, read)
    found = transfer.on_axis(scene)[:, 400:].sum(dim=1).mean()
    truth = 1e5 * scene_of(transfer)[0, transfer.margin + 400 : -transfer.margin].sum()
    assert abs(found - truth) < 3 * np.sqrt(112 * 10 / 20) + 0.5 * truth


def test_iterations_that_ignore_noise_leave_fewer_bumps():
    transfer = Transfer(RESPONSE, N_CHANNELS)
    rng = np.random.default_rng(4)
    expected = np.repeat(expected_of(transfer, 1e5), 5, axis=0)
    measured = torch.from_numpy(rng.poisson(expected).astype(np.float32))
    read = torch.zeros(5, 1)
    truth = torch.from_numpy(1e5 * scene_of(transfer)).expand(5, -1)
    variation = {"truth": _variation(transfer, truth)}
    for threshold in (0.0, 3.0):
        scene = start_with_zero_loss(measured, transfer, ZERO, read)
        likelihood_steps(measured, transfer, scene, 60, read, threshold)
        variation[threshold] = _variation(transfer, scene)
    excess = variation[0.0] - variation["truth"]
    assert variation[3.0] - variation["truth"] < 0.5 * excess


def _variation(transfer, scene):
    seen = transfer.on_axis(transfer.at_target(scene, 4.0))[:, ZERO + 20 :]
    return seen.diff(dim=1).abs().sum().item()


def test_shrinkage_keeps_what_stands_out_and_drops_white_noise():
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.normal(0, 2.0, (20, 1024)).astype(np.float32))
    variance = torch.full((20, 1024), 4.0)
    left = shrink_noise(noise, variance, 4.0)
    assert left.square().mean() < 0.03 * 4.0
    x = torch.arange(1024.0)
    peak = 40 * torch.exp(-(((x - 500) / 10) ** 2))
    found = shrink_noise(noise + peak, variance, 4.0)
    assert (found.mean(dim=0)[500] - 40).abs() < 3


def test_shifts_are_found_to_a_hundredth_of_a_channel():
    """1e6 electrons: the statistical error is a few thousandths."""
    rng = np.random.default_rng(5)
    shifts = rng.uniform(-3, 3, 10)
    transfer = Transfer(RESPONSE, N_CHANNELS, shifts=shifts)
    expected = transfer.forward(
        torch.from_numpy(1e6 * np.repeat(scene_of(transfer), 10, axis=0))
    )
    counts = torch.from_numpy(rng.poisson(expected.clamp(min=0)).astype(np.float32))
    start = transfer.moved(shifts + rng.uniform(-0.7, 0.7, 10))
    found = refined_shifts(counts, start, ZERO, RESPONSE.fwhm, torch.zeros(10, 1))
    np.testing.assert_allclose(found, shifts, atol=0.03)
    assert np.std(found - shifts) < 0.015


@pytest.mark.parametrize(
    "counts, start, message",
    [
        (np.ones((1, 100)), None, "channels"),
        (np.full((1, N_CHANNELS), np.nan), None, "NaN"),
        (np.ones((1, N_CHANNELS)), np.ones((1, 3)), "margins"),
    ],
)
def test_shapes_and_values_are_checked(counts, start, message):
    with pytest.raises(ValueError, match=message):
        richardson_lucy(counts, Transfer(RESPONSE, N_CHANNELS), 3, start=start)
