# SPDX-License-Identifier: GPL-3.0-or-later
"""Escape peaks: how much, where, and that no count is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.acquisition import Acquisition, Detector, Layer
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.escape import escape_fraction, with_escape_peaks
from hspy_ml.physics.xray_columns import CountedLines, element_column

SILICON = make_detector("windowless")
GERMANIUM = Detector("germanium", active_layer=Layer((("Ge", 1.0),), 1.0))


def test_escape_of_phosphorus():
    # the formula with xraylib's coefficients, worked out by hand
    assert escape_fraction(SILICON, 2.0137) == pytest.approx(0.0163, abs=1e-4)


def test_nothing_escapes_below_the_edge_of_silicon():
    assert not escape_fraction(SILICON, [0.2, 1.487, 1.740, 1.838]).any()
    assert escape_fraction(SILICON, 1.85) > 0.01


def test_deeper_photons_escape_less():
    fractions = escape_fraction(SILICON, np.linspace(1.85, 25, 61))
    assert (np.diff(fractions) < 0).all()
    assert fractions[-1] < 1e-4


def test_other_detectors_have_none():
    assert not escape_fraction(GERMANIUM, [2.0, 6.4]).any()


@given(st.lists(st.tuples(st.floats(0.1, 30), st.floats(0, 1e6)), min_size=1))
def test_no_count_is_lost(lines):
    energy, areas = np.array(lines).T
    centres, split = with_escape_peaks(SILICON, energy, areas)
    assert split.sum() == pytest.approx(areas.sum())
    assert (split >= 0).all() and (centres > 0).all()


def test_column_of_an_element_has_the_peak_where_it_belongs():
    """Iron: 0.3 % of Ka at 6.404 - 1.740 keV, taken from Ka."""
    energy = np.arange(0.005, 12, 0.01)
    lines = CountedLines(np.array([6.404]), np.array([2.0]), np.array([1.0]))
    with_escape, without = (
        element_column(lines, Acquisition(energy, "EDS_SEM", 20.0, 40.0, detector))
        for detector in (SILICON, GERMANIUM)
    )
    assert with_escape.sum() == pytest.approx(without.sum(), abs=1e-7)
    around = abs(energy - 4.664) < 0.5
    assert energy[around][with_escape[around].argmax()] == pytest.approx(
        4.664, abs=0.01
    )
    expected = float(escape_fraction(SILICON, 6.404))
    assert 0.002 < expected < 0.005
    assert with_escape[around].sum() == pytest.approx(expected, rel=1e-4)
    parent = abs(energy - 6.404) < 0.5
    assert with_escape[parent].sum() == pytest.approx(1 - expected, rel=1e-6)
