# SPDX-License-Identifier: GPL-3.0-or-later
"""The packaged network does what it is for, and its file is what is said of it."""

import numpy as np
import pytest

from hspy_ml.deconvolution.deconvolver_model import DEFAULT_FILE, default_deconvolver
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.restore import restore
from hspy_ml.deconvolution.scores import interval_coverage, loss_region, score
from hspy_ml.simulation.low_loss_test_sets import test_set

N = 16


def restored(name):
    made = test_set(name, N, random_state=31)
    noise = DetectorNoise(made.gain, made.read_noise**2, made.offset)
    found = restore(
        noise.electrons(made.counts),
        Response(made.responses),
        noise,
        zero_channel=made.zero_channel,
    )
    return made, found


def scored(made, spectra):
    fwhm = Response(made.responses).fwhm
    return score(spectra, made.truth, fwhm, made.zero_channel)


def test_the_file_is_small_and_says_how_it_was_made():
    assert DEFAULT_FILE.stat().st_size < 1.2e6
    card = default_deconvolver().card
    assert card.task == "deconvolution"
    assert card.training["n_steps"] > 1000
    assert "plasmon" in card.conditions["scenes"]


# Richardson-Lucy stopped by count splitting has errors of about .02 at the medium dose,
# with 2 false peaks a spectrum, and .001 with .4 for plasmons; these are half of that
# and less, with room for the scatter of sets of sixteen spectra
@pytest.mark.parametrize(
    ("name", "median", "f1", "false_peaks"),
    [
        ("vib high", 0.004, 0.9, 0.5),
        ("vib medium", 0.008, 0.9, 0.4),
        ("vib low", 0.06, 0.75, 0.9),
        ("plasmon", 0.0006, 0.9, 0.3),
    ],
)
def test_it_finds_the_losses(name, median, f1, false_peaks):
    made, found = restored(name)
    scores = scored(made, found.spectra)
    assert np.median(scores.nmse) < median
    assert scores.f1 > f1
    assert scores.false_peaks < false_peaks
    one, two = (
        interval_coverage(found.spectra, found.errors, made.truth, width).mean()
        for width in (1, 1.96)
    )
    assert 0.6 < one < 0.85
    assert 0.88 < two < 0.99


def test_a_vacuum_has_no_losses():
    made, found = restored("vacuum")
    assert scored(made, found.spectra).false_peaks <= 0.1
    for losses, width, electrons in zip(
        found.losses, Response(made.responses).fwhm, made.electrons, strict=True
    ):
        first = loss_region(width, made.zero_channel)
        assert losses[first:].sum() < 1e-4 * electrons
