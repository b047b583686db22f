# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks that the elements given do not explain."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition, Detector
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.specimen import Specimen
from hspy_ml.physics.unexplained import unexplained_peaks

ACQUISITION = Acquisition(
    energy=0.005 + 0.01 * np.arange(1200),
    technique="EDS_TEM",
    beam_energy_keV=200.0,
    take_off_angle=20.0,
    detector=Detector(),
)


def _spectrum(elements, counts=20_000.0):
    g = build_g_matrix(ACQUISITION, elements, Specimen({}))
    weights = np.zeros(g.matrix.shape[1])
    for i, column in enumerate(g.columns):
        share = 0.5 if column.kind == "continuum" else 1.0
        weights[i] = share / g.matrix[:, i].sum()
    spectrum = g.matrix @ weights
    lines = g.matrix @ (weights * [c.element is not None for c in g.columns])
    return counts * spectrum, counts * lines


@pytest.mark.parametrize(
    ("missing", "energy"), [("Si", 1.740), ("Ti", 4.51), ("Cu", 8.05)]
)
def test_a_missing_element_is_found_where_its_line_is(missing, energy):
    observed, _ = _spectrum(["O", "Fe", missing])
    without, lines = _spectrum(["O", "Fe"])
    observed = without + observed / 2
    draws = np.random.default_rng(0).poisson(observed).astype(float)
    expected, lines = without * 1.5, lines * 1.5
    peaks = unexplained_peaks(draws, expected, lines, ACQUISITION)
    assert missing in peaks[0].candidates
    assert peaks[0].energy_keV == pytest.approx(energy, abs=0.03)


def test_noise_alone_leaves_nothing_over():
    expected, lines = _spectrum(["O", "Fe", "Si"])
    for seed in range(20):
        draws = np.random.default_rng(seed).poisson(expected).astype(float)
        assert unexplained_peaks(draws, expected, lines, ACQUISITION) == []


def test_a_line_that_is_slightly_off_is_no_element():
    expected, lines = _spectrum(["O", "Fe", "Si"])
    shifted = np.roll(expected, 1)  # 10 eV
    assert unexplained_peaks(shifted, expected, lines, ACQUISITION) == []


def test_channels_that_are_not_used_hold_no_peak():
    expected, lines = _spectrum(["O", "Fe"])
    observed = expected.copy()
    observed[ACQUISITION.energy < 0.2] = np.nan
    assert unexplained_peaks(observed, expected, lines, ACQUISITION) == []


def test_without_a_detector_nothing_is_said():
    from dataclasses import replace

    acquisition = replace(ACQUISITION, detector=None)
    spectrum, lines = _spectrum(["O", "Fe"])
    assert unexplained_peaks(3 * spectrum, spectrum, lines, acquisition) == []
