# SPDX-License-Identifier: GPL-3.0-or-later
"""Other sessions: near the references, never impossible, what is asked for alone."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_spots import N_CHANNELS, ENERGY_keV, shapes

from hspy_ml.classification.network_variations import (
    EDS_VARIATIONS,
    EELS_VARIATIONS,
    Variations,
    mixed_severities,
    variations_for,
)

FWHM = np.full(N_CHANNELS, 0.1)
NONE = Variations(**dict.fromkeys(asdict(EDS_VARIATIONS), 0.0))


def varied(variations, severity=1.0, n=40, seed=0):
    spectra = np.tile(shapes()[0] * 300, (n, 1))
    severities = np.full(n, severity)
    rng = np.random.default_rng(seed)
    return spectra, variations.varied(spectra, ENERGY_keV, FWHM, severities, rng)


def centroid(spectra):
    """Of the peak at 2.2 keV above its surroundings."""
    near = np.abs(ENERGY_keV - 2.2) < 0.2
    peak = spectra[:, near] - spectra[:, near].min(axis=1, keepdims=True)
    return peak @ ENERGY_keV[near] / peak.sum(axis=1)


@pytest.mark.parametrize("severity", [0.0, 1.0])
def test_nothing_varies_where_nothing_may(severity):
    variations = NONE if severity else EDS_VARIATIONS
    given_spectra, found = varied(variations, severity)
    np.testing.assert_allclose(found, given_spectra, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(severity=st.floats(0, 5), seed=st.integers(0, 99), eels=st.booleans())
def test_counts_are_kept_and_none_is_negative(severity, seed, eels):
    variations = EELS_VARIATIONS if eels else EDS_VARIATIONS
    given_spectra, found = varied(variations, severity, 8, seed)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), given_spectra.sum(axis=1))


def test_an_offset_moves_peaks_by_what_it_says():
    _, found = varied(replace(NONE, offset=0.008), n=400)
    moved = centroid(found) - centroid(varied(NONE)[1])[0]
    # 400 draws: the standard deviation is known to 3.5 %
    assert np.std(moved) == pytest.approx(0.008, rel=0.12)
    assert np.abs(np.mean(moved)) < 3 * 0.008 / 20


def test_resolution_widens_peaks_and_leaves_them_where_they_are():
    _, found = varied(replace(NONE, resolution=0.05), n=200)
    heights = found.max(axis=1)
    # wider by 5 % of 100 eV, on a peak of 106 eV: the height changes by 4.5 %
    assert np.std(heights / heights.mean()) == pytest.approx(0.045, rel=0.3)
    np.testing.assert_allclose(centroid(found), centroid(found)[0], atol=1e-3)


def test_absorption_takes_the_soft_photons():
    given_spectra, found = varied(replace(NONE, absorption=0.2), n=200)
    ratio = found / given_spectra
    soft, hard = ENERGY_keV < 0.5, ENERGY_keV > 4
    relative = ratio[:, soft].mean(axis=1) / ratio[:, hard].mean(axis=1)
    assert np.std(np.log(relative)) == pytest.approx(0.18, rel=0.25)


def test_it_repeats_exactly_and_depends_on_the_seed():
    first, again, other = (varied(EDS_VARIATIONS, seed=s)[1] for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_many_severities_are_next_to_nothing():
    severity = mixed_severities(4000, np.random.default_rng(0))
    assert np.mean(severity <= 0.1) == pytest.approx(0.4, abs=0.03)
    assert 1.9 < severity.max() <= 2


def test_each_technique_has_its_own():
    assert variations_for("EELS") is EELS_VARIATIONS
    assert variations_for("EDS_TEM") is variations_for("EDS_SEM") is EDS_VARIATIONS
