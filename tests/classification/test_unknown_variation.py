# SPDX-License-Identifier: GPL-3.0-or-later
"""Departures that labelled spectra show themselves are no sign of something unknown."""

import numpy as np
import pytest

from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.counts import DenseCounts

N_CHANNELS = 200
CHANNELS = np.arange(N_CHANNELS)


def peak(place, width=3.0):
    return np.exp(-0.5 * ((CHANNELS - place) / width) ** 2)


def normalised(spectra):
    return spectra / spectra.sum(axis=-1, keepdims=True)


FLAT = 0.05 * np.exp(-CHANNELS / 80)
PHASES = normalised(FLAT + np.array([peak(40) + peak(90), peak(60) + peak(150)]))
TRACE, FOREIGN = normalised(peak(115)), normalised(peak(175))
COUNTS = 10_000


def spots(n, trace, rng, phase=0, counts=COUNTS):
    """Spectra of spots of a phase that hold from none to twice the trace."""
    shares = trace * rng.uniform(0, 2, n)
    expected = PHASES[phase] + shares[:, None] * (TRACE - PHASES[phase])
    return rng.poisson(counts * expected)


def taught(n, trace, rng):
    spectra = np.concatenate([spots(n, trace, rng), spots(n, 0.0, rng, phase=1)])
    labels = np.repeat([1, 2], n)
    return LikelihoodClassifier.from_spectra(
        DenseCounts(spectra),
        labels,
        ["alpha", "beta"],
        alternatives=np.array([TRACE, FOREIGN]),
    )


def unknown_share(classifier, spectra):
    return 1 - classifier.classify(DenseCounts(spectra)).is_known.mean()


def test_what_labelled_spots_vary_in_is_known():
    rng = np.random.default_rng(0)
    classifier = taught(20, 0.02, rng)
    assert unknown_share(classifier, spots(400, 0.02, rng)) < 0.03
    strict = LikelihoodClassifier(
        classifier.references,
        classifier.alternatives,
        classifier.calibration,
        classifier.prior_shares,
    )
    assert unknown_share(strict, spots(400, 0.02, rng)) > 0.3


def test_what_they_do_not_vary_in_is_found_all_the_same():
    rng = np.random.default_rng(1)
    classifier = taught(20, 0.02, rng)
    foreign = PHASES[0] + 0.03 * (FOREIGN - PHASES[0])
    odd = rng.poisson(COUNTS * np.tile(foreign, (200, 1)))
    assert unknown_share(classifier, odd) > 0.95


def test_poisson_spots_show_nothing_more():
    rng = np.random.default_rng(2)
    variation = taught(30, 0.0, rng).variation
    assert np.median(variation.departures) == 0
    assert (variation.departures * COUNTS < 2).all()


@pytest.mark.parametrize("n", [1, 3])
def test_few_spots_say_nothing(n):
    variation = taught(n, 0.05, np.random.default_rng(3)).variation
    assert not variation.departures.any() and not variation.squares.any()


def test_the_variation_survives_a_file():
    classifier = taught(12, 0.02, np.random.default_rng(4))
    loaded = LikelihoodClassifier.from_stored(classifier.to_stored())
    np.testing.assert_array_equal(
        loaded.variation.departures, classifier.variation.departures
    )
    spectra = DenseCounts(spots(50, 0.02, np.random.default_rng(5)))
    np.testing.assert_array_equal(
        loaded.classify(spectra).oddness, classifier.classify(spectra).oddness
    )
