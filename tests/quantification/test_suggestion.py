# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements are found from their lines, and not from what other lines leave over."""

from dataclasses import replace

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.specimen import Specimen
from hspy_ml.quantification.candidates import candidate_elements, unknown_specimen
from hspy_ml.quantification.suggestion import suggest_from_spectrum
from hspy_ml.quantification.tempered import tempered_spectrum

ENERGY = np.arange(1900) * 0.01 + 0.2
FILM = Acquisition(ENERGY, "EDS_TEM", 200.0, 25.0, make_detector("windowless"))
BULK = Acquisition(ENERGY, "EDS_SEM", 20.0, 35.0, make_detector("polymer"))


def spectrum(masses, acquisition=FILM, counts=1e5, seed=0, continuum=0.4):
    """Draw counts of a specimen whose mass fractions are given."""
    geometry = "bulk" if acquisition.technique == "EDS_SEM" else "film"
    total = sum(masses.values())
    specimen = Specimen({e: m / total for e, m in masses.items()}, geometry)
    g = build_g_matrix(acquisition, list(masses), specimen)
    weights = np.array([masses.get(c.element, 0.0) for c in g.columns])
    lines = g.matrix @ weights
    is_continuum = np.array([c.kind == "continuum" for c in g.columns])
    background = g.matrix[:, is_continuum].sum(axis=1)
    expected = (1 - continuum) * lines / lines.sum()
    expected += continuum * background / background.sum()
    return np.random.default_rng(seed).poisson(counts * expected).astype(float)


@pytest.mark.parametrize(
    ("masses", "acquisition"),
    [
        ({"Fe": 0.7, "O": 0.3}, FILM),
        ({"Sr": 0.5, "Ti": 0.3, "O": 0.2}, FILM),
        ({"Pt": 0.8, "Fe": 0.2}, FILM),
        ({"O": 0.4, "Mg": 0.1, "Al": 0.1, "Si": 0.2, "Ca": 0.1, "Fe": 0.1}, BULK),
        ({"Pb": 1.0}, BULK),
        ({"Cu": 0.7, "Zn": 0.3}, BULK),
        ({"Ga": 0.5, "As": 0.5}, BULK),
    ],
)
def test_elements_are_found_and_no_others(masses, acquisition):
    counts = spectrum(masses, acquisition)
    assert set(suggest_from_spectrum(counts, acquisition).elements) == set(masses)


@pytest.mark.parametrize("seed", range(5))
def test_a_continuum_holds_no_elements(seed):
    counts = spectrum({"Fe": 1.0}, continuum=1.0, seed=seed)
    assert suggest_from_spectrum(counts, FILM).elements == ()


def test_nothing_is_found_in_nothing():
    assert suggest_from_spectrum(np.zeros(ENERGY.size), FILM).elements == ()


def test_evidence_is_what_it_says():
    found = suggest_from_spectrum(spectrum({"Fe": 0.98, "Cu": 0.02}), FILM).evidence
    iron, copper = found
    assert (iron.element, iron.line, copper.line) == ("Fe", "Fe_Ka", "Cu_La")
    assert iron.energy_keV == pytest.approx(6.404, abs=0.001)
    assert iron.gain > copper.gain > 18
    assert iron.counts == pytest.approx(0.6e5 * 0.98, rel=0.05)
    assert copper.elsewhere == "grid"


def test_soft_lines_count_only_with_the_hard_ones():
    """Arsenic's L lines lie 30 eV from magnesium's K; without its K it is not there."""
    found = suggest_from_spectrum(spectrum({"Mg": 1.0}), FILM)
    assert found.elements == ("Mg",)
    assert "As" not in found.evidence[0].alternatives
    both = suggest_from_spectrum(spectrum({"As": 1.0}), FILM)
    assert both.elements == ("As",)


def test_lines_that_coincide_are_named_as_alternatives():
    """S K and Mo L: at 10 kV molybdenum has nothing else to show."""
    low = replace(BULK, beam_energy_keV=10.0)
    (sulfur,) = suggest_from_spectrum(spectrum({"S": 1.0}, low), low).evidence
    assert {sulfur.element, *sulfur.alternatives} >= {"S", "Mo"}


def test_an_energy_scale_that_is_a_little_off_is_put_right():
    counts = spectrum({"Fe": 0.5, "Ti": 0.2, "Si": 0.2, "O": 0.1})
    for off in (-0.012, 0.012):
        shifted = replace(FILM, energy=ENERGY * 1.001 + off)
        found = suggest_from_spectrum(counts, shifted)
        assert set(found.elements) == {"Fe", "Ti", "Si", "O"}


def test_many_counts_do_not_make_elements_of_small_misfits():
    """A tail of 1 % below each peak, which no model here holds."""
    exact = spectrum({"Ca": 0.7, "F": 0.3}, BULK, counts=3e7)
    tail = np.convolve(exact, np.ones(20) / 20)[19:][: exact.size]
    counts = np.round(0.99 * exact + 0.01 * tail)
    assert set(suggest_from_spectrum(counts, BULK).elements) == {"Ca", "F"}


def test_scaling_does_not_help_but_counts_do():
    masses = {"Fe": 0.99, "Ni": 0.01}
    few = suggest_from_spectrum(spectrum(masses, counts=1e3), FILM)
    many = suggest_from_spectrum(spectrum(masses, counts=1e6), FILM)
    assert few.elements == ("Fe",)
    assert set(many.elements) == {"Fe", "Ni"}


def test_channels_that_are_not_used_do_not_matter():
    counts = spectrum({"Fe": 0.7, "O": 0.3})
    counts[abs(ENERGY - 3.0) < 0.3] = np.nan
    assert set(suggest_from_spectrum(counts, FILM).elements) == {"Fe", "O"}


def test_table_is_readable():
    text = repr(suggest_from_spectrum(spectrum({"Mo": 1.0}), FILM))
    assert text.splitlines()[0] == "ElementSuggestion: Mo"
    assert "Mo_La" in text and "2.293" in text and "may be from grid" in text


def test_trust_is_low_near_strong_peaks_only():
    counts = np.full(ENERGY.size, 1.0)
    counts[abs(ENERGY - 6.4) < 0.05] = 1e6
    spectrum_ = tempered_spectrum(counts, FILM, unknown_specimen("EDS_TEM"))
    energy = spectrum_.acquisition.energy
    assert spectrum_.acquisition.channel_width == pytest.approx(0.02)
    assert spectrum_.trust[abs(energy - 6.4) < 0.1].max() < 1e-3
    assert spectrum_.trust[energy > 7.5].min() > 0.95
    assert spectrum_.counts.sum() == counts.sum()


def test_candidates_have_lines_that_are_excited():
    low = replace(BULK, beam_energy_keV=5.0)
    found = {c.element: c for c in candidate_elements(low, unknown_specimen("EDS_SEM"))}
    assert "He" not in found and "K" in found["Si"].families
    assert found["Fe"].families == ("L",)
    assert found["Fe"].without_hard_families() is None
    assert found["Xe"].rarity > found["Tb"].rarity > found["Fe"].rarity
