# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of one G-matrix, corrected for the composition of each pixel."""

from __future__ import annotations

import numpy as np
import pytest

from hspy_ml.counts.data import DenseCounts
from hspy_ml.physics.fractions import reference_columns
from hspy_ml.quantification.matrix_effects import MatrixEffects, correct_amounts
from hspy_ml.quantification.quantify import quantify
from hspy_ml.quantification.reference import matrix_effects
from hspy_ml.quantification.unmeasured import measured_only

ELEMENTS = ("O", "Si", "Cr", "Fe")
PIXELS = np.array(
    [
        [0.53, 0.47, 0.0, 0.0],
        [0.3, 0.1, 0.2, 0.4],
        [0.0, 0.0, 0.2, 0.8],
        [0.1, 0.7, 0.1, 0.1],
        [0.25, 0.25, 0.25, 0.25],
    ]
)


def effects_of(spectrum, **changes) -> MatrixEffects:
    g_matrix = spectrum.model.g_matrix(spectrum.acquisition, spectrum.mass_fractions)
    return matrix_effects(g_matrix, spectrum.model, measured_only(ELEMENTS))


@pytest.fixture(scope="module")
def reference(bulk):
    return bulk(dict(zip(ELEMENTS, PIXELS.mean(axis=0), strict=True)), 20.0)


def test_weights_are_turned_into_the_amounts_they_came_from(reference):
    effects = effects_of(reference)
    at_reference = effects.intensities(reference.mass_fractions)
    brightness = np.array([1.0, 3.0, 0.5, 2.0, 1e4])
    amounts = brightness[:, None] * PIXELS
    weights = amounts * effects.intensities(PIXELS) / at_reference
    ratios, converged = correct_amounts(weights, effects, reference.mass_fractions)
    assert converged.all()
    np.testing.assert_allclose(weights / ratios, amounts, rtol=2e-4, atol=1e-9)


def test_pixels_are_independent(reference):
    effects = effects_of(reference)
    rng = np.random.default_rng(2)
    weights = rng.gamma(2.0, 1.0, (7, 4))
    together, _ = correct_amounts(weights, effects, reference.mass_fractions)
    for pixel, ratios in zip(weights, together, strict=True):
        alone, _ = correct_amounts(pixel[None], effects, reference.mass_fractions)
        np.testing.assert_allclose(alone[0], ratios, rtol=1e-4)


def test_empty_pixels_have_nothing_to_correct(reference):
    weights = np.array([[0.0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]])
    ratios, converged = correct_amounts(
        weights, effects_of(reference), reference.mass_fractions
    )
    assert converged.tolist() == [False, True]
    assert np.isfinite(ratios).all()


def test_a_thin_film_has_no_matrix_effects(bulk):
    film = bulk(dict.fromkeys(ELEMENTS, 0.25), 20.0, geometry="film")
    weights = np.array([[0.1, 0.2, 0.3, 0.4]])
    ratios, converged = correct_amounts(weights, effects_of(film), film.mass_fractions)
    assert converged.all()
    np.testing.assert_array_equal(ratios, 1.0)


def test_a_map_of_bulk_phases_is_quantified_with_one_matrix(bulk, reference):
    """Noise-free spectra of five phases, fitted with the columns of their mean.

    Shapes within a family depend a little on absorption, and the continuum on all:
    hence 1.5 % absolute and not the tolerance of the iteration. Without correction
    the same fit is 9 % off.
    """
    model, acquisition = reference.model, reference.acquisition
    spectra = []
    for fractions in PIXELS:
        g_matrix = model.g_matrix(acquisition, fractions)
        weights = [
            fractions[ELEMENTS.index(c.element)] if c.element else 0.05
            for c in g_matrix.columns
        ]
        spectra.append(1e7 * g_matrix.matrix @ np.array(weights))
    whole = model.g_matrix(acquisition, reference.mass_fractions)
    matrix = np.where(reference.used[:, None], whole.matrix, 0)
    present = matrix.sum(axis=0) > 0
    names = [n for n, p in zip(whole.names, present, strict=True) if p]
    chosen = reference_columns(whole)
    columns = [names.index(whole.names[chosen[e]]) for e in ELEMENTS]
    options = {
        "effects": effects_of(reference),
        "reference": reference.mass_fractions,
    }
    arguments = (DenseCounts(np.array(spectra)), matrix[:, present], columns)
    completion = measured_only(ELEMENTS)
    found = quantify(*arguments, completion, **options).fractions("weight")
    assert np.abs(found - PIXELS).max() < 0.015
    without = quantify(*arguments, completion).fractions("weight")
    assert np.abs(without - PIXELS).max() > 0.05
