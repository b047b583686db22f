# SPDX-License-Identifier: GPL-3.0-or-later
"""Three phases whose spectra are a few peaks on a continuum."""

from __future__ import annotations

from functools import cache

import numpy as np

from hspy_ml.classification.conditions import SpectrumConditions
from hspy_ml.classification.network_spots import PhaseSpots
from hspy_ml.classification.network_training import train_network_classifier
from hspy_ml.counts import DenseCounts
from hspy_ml.networks.plan import TrainingPlan

N_CHANNELS = 230
WIDTH_keV = 0.02
ENERGY_keV = 0.2 + WIDTH_keV * np.arange(N_CHANNELS)
NAMES = ("a", "b", "c")
PEAKS_keV = {"a": (0.9, 2.2), "b": (1.0, 3.1), "c": (1.6, 4.2), "foreign": (2.7, 3.6)}
FEW_STEPS = TrainingPlan(
    n_steps=40, batch_size=64, validate_every=20, n_validation=256, random_state=5
)


def conditions():
    used = np.ones(N_CHANNELS, bool)
    return SpectrumConditions("EDS_SEM", ENERGY_keV[0], WIDTH_keV, used, 10.0)


def shape(name, shift_keV=0.0):
    """Expected spectrum of one count."""
    spectrum = 0.002 * ENERGY_keV[0] / ENERGY_keV
    for centre in PEAKS_keV[name]:
        z = (ENERGY_keV - centre - shift_keV) / 0.045
        spectrum = spectrum + 0.02 * np.exp(-0.5 * z**2)
    return spectrum / spectrum.sum()


def shapes(shift_keV=0.0):
    return np.array([shape(name, shift_keV) for name in NAMES])


def drawn(spectra, n_each, counts, seed=0):
    """Counts of each spectrum in turn, and their labels from 1."""
    rng = np.random.default_rng(seed)
    expected = np.repeat(np.atleast_2d(spectra), n_each, axis=0) * counts
    values = rng.poisson(expected)
    return DenseCounts(values), np.repeat(np.arange(1, len(spectra) + 1), n_each)


def spots(n_each=12, counts=5000, seed=1):
    measured, labels = drawn(shapes(), n_each, counts, seed)
    return PhaseSpots.from_spectra(measured, labels, NAMES)


@cache
def classifier():
    return train_network_classifier(spots(), conditions(), plan=FEW_STEPS)
