# SPDX-License-Identifier: GPL-3.0-or-later
"""What is learnt of a map, and the scenes and instruments that are drawn from it."""

from functools import cache

import numpy as np
import pytest
from own_maps import N_CHANNELS, mixed_map, vertices
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls

from hspy_ml.deconvolution.exposure import MARGIN
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.own_groups import alike, principal_scores
from hspy_ml.deconvolution.own_instrument import OwnInstrument
from hspy_ml.deconvolution.own_references import References, find_references
from hspy_ml.deconvolution.own_scenes import OwnScenes
from hspy_ml.deconvolution.response import Response

NOISE = DetectorNoise(1.0, 0.25, 0.0)
SIGMA = 4 / np.sqrt(8 * np.log(2))  # of the target, channels


@cache
def references(electrons=1e6, n=120):
    measured = mixed_map(n, electrons)
    response = Response(measured.responses)
    return find_references(measured.counts, response, NOISE, measured.zero_channel, 0)


def at_target(loss, margin):
    """With a response of four channels, on the axis of the spectra."""
    smooth = gaussian_filter1d(loss, SIGMA, axis=1)
    return smooth[:, margin : margin + N_CHANNELS]


@pytest.mark.parametrize("n_scenes", [1, 2, 3])
def test_mixtures_of_some_scenes_differ_in_one_way_less(n_scenes):
    measured = mixed_map(electrons=3e6, n_scenes=n_scenes)
    scores = principal_scores(measured.counts, np.full(120, 0.25))
    assert scores.shape == (120, n_scenes - 1)
    groups = alike(scores)
    assert set(groups) == set(range(groups.max() + 1))
    assert (groups.max() > 0) == (n_scenes > 1)


def test_a_dose_is_no_difference():
    rng = np.random.default_rng(0)
    dose = np.exp(rng.uniform(0, 3, (200, 1)))
    spectra = rng.poisson(dose * np.linspace(5, 50, 100)).astype(float)
    assert principal_scores(spectra, np.zeros(200)).shape[1] == 0


def misfit(loss):
    """Of the nearest mixture of the true scenes, and the sum of its shares."""
    ends = vertices()
    first = references().zero_channel + 5
    true = at_target(ends.loss, ends.padding)[:, first:]
    share, residual = nnls(true.T, loss[first:])
    return residual**2 / (loss[first:] @ loss[first:]), share.sum()


def test_references_are_mixtures_of_the_true_scenes():
    """As sharp as these, where what was measured is not."""
    found, ends = references(4e6), vertices()
    for loss in at_target(found.loss, found.margin):
        error, total = misfit(loss)
        assert error < 0.05
        assert total == pytest.approx(1, abs=0.02)
    counts = mixed_map(electrons=4e6).counts.mean(axis=0)
    assert misfit(counts)[0] > 0.2
    zero_loss = found.zero_loss
    assert (zero_loss > ends.zero_loss.min() - 3e-3).all()
    assert (zero_loss < ends.zero_loss.max() + 3e-3).all()
    np.testing.assert_allclose(found.loss.sum(axis=1) + zero_loss, 1)
    assert (found.loss >= 0).all()


def test_references_repeat_and_leave_the_spectra_alone():
    measured = mixed_map()
    before = measured.counts.copy()
    response = Response(measured.responses)
    again = find_references(measured.counts, response, NOISE, measured.zero_channel, 0)
    np.testing.assert_array_equal(again.loss, references().loss)
    np.testing.assert_array_equal(measured.counts, before)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_few_spectra_are_one_reference(n):
    assert len(references(1e5, n).loss) == 1


def scenes(n=200, seed=0):
    return OwnScenes(references()).draw(n, seed)


