# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit, composition, columns: the iteration finds what the spectrum was made from."""

from __future__ import annotations

import numpy as np
import pytest

from hspy_ml.physics.composition import formula_mass_fractions
from hspy_ml.quantification.reference import find_reference

PURE = ["C", "Mg", "Si", "Ca", "Fe", "Zn", "Zr", "Ag", "Ba", "Gd", "W", "Au", "U"]
OXIDES = ["MgO", "Al2O3", "SiO2", "CaO", "TiO2", "Fe2O3", "ZrO2", "BaO", "PbO", "ThO2"]


def found(spectrum, **options):
    return find_reference(
        spectrum.spectrum,
        spectrum.acquisition,
        spectrum.model,
        spectrum.completion,
        spectrum.used,
        **options,
    )


@pytest.mark.parametrize("element", PURE)
def test_pure_elements_are_pure(bulk, element):
    reference = found(bulk({element: 1.0}), refine=False)
    assert reference.converged
    assert reference.mass_fractions == pytest.approx([1.0])


@pytest.mark.parametrize("beam", [8.0, 15.0, 30.0])
@pytest.mark.parametrize("oxide", OXIDES)
def test_oxides_are_found_by_their_lines(bulk, oxide, beam):
    """The spectrum has no noise: what remains is the tolerance of the iteration."""
    spectrum = bulk(formula_mass_fractions(oxide), beam)
    reference = found(spectrum, refine=False)
    assert reference.converged
    np.testing.assert_allclose(
        reference.mass_fractions, spectrum.mass_fractions, atol=3e-5
    )


def test_a_mixture_with_all_matrix_effects_is_found(bulk):
    """Fe makes Cr fluoresce, Au scatters back, O is absorbed strongly."""
    spectrum = bulk({"O": 0.2, "Cr": 0.2, "Fe": 0.3, "Au": 0.3}, 20.0)
    reference = found(spectrum, refine=False)
    np.testing.assert_allclose(
        reference.mass_fractions, spectrum.mass_fractions, atol=5e-5
    )


def test_oxygen_by_stoichiometry_does_not_ask_its_line(bulk):
    fractions = formula_mass_fractions("Mg2SiO4")
    spectrum = bulk(fractions, unmeasured="O")
    reference = found(spectrum, refine=False)
    np.testing.assert_allclose(
        reference.mass_fractions, spectrum.mass_fractions, atol=3e-5
    )


@pytest.mark.parametrize(
    ("shift_keV", "gain", "resolution"),
    [(0.004, 1.0, 130.0), (-0.006, 0.999, 135.0), (0.0, 1.002, 124.0)],
)
def test_a_wrong_energy_scale_is_mended_on_the_way(bulk, shift_keV, gain, resolution):
    spectrum = bulk(
        {"O": 0.43, "Mg": 0.12, "Si": 0.21, "Ca": 0.11, "Fe": 0.13},
        shift_keV=shift_keV,
        gain=gain,
        resolution=resolution,
    )
    reference = found(spectrum)
    scale = reference.energy_scale
    assert scale.offset_keV == pytest.approx(shift_keV, abs=2e-4)
    assert scale.gain == pytest.approx(gain, abs=1e-4)
    assert scale.resolution_MnKa_eV == pytest.approx(resolution, abs=0.5)
    np.testing.assert_allclose(
        reference.mass_fractions, spectrum.mass_fractions, rtol=5e-3
    )


def test_a_film_is_corrected_for_its_absorption(bulk):
    composition = {"O": 0.4, "Ca": 0.35, "Si": 0.25}
    spectrum = bulk(composition, 30.0, geometry="film", mass_thickness=8e-5)
    reference = found(spectrum, refine=False)
    np.testing.assert_allclose(
        reference.mass_fractions, spectrum.mass_fractions, atol=3e-5
    )
    ignored = bulk(composition, 30.0, geometry="film", mass_thickness=8e-5)
    ignored = type(ignored)(
        ignored.spectrum,
        ignored.acquisition,
        type(ignored.model)(ignored.model.elements, None, "film", 0.0),
        ignored.mass_fractions,
        ignored.used,
    )
    uncorrected = found(ignored, refine=False)
    assert uncorrected.mass_fractions[0] < spectrum.mass_fractions[0] - 0.02
