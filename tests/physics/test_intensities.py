# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of line families of many compositions at once are those of G."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.intensities import family_intensities
from hspy_ml.physics.specimen import Specimen

ELEMENTS = ("O", "Al", "Fe")
FAMILIES = (("O", "K"), ("Al", "K"), ("Fe", "K"), ("Fe", "L"))
MIXTURES = np.array([[0.3, 0.2, 0.5], [0.0, 1.0, 0.0], [0.47, 0.53, 0.0]])


def acquisition(technique, last_keV=9.0):
    return Acquisition(
        np.arange(0.2, last_keV, 0.01),
        technique,
        15.0 if technique == "EDS_SEM" else 200.0,
        35.0,
        make_detector("polymer"),
    )


def from_matrix(at, mixture, geometry, mass_thickness):
    composition = dict(zip(ELEMENTS, mixture.tolist(), strict=True))
    specimen = Specimen(composition, geometry, mass_thickness)
    g = build_g_matrix(at, ELEMENTS, specimen, continuum_degree=None)
    places = [g.names.index(f"{e} {family}") for e, family in FAMILIES]
    return g.matrix[:, places].sum(axis=0)


@pytest.mark.parametrize(
    ("technique", "geometry", "mass_thickness"),
    [("EDS_SEM", "bulk", 0.0), ("EDS_TEM", "film", 0.0), ("EDS_TEM", "film", 2e-4)],
)
def test_they_are_the_column_sums_of_the_matrix(technique, geometry, mass_thickness):
    """Of each composition its own matrix; the peaks' tails off the axis are small."""
    at = acquisition(technique)
    found = family_intensities(
        FAMILIES, ELEMENTS, MIXTURES, geometry, mass_thickness, at
    )
    assert found.shape == (3, 4)
    for row, mixture in zip(found, MIXTURES, strict=True):
        wanted = from_matrix(at, mixture, geometry, mass_thickness)
        np.testing.assert_allclose(row, wanted, rtol=5e-3)


def test_films_of_different_thickness_at_once():
    at = acquisition("EDS_TEM")
    thickness = np.array([0.0, 1e-4, 5e-4])
    same = np.tile(MIXTURES[0], (3, 1))
    found = family_intensities(FAMILIES, ELEMENTS, same, "film", thickness, at)
    for row, one in zip(found, thickness, strict=True):
        alone = family_intensities(FAMILIES, ELEMENTS, same[0], "film", one, at)
        np.testing.assert_allclose(row, alone, rtol=1e-12)
    assert (np.diff(found, axis=0) < 0).all()  # photons are absorbed
    lost = 1 - found[2] / found[0]
    assert lost[0] > lost[1] > lost[2]  # the softer, the more


def test_a_film_that_does_not_absorb_has_one_intensity_for_all_compositions():
    at = acquisition("EDS_TEM")
    found = family_intensities(FAMILIES, ELEMENTS, MIXTURES, "film", 0.0, at)
    np.testing.assert_allclose(found, found[:1].repeat(3, axis=0), rtol=1e-12)


def test_any_leading_axes():
    at = acquisition("EDS_SEM")
    grid = np.broadcast_to(MIXTURES, (2, 3, 3))
    found = family_intensities(FAMILIES, ELEMENTS, grid, "bulk", 0.0, at)
    flat = family_intensities(FAMILIES, ELEMENTS, MIXTURES, "bulk", 0.0, at)
    np.testing.assert_allclose(found, np.stack([flat, flat]), rtol=1e-12)


def test_lines_off_the_axis_do_not_count():
    short = acquisition("EDS_TEM", last_keV=5.0)
    found = family_intensities(FAMILIES, ELEMENTS, MIXTURES, "film", 0.0, short)
    whole = family_intensities(
        FAMILIES, ELEMENTS, MIXTURES, "film", 0.0, acquisition("EDS_TEM")
    )
    assert (found[:, 2] < 1e-3 * whole[:, 2]).all()
    np.testing.assert_allclose(found[:, 1], whole[:, 1], rtol=1e-6)


def test_a_family_that_the_beam_does_not_excite_has_none():
    """Zr K at 17.998 keV, under 15 keV."""
    at = acquisition("EDS_SEM")
    mixture = np.array([[0.4, 0.6], [0.9, 0.1]])
    found = family_intensities(
        (("Zr", "K"), ("Zr", "L")), ("Zr", "O"), mixture, "bulk", 0.0, at
    )
    assert not found[:, 0].any()
    assert (found[:, 1] > 0).all()