def test_scenes_keep_the_electrons_and_repeat():
    drawn = scenes()
    assert drawn.loss.shape == (200, N_CHANNELS + 2 * MARGIN)
    assert (drawn.loss >= 0).all()
    assert (drawn.zero_loss > 0).all()
    np.testing.assert_allclose(drawn.loss.sum(axis=1) + drawn.zero_loss, 1, rtol=1e-5)
    assert (drawn.zero_channel == references().zero_channel).all()
    np.testing.assert_array_equal(drawn.loss, scenes().loss)
    assert not np.array_equal(drawn.loss, scenes(seed=1).loss)


def test_scenes_surround_the_truth():
    """Not narrower than the truth: in most places the vertices lie within them."""
    drawn, ends = scenes(), vertices()
    low, high = np.quantile(at_target(drawn.loss, MARGIN), [0.02, 0.98], axis=0)
    true = at_target(ends.loss, ends.padding)
    counted = np.arange(N_CHANNELS) > references().zero_channel + 8
    counted = counted & (true > 0.02 * true.max())
    assert np.mean((true <= 1.1 * high)[counted]) > 0.9
    assert np.mean((true >= 0.9 * low)[counted]) > 0.9


def test_scenes_are_like_the_map():
    """Most of their losses are where the map has them."""
    drawn, ends = scenes(), vertices()
    mean = at_target(drawn.loss, MARGIN).mean(axis=0)
    own = at_target(ends.loss, ends.padding).mean(axis=0)
    after = slice(references().zero_channel + 8, None)
    assert np.corrcoef(mean[after], own[after])[0, 1] > 0.7


def test_a_map_of_a_vacuum_gives_scenes():
    size = N_CHANNELS + 2 * 30
    nothing = References(np.zeros((1, size)), np.ones(1), 30, 100, 0)
    drawn = OwnScenes(nothing).draw(50, 0)
    assert np.isfinite(drawn.loss).all()
    np.testing.assert_allclose(drawn.zero_loss, 1, atol=1e-6)


@pytest.mark.parametrize("margin", [10, 128, 200])
def test_margins_of_any_length(margin):
    loss = np.full((1, 512 + 2 * margin), 1e-5)
    one = References(loss, 1 - loss.sum(axis=1), margin, 100, 0)
    assert OwnScenes(one).draw(3, 0).loss.shape == (3, 512 + 2 * MARGIN)


def instrument(**how):
    measured = mixed_map()
    given = dict(electrons=measured.counts, noise=NOISE, widths=np.full(120, 9.0))
    response = how.pop("response", Response(measured.responses))
    return OwnInstrument.of_map(response=response, **(given | how))


def test_responses_scatter_as_those_of_the_map():
    rng = np.random.default_rng(0)
    widths = 9 * np.exp(0.1 * rng.standard_normal(500))
    found = Response(instrument(widths=widths).responses(300, rng))
    assert np.std(np.log(found.fwhm)) == pytest.approx(0.1, rel=0.2)
    assert np.median(found.fwhm) == pytest.approx(9, rel=0.03)


def test_unknown_widths_are_no_scatter():
    rng = np.random.default_rng(0)
    found = instrument(widths=np.array([9.0, np.nan, -1.0])).responses(200, rng)
    assert np.std(np.log(Response(found).fwhm)) < 0.03


def test_doses_go_somewhat_beyond_those_of_the_map():
    fewest, most = instrument().electrons
    total = mixed_map().counts.sum(axis=1)
    assert total.min() / 4 < fewest < total.min() < total.max() < most
    assert most < 4 * total.max()


def test_read_noise_is_that_of_the_map():
    rng = np.random.default_rng(0)
    noise = DetectorNoise(2.0, np.array([0.0, 4.0, 16.0]), 0.0)
    drawn = instrument(noise=noise).noise(300, rng)
    assert set(np.round(drawn, 6)) == {0.0, 1.0, 2.0}


def test_spectra_without_electrons_are_refused():
    with pytest.raises(ValueError, match="no electrons"):
        instrument(electrons=np.zeros((3, N_CHANNELS)))
