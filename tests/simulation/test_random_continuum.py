# SPDX-License-Identifier: GPL-3.0-or-later
"""Random bremsstrahlung about the laws of Kramers and Small."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.depth_response import depth_response
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.specimen import Specimen
from hspy_ml.physics.xray_columns import continuum_columns
from hspy_ml.simulation.random_continuum import continuum_mixes


def g_matrix(technique, *, geometry="bulk", degree=3):
    beam_energy = 15.0 if technique == "EDS_SEM" else 200.0
    acquisition = Acquisition(
        np.arange(0.2, 12.0, 0.02),
        technique,
        beam_energy,
        35.0,
        make_detector("polymer"),
    )
    specimen = Specimen({"Si": 0.4, "Fe": 0.6}, geometry, 1e-4 * (geometry == "film"))
    return build_g_matrix(acquisition, ("Si", "Fe"), specimen, continuum_degree=degree)


def spectra(g, mixes):
    columns = g.matrix[:, [c.kind == "continuum" for c in g.columns]]
    return mixes @ (columns / columns.sum(axis=0)).T


def laws(g, degree):
    """Of degree 1 on a scanning microscope Kramers' and Small's, of 0 in a film 1/E."""
    response = depth_response(g.specimen, g.acquisition)
    return continuum_columns(response, g.acquisition, degree).T


def test_shares_sum_to_one():
    mixes = continuum_mixes(g_matrix("EDS_SEM"), 40, 0)
    assert mixes.shape == (40, 4)
    assert mixes.min() >= 0
    np.testing.assert_allclose(mixes.sum(axis=1), 1)


def test_in_a_film_the_mean_follows_kramers_law():
    g = g_matrix("EDS_TEM", geometry="film")
    mean = spectra(g, continuum_mixes(g, 3000, 0)).mean(axis=0)
    np.testing.assert_allclose(mean, laws(g, 0)[0], rtol=0.05)


def test_in_a_bulk_the_mean_is_between_the_laws():
    g = g_matrix("EDS_SEM")
    mean = spectra(g, continuum_mixes(g, 3000, 1)).mean(axis=0)
    kramers, small = laws(g, 1)
    assert (mean > 0.95 * np.minimum(kramers, small)).all()
    assert (mean < 1.05 * np.maximum(kramers, small)).all()
    apart = np.abs(kramers / small - 1) > 0.1
    assert apart.sum() > 50
    part = (mean - kramers)[apart] / (small - kramers)[apart]
    assert 0.3 < np.median(part) < 0.7


def test_single_draws_differ_by_more_than_the_laws_alone():
    g = g_matrix("EDS_TEM", geometry="film")
    drawn = spectra(g, continuum_mixes(g, 200, 2))
    half = drawn[:, : drawn.shape[1] // 4].sum(axis=1)
    assert 0.01 < half.std() / half.mean() < 0.3


@pytest.mark.parametrize("technique", ["EDS_SEM", "EDS_TEM"])
def test_without_continuum_there_is_none(technique):
    assert continuum_mixes(g_matrix(technique, degree=None), 6, 0).shape == (6, 0)


def test_the_same_seed_gives_the_same_shapes():
    g = g_matrix("EDS_SEM", degree=2)
    first = continuum_mixes(g, 5, 3)
    np.testing.assert_array_equal(first, continuum_mixes(g, 5, 3))
    assert not np.array_equal(first, continuum_mixes(g, 5, 4))
