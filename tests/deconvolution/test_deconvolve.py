# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps deconvolved by likelihood alone; the network has its own tests."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from hspy_ml.deconvolution.deconvolve import Deconvolver, prepare_deconvolution
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.scores import score
from hspy_ml.deconvolution.zero_loss import find_zero_loss
from hspy_ml.simulation.low_loss_readout import measure
from hspy_ml.simulation.low_loss_scenes import random_scenes
from hspy_ml.simulation.zero_loss_shapes import random_responses

N, N_CHANNELS = 6, 700


def simulated(kind="vib", **options):
    """A map of one detector and one response."""
    scenes = random_scenes(kind, N, N_CHANNELS, random_state=31)
    kernel = random_responses("family", 1, N_CHANNELS, fwhm=(12, 13), random_state=32)
    settings = {
        "electrons": 2e7,
        "shifts": np.linspace(-2, 2, N),
        "gain": 2.0,
        "read_noise": 1.5,
        "offset": 30.0,
        "random_state": 33,
    }
    return measure(scenes, kernel, **(settings | options))


SPECTRA = simulated()
RESPONSE = Response(SPECTRA.responses)


def prepared(spectra=SPECTRA, **options):
    settings = {"response": RESPONSE, "method": "richardson-lucy"} | options
    return prepare_deconvolution(spectra.counts, spectra.energy_eV, **settings)


@pytest.fixture(scope="module")
def deconvolver() -> Deconvolver:
    return prepared()


@pytest.fixture(scope="module")
def found(deconvolver):
    return deconvolver.apply(SPECTRA.counts)


def test_losses_are_found_at_the_target_resolution(found):
    result = score(found.spectra / 2, SPECTRA.truth, 12.5, SPECTRA.zero_channel)
    assert np.median(result.nmse) < 0.01
    assert result.false_peaks < 0.6


def test_zero_loss_is_at_zero_and_as_wide_as_the_target(found):
    peaks = find_zero_loss(found.spectra)
    np.testing.assert_allclose(peaks.centre, SPECTRA.zero_channel, atol=0.15)
    np.testing.assert_allclose(peaks.fwhm, 4.0, rtol=0.15)
    np.testing.assert_allclose(found.shifts, SPECTRA.shifts, atol=0.05)


def test_counts_are_kept_and_none_is_negative(deconvolver, found):
    assert (found.spectra >= 0).all()
    offset = found.refolded.min()
    assert offset > 0
    total = found.spectra.sum(axis=1, dtype=float)
    expected = SPECTRA.counts.sum(axis=1, dtype=float) - N_CHANNELS * 30.0
    np.testing.assert_allclose(total, expected, rtol=3e-3)


def test_refolded_result_explains_the_data(found):
    """Squares over a variance that is itself known to a tenth."""
    assert np.median(found.deviance) == pytest.approx(1, abs=0.12)
    assert not found.flagged.any()
    residual = found.refolded - 2 * SPECTRA.expected - 30
    assert np.sqrt(np.mean(residual**2)) < np.sqrt(2 * SPECTRA.counts.mean())


def test_intervals_hold_the_truth(found):
    """Half of the channels to nearly all: errors are learnt from six spectra."""
    losses = np.arange(N_CHANNELS) > SPECTRA.zero_channel + 12
    error = np.abs(found.spectra / 2 - SPECTRA.truth)[:, losses]
    inside = [np.mean(error <= k * found.errors[:, losses] / 2) for k in (1, 1.96)]
    assert 0.5 < inside[0] < 0.85
    assert 0.8 < inside[1]


def test_a_spectrum_is_the_same_in_any_block_and_thread(deconvolver, found):
    for rows in ([3], [5, 3]):
        other = deconvolver.apply(SPECTRA.counts[rows])
        scale = found.spectra[rows].max()
        np.testing.assert_allclose(
            other.spectra, found.spectra[rows], atol=2e-4 * scale, rtol=2e-2
        )
    with ThreadPoolExecutor(3) as pool:
        blocks = list(pool.map(deconvolver.apply, [SPECTRA.counts] * 3))
    for block in blocks:
        np.testing.assert_array_equal(block.spectra, found.spectra)


def test_integers_give_what_floats_give(deconvolver):
    whole = np.rint(SPECTRA.counts)
    as_integers = deconvolver.apply(whole.astype(np.int32)).spectra
    np.testing.assert_array_equal(as_integers, deconvolver.apply(whole).spectra)


