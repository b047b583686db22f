# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards, doses and absolute totals, through the signals."""

import numpy as np
import pytest

from hspy_ml.physics.composition import formula_mass_fractions

from .test_ml_quantify import GLASS, bulk_signal, quantified, values

STANDARDS = {"Mg": "MgO", "Si": "SiO2", "Ca": "CaF2", "Fe": "Fe"}


def dosed(s, current_nA=1.0, live_time_s=50.0):
    s.metadata.set_item("Acquisition_instrument.SEM.beam_current", current_nA)
    s.set_microscope_parameters(live_time=live_time_s)
    return s


@pytest.fixture(scope="module")
def unknown():
    return dosed(bulk_signal(GLASS))


@pytest.fixture(scope="module")
def standards():
    return {
        element: (dosed(bulk_signal(formula_mass_fractions(formula))), formula)
        for element, formula in STANDARDS.items()
    }


def test_standards_set_the_scale_of_their_element(unknown, standards):
    """A detector that misses half of Fe K misses it in the standard too."""
    blind = bulk_signal(GLASS)
    high = blind.axes_manager[-1].axis > 6.0
    rng = np.random.default_rng(4)
    blind.data[high] = rng.binomial(blind.data[high], 0.5)
    dosed(blind)
    iron, formula = standards["Fe"]
    iron = iron.deepcopy()
    iron.data[high] = rng.binomial(iron.data[high], 0.5)
    plain = values(quantified(blind, standards=standards))
    mended = values(quantified(blind, standards={**standards, "Fe": (iron, formula)}))
    assert mended["Fe"][0] / plain["Fe"][0] == pytest.approx(1.9, rel=0.1)


def test_the_analytical_total_follows_the_dose(unknown, standards):
    """Twice the current that the metadata tell: half the total, same composition."""
    once = quantified(unknown, standards=standards)
    other = dosed(unknown.deepcopy(), current_nA=2.0)
    twice = quantified(other, standards=standards)
    assert once.summary.total_kind == "Analytical total (%)"
    assert once.total.data[0] == pytest.approx(2 * twice.total.data[0])
    np.testing.assert_allclose(values(once)["Fe"], values(twice)["Fe"])


def test_errors_of_standards_are_in_the_errors(unknown, standards):
    quartz = formula_mass_fractions("SiO2")
    poor = dosed(bulk_signal(quartz, counts=500), live_time_s=50 * 500 / 2e5)
    many = quantified(unknown, standards=standards)
    few = quantified(unknown, standards={**standards, "Si": (poor, "SiO2")})
    silicon = many.elements.index("Si")
    assert (
        few.standard_errors[silicon].data[0] > 3 * many.standard_errors[silicon].data[0]
    )


def test_an_element_by_difference_fills_the_total(unknown, standards):
    result = quantified(unknown, standards=standards, by_difference="O")
    assert result.total.data[0] == pytest.approx(100)
    assert 0 <= result.total_errors.data[0] < 1e-3
    assert sum(v[0] for v in values(result).values()) == pytest.approx(100)


def test_compositions_of_standards_are_formulas_or_mappings(unknown, standards):
    signal, _ = standards["Si"]
    formula = quantified(unknown, standards={"Si": (signal, "SiO2")})
    mapping = {"Si": 46.74, "O": 53.26}
    named = quantified(unknown, standards={"Si": (signal, mapping)})
    np.testing.assert_allclose(values(formula)["Si"], values(named)["Si"], rtol=1e-3)


def test_bad_standards_are_named(unknown, standards):
    signal, formula = standards["Si"]
    other = signal.deepcopy()
    other.set_microscope_parameters(beam_energy=20.0)
    with pytest.raises(ValueError, match=r"standards\['Si'\].*20 keV.*15 keV"):
        quantified(unknown, standards={"Si": (other, formula)})
    tilted = signal.deepcopy()
    tilted.set_microscope_parameters(elevation_angle=30.0)
    with pytest.raises(ValueError, match="take-off angle"):
        quantified(unknown, standards={"Si": (tilted, formula)})
    no_dose = signal.deepcopy()
    no_dose.set_microscope_parameters(live_time=0.0)
    with pytest.raises(ValueError, match=r"dose.*standards\['Si'\]"):
        quantified(unknown, standards={"Si": (no_dose, formula)})
    with pytest.raises(ValueError, match="'Au'"):
        quantified(unknown, standards={"Au": (signal, formula)})
    with pytest.raises(ValueError, match="without Fe"):
        quantified(unknown, standards={"Fe": (signal, formula)})
    with pytest.raises(TypeError, match="`standards`"):
        quantified(unknown, standards=[signal])
    with pytest.raises(TypeError, match="pair"):
        quantified(unknown, standards={"Si": signal})
    with pytest.raises(TypeError, match="formula"):
        quantified(unknown, standards={"Si": (signal, 3)})
