# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch

from hspy_ml.deconvolution.arbiter import choose, held_out_scores, picked
from hspy_ml.deconvolution.candidates import (
    RICHARDSON_LUCY,
    Begun,
    Path,
    from_zero_loss,
    paths,
    run,
)
from hspy_ml.deconvolution.measured import measured
from hspy_ml.deconvolution.network_start import without_gaussian
from hspy_ml.deconvolution.noise_prior import NoisePrior
from hspy_ml.deconvolution.replicate_errors import ErrorScale, learn_error_scale
from hspy_ml.deconvolution.response import Response
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N, N_CHANNELS = 6, 600
WAYS = [Path("network", 0.0, (0,)), Path(RICHARDSON_LUCY, 0.0, (5, 20, 80))]
STARTS = {RICHARDSON_LUCY: from_zero_loss}


def spectra_of(electrons, seed=0):
    scenes = random_scenes("vib", N, N_CHANNELS, random_state=5)
    kernel = random_responses("family", 1, N_CHANNELS, fwhm=(12, 13), random_state=6)
    made = measure(scenes, kernel, electrons, random_state=seed)
    prior = NoisePrior.known(1.0)
    return made, measured(made.counts, prior, Response(kernel), made.zero_channel)


def test_the_most_regular_of_equals_is_taken():
    scores = np.tile([-2.0, -9.0, 0.0, -1.0], (N, 1))
    choice = choose(scores, scores, WAYS)
    assert choice.method == "network"
    assert not choice.each
    assert max(choice.scores.values()) == 0


def test_a_clear_lead_decides():
    scores = np.tile([-20.0, -9.0, 0.0, -1.0], (N, 1))
    choice = choose(scores, scores, WAYS)
    assert (choice.method, choice.best.n_steps) == (RICHARDSON_LUCY, 20)
    assert "network" in choice.why


def test_spectra_that_differ_choose_for_themselves():
    scores = np.tile([0.0, -90.0, -80.0, -70.0], (N, 1))
    scores[::2] = [-80.0, -40.0, 0.0, -30.0]
    rng = np.random.default_rng(0)
    first, second = (scores + rng.normal(0, 0.5, scores.shape) for _ in range(2))
    choice = choose(first, second, WAYS)
    assert choice.each
    kept = [0, 1, 2]  # what was taken by any, and what leads there
    starts = [way.start for way in picked(scores[:, kept], choice)]
    assert starts == [RICHARDSON_LUCY, "network"] * (N // 2)


def test_single_spectrum_is_judged():
    scores = np.array([[-9.0, -5.0, 0.0, -1.0]])
    assert choose(scores, scores, WAYS).best.n_steps == 20


def test_the_more_counts_the_more_iterations():
    ways = [Path(RICHARDSON_LUCY, 0.0, (5, 10, 20, 40, 80, 160))]
    best = []
    for electrons in (1e5, 1e8):
        made, spectra = spectra_of(electrons)
        scores = held_out_scores(made.counts, spectra, ways, STARTS, 1)
        best.append(scores.sum(axis=0).argmax())
    assert best[1] > best[0] + 1


def test_scores_do_not_depend_on_the_other_spectra():
    made, spectra = spectra_of(1e6)
    ways = [Path(RICHARDSON_LUCY, 1.5, (5, 10))]
    all_scores = held_out_scores(made.counts, spectra, ways, STARTS, 3)
    rows = np.array([4])
    one = held_out_scores(made.counts[rows], spectra.select(rows), ways, STARTS, 3)
    np.testing.assert_allclose(one, all_scores[rows], rtol=1e-5)


def test_each_spectrum_goes_its_way():
    _, spectra = spectra_of(1e6)
    short, long = Path(RICHARDSON_LUCY, 0.0, (5, 40)).candidates()
    mixed = run([short, long] * (N // 2), spectra, STARTS)
    alike = run([long] * N, spectra, STARTS)
    torch.testing.assert_close(mixed.scene[1::2], alike.scene[1::2], rtol=2e-2, atol=1)
    assert not torch.allclose(mixed.scene[::2], alike.scene[::2], rtol=2e-2, atol=1)
    assert np.isnan(mixed.errors).all()


def test_paths_without_a_network_have_none_of_it():
    assert {path.start for path in paths(False)} == {RICHARDSON_LUCY}
    assert {path.start for path in paths(True, False)} == {"network"}


def test_without_gaussian_undoes_the_blur():
    """To a tenth of a per cent of the height, for a line wider than the Gaussian."""
    x = np.arange(300)
    line = np.exp(-4 * np.log(2) * ((x - 150) / 8) ** 2)[None].astype(np.float32)
    scene = without_gaussian(torch.from_numpy(line), np.array([4.0])).numpy()[0]
    assert (scene >= 0).all()
    width = np.sqrt(np.sum(scene * (x - 150) ** 2) / scene.sum()) * 2.3548
    assert width == pytest.approx(np.sqrt(8**2 - 4**2), rel=0.02)


def test_error_scale_is_that_of_the_differences():
    """A way that adds noise of a known share has this share as its error."""
    _, spectra = spectra_of(1e7)
    begun = from_zero_loss(spectra).scene

    def again(other):
        return Begun(begun + 0 * other.electrons.sum())

    flat = learn_error_scale(spectra, again, np.full(N, 4.0), 0)
    assert flat.noise < 1e-3

    errors = ErrorScale(0.5, 0.1).errors(np.full((1, 2), 30.0), np.full((1, 2), 16.0))
    np.testing.assert_allclose(errors, np.hypot(0.5 * 4, 0.1 * 30))
    given = np.array([[2.0, np.nan]])
    both = ErrorScale(0.5, 0.0, 1.5).errors(
        np.ones((1, 2)), np.full((1, 2), 4.0), given
    )
    np.testing.assert_allclose(both, [[3.0, 1.0]])
