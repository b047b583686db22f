# SPDX-License-Identifier: GPL-3.0-or-later
"""Random X-ray spectra for training, and what they should become."""

import numpy as np
import pytest

from hspy_ml.deconvolution.xray_inputs import N_INPUTS
from hspy_ml.deconvolution.xray_lines import MICROSCOPES, microscopes
from hspy_ml.deconvolution.xray_scenes import (
    draw_response,
    draw_scene,
    expected_spectra,
)
from hspy_ml.deconvolution.xray_stream import XrayStream


@pytest.fixture(scope="module")
def stream():
    return XrayStream(n_instruments=8, random_state=3)


def test_lines_are_those_of_the_tables():
    """Iron: Ka 6.404 keV of a film; its L lines show under a windowless detector."""
    iron = [
        lines
        for lines in microscopes()[0].elements
        if np.abs(lines.energy_keV[lines.counts.argsort()[-3:]] - 6.404).min() < 0.001
    ]
    assert len(iron) == 1
    assert np.isclose(iron[0].counts.sum(), 1.0)
    assert np.unique(iron[0].family).tolist() == [0, 1]
    slow = microscopes()[[beam for _, beam, _ in MICROSCOPES].index(8.0)]
    assert max(lines.energy_keV.max() for lines in slow.elements) < 8.0


def test_truth_broadened_is_what_is_expected():
    """Within what differs of the true resolution, 1.5 % in half of the spectra."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        response, scene = draw_response(rng), draw_scene(rng)
        expected, truth = expected_spectra(scene, response, rng)
        assert min(expected.min(), truth.min()) >= 0
        np.testing.assert_allclose(expected.sum(), truth.sum(), rtol=2e-3)
        off = np.linalg.norm(response.forward(truth[None])[0] - expected)
        assert off < 0.03 * np.linalg.norm(expected)


def test_scenes_hold_one_count_in_all():
    rng = np.random.default_rng(1)
    for _ in range(5):
        scene = draw_scene(rng)
        total = scene.counts.sum() + 0.01 * scene.continuum.sum()
        assert 0.9 < total < 2.2  # lines of no element and noise come on top


def test_draws_repeat_and_are_what_a_network_can_take(stream):
    one, same, other = stream.draw(6, 5), stream.draw(6, 5), stream.draw(6, 6)
    for part, again, different in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(part, again)
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
        assert part.shape == different.shape
    shown, start, truth, weight, counts = one
    assert shown.shape == (6, N_INPUTS, 512)
    assert truth.min() >= 0 and start.min() >= 0
    assert set(np.unique(weight)) <= {0.0, 1.0}
    assert (counts >= 30).all() and (counts <= 3e6).all()
    assert not np.array_equal(shown, other[0])


def test_richardson_lucy_comes_near_the_truth_where_counts_are_many(stream):
    bright = XrayStream((1e6, 1e6), n_instruments=4, random_state=3)
    _, start, truth, weight, _ = bright.draw(16, 0)
    off = (weight * (start - truth) ** 2).sum(axis=1)
    energy = (weight * truth**2).sum(axis=1)
    assert np.median(off / energy) < 0.1
