# SPDX-License-Identifier: GPL-3.0-or-later
"""Spots of three phases of a few peaks each, which scatter in height and place."""

from __future__ import annotations

from functools import cache

import numpy as np

from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.counts.building import counts_from_array

NAMES = ("alpha", "beta", "gamma")
N_CHANNELS = 210
CHANNELS = np.arange(N_CHANNELS)
PEAKS = {
    "alpha": {30: 1.0, 90: 0.5},
    "beta": {38: 1.0, 120: 0.6},
    "gamma": {60: 0.8, 150: 0.9},
}
WIDTH = 4.0
SCATTER = 0.02  # of the height of a peak


def spectrum(peaks, shift=0.0):
    """Expected spectrum of one count: peaks on a falling continuum."""
    found = 0.006 * np.exp(-CHANNELS / 100) + 0.001
    for centre, height in peaks.items():
        z = (CHANNELS - centre - shift) / WIDTH
        found = found + 0.1 * height * np.exp(-0.5 * z**2)
    return found / found.sum()


def shapes():
    return np.array([spectrum(PEAKS[name]) for name in NAMES])


def spots(n_each, rng):
    """Expected spectra of spots of all phases in turn, and their labels."""
    found = []
    for name in NAMES:
        for _ in range(n_each):
            heights = np.exp(SCATTER * rng.standard_normal(2))
            peaks = PEAKS[name].items()
            varied = {c: h * f for (c, h), f in zip(peaks, heights, strict=True)}
            found.append(spectrum(varied, 0.1 * rng.standard_normal()))
    return np.array(found), np.repeat(np.arange(1, 4), n_each)


def counted(expected, dose, rng):
    return counts_from_array(rng.poisson(dose * np.atleast_2d(expected)))


@cache
def classifier(n_each=12):
    """Trained on spots of 5000 counts."""
    rng = np.random.default_rng(1)
    expected, labels = spots(n_each, rng)
    counts = counted(expected, 5000, rng)
    return LikelihoodClassifier.from_spectra(counts, labels, NAMES)