def test_input_is_not_changed(deconvolver):
    before = SPECTRA.counts.copy()
    deconvolver.apply(SPECTRA.counts)
    np.testing.assert_array_equal(SPECTRA.counts, before)


def test_bad_spectra_are_flagged_and_do_no_harm_to_the_others(deconvolver, found):
    block = SPECTRA.counts.copy()
    block[0, 50] = np.nan
    block[1] = 0
    block[2] = np.random.default_rng(0).normal(100, 10, N_CHANNELS)
    result = deconvolver.apply(block)
    assert result.flagged[:3].all()
    assert np.isnan(result.spectra[0]).all()
    assert np.isfinite(result.spectra[1:]).all()
    assert (result.spectra[1:] >= 0).all()
    np.testing.assert_allclose(
        result.spectra[3:], found.spectra[3:], atol=2e-4 * found.spectra.max()
    )


def test_without_alignment_the_zero_loss_stays(deconvolver):
    result = replace(deconvolver, align=False).apply(SPECTRA.counts)
    centre = find_zero_loss(result.spectra).centre - SPECTRA.zero_channel
    np.testing.assert_allclose(centre, SPECTRA.shifts, atol=0.15)


def test_narrow_response_is_not_sharpened():
    kernel = random_responses("family", 1, N_CHANNELS, fwhm=(2, 2.1), random_state=1)
    scenes = random_scenes("plasmon", N, N_CHANNELS, random_state=31)
    spectra = measure(scenes, kernel, 1e6, random_state=2)
    narrow = prepared(spectra, response=Response(kernel))
    assert narrow.target_width == pytest.approx(2.0, abs=0.2)
    assert any("too narrow" in note for note in narrow.notes)
    result = narrow.apply(spectra.counts)
    before, after = (find_zero_loss(x).fwhm for x in (spectra.counts, result.spectra))
    np.testing.assert_allclose(after, before, rtol=0.01)


def test_single_spectrum():
    one = prepare_deconvolution(
        SPECTRA.counts[:1],
        SPECTRA.energy_eV,
        response=RESPONSE,
        method="richardson-lucy",
    )
    result = one.apply(SPECTRA.counts[:1])
    assert result.spectra.shape == (1, N_CHANNELS)
    assert np.isfinite(result.errors).all()


def test_single_scattering_is_thinner(found):
    single = found.single_scattering()
    losses = np.arange(N_CHANNELS) > SPECTRA.zero_channel + 12
    assert (single.spectra >= 0).all()
    assert single.spectra[:, losses].sum() < found.spectra[:, losses].sum()


def test_choice_says_what_and_why(deconvolver):
    choice = deconvolver.choice
    assert choice.method == "richardson-lucy"
    assert "held-out" in choice.why
    assert max(choice.scores.values()) == 0
    assert len(choice.scores) > 10


def broken(what):
    counts, energy = SPECTRA.counts.copy(), SPECTRA.energy_eV.copy()
    if what == "decreasing":
        energy = energy[::-1]
    elif what == "uneven":
        energy = energy + 1e-4 * np.arange(N_CHANNELS) ** 2 * (energy[1] - energy[0])
    elif what == "short":
        counts, energy = counts[:, 150:200], energy[150:200]
    elif what == "no peak":
        counts, energy = counts[:, 400:], energy[400:]
    elif what == "saturated":
        counts = np.minimum(counts, 0.6 * counts.max(axis=1, keepdims=True))
    elif what == "nan":
        counts[:] = np.nan
    return counts, energy


@pytest.mark.parametrize(
    "what, message",
    [
        ("decreasing", "equal steps"),
        ("uneven", "equal steps"),
        ("short", "channels"),
        ("no peak", "no zero-loss peak"),
        ("saturated", "saturated"),
        ("nan", "finite"),
    ],
)
def test_bad_samples(what, message):
    counts, energy = broken(what)
    with pytest.raises(ValueError, match=message):
        prepare_deconvolution(
            counts, energy, response=RESPONSE, method="richardson-lucy"
        )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"method": "wiener"}, "method"),
        ({"target_width": 0.0}, "target_width"),
        ({"gain": -1.0}, "gain"),
        ({"response": Response(np.ones((3, 9)))}, "rows"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        prepared(**options)


def test_block_of_another_length(deconvolver):
    with pytest.raises(ValueError, match="channels"):
        deconvolver.apply(np.ones((2, 100)))
