# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.transfer import Transfer, gaussian_line
from hspy_ml.simulation.zero_loss_shapes import random_responses

KERNELS = random_responses("family", 3, 300, random_state=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(64, 400), st.integers(0, 2**31 - 1), st.floats(-3, 3))
def test_backward_is_the_transpose_of_forward(n_channels, seed, shift):
    rng = np.random.default_rng(seed)
    transfer = Transfer(Response(KERNELS), n_channels, shifts=np.full(3, shift))
    scene = torch.from_numpy(rng.random((3, transfer.n_scene), dtype=np.float32))
    ratio = torch.from_numpy(rng.random((3, n_channels), dtype=np.float32))
    there = (transfer.forward(scene) * ratio).double().sum(1)
    back = (scene * transfer.backward(ratio)).double().sum(1)
    np.testing.assert_allclose(there, back, rtol=1e-4)


def test_it_is_the_convolution_and_nothing_comes_round_the_ends():
    n_channels = 256
    transfer = Transfer(Response(KERNELS), n_channels)
    rng = np.random.default_rng(0)
    scene = rng.random((3, transfer.n_scene))
    found = transfer.forward(torch.from_numpy(scene.astype(np.float32))).numpy()
    reach = max(transfer.margin, n_channels - transfer.margin - 1)
    for row, kernel, values in zip(found, Response(KERNELS).kernel, scene, strict=True):
        near = kernel[300 - reach : 300 + reach + 1]
        direct = np.convolve(values, near)[reach:][: transfer.n_scene]
        expected = direct[transfer.margin : transfer.margin + n_channels]
        np.testing.assert_allclose(row, expected, rtol=1e-4)


def test_shift_moves_the_spectrum_by_a_fraction_of_a_channel():
    response = Response(gaussian_line(301, np.array([150.0]), np.array([9.0])))
    transfer = Transfer(response, 200, shifts=np.array([1.3]))
    scene = torch.zeros(1, transfer.n_scene)
    scene[0, transfer.margin + 80] = 1
    expected = gaussian_line(200, np.array([81.3]), np.array([9.0]))
    np.testing.assert_allclose(transfer.forward(scene), expected, atol=1e-5)
    moved = transfer.moved(np.array([-0.4])).forward(scene)
    expected = gaussian_line(200, np.array([79.6]), np.array([9.0]))
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_target_has_the_width_the_place_and_the_area_asked_for():
    transfer = Transfer(Response(KERNELS[:1]), 200)
    scene = torch.zeros(2, transfer.n_scene)
    scene[:, transfer.margin + 60] = 5
    widths, moves = np.array([4.0, 7.0]), np.array([0.25, -0.5])
    seen = transfer.on_axis(transfer.at_target(scene, widths, moves))
    expected = 5 * gaussian_line(200, 60 + moves, widths)
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_rows_are_selected():
    transfer = Transfer(Response(KERNELS), 128, shifts=np.array([0.0, 1.0, 2.0]))
    scene = torch.rand(3, transfer.n_scene)
    rows = np.array([2, 0])
    some = transfer.select(rows)
    assert len(some) == 2
    torch.testing.assert_close(
        some.forward(scene[rows]), transfer.forward(scene)[rows], rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(some.sensitivity, transfer.sensitivity[rows])


def test_sensitivity_is_the_share_that_arrives():
    transfer = Transfer(Response(KERNELS), 500)
    middle = transfer.sensitivity[:, transfer.margin + 250]
    np.testing.assert_allclose(middle, 1, atol=0.05)
    assert (transfer.sensitivity[:, 0] < 0.3).all()
    assert transfer.sensitivity.max() <= 1


@pytest.mark.parametrize("n_channels", [64, 1000, 2048])
def test_margins_and_axis(n_channels):
    transfer = Transfer(Response(KERNELS), n_channels)
    spectra = torch.rand(2, n_channels)
    scene = transfer.with_margins(spectra)
    assert scene.shape == (2, transfer.n_scene)
    torch.testing.assert_close(transfer.on_axis(scene), spectra)
