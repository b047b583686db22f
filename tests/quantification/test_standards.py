# SPDX-License-Identifier: GPL-3.0-or-later
"""Sensitivities from standards."""

from __future__ import annotations

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import formula_mass_fractions
from hspy_ml.quantification.standards import Standard, number_of_electrons

ELECTRONS = 3e11


@pytest.fixture(scope="module")
def quartz(bulk):
    spectrum = bulk(formula_mass_fractions("SiO2"), 20.0)
    return Standard(
        spectrum.spectrum,
        spectrum.acquisition,
        spectrum.model,
        spectrum.mass_fractions,
        ELECTRONS,
    )


def test_the_sensitivity_is_counts_over_model(quartz, bulk):
    spectrum = bulk(formula_mass_fractions("SiO2"), 20.0)
    model = spectrum.model.g_matrix(spectrum.acquisition, spectrum.mass_fractions)
    silicon = model.names.index("Si K")
    peak = model.matrix[:, silicon].argmax()
    found = quartz.sensitivity("Si", refine=False)
    share = formula_mass_fractions("SiO2")["Si"]
    model_counts = ELECTRONS * share * model.matrix[peak, silicon]
    assert found.value * model_counts == pytest.approx(
        spectrum.spectrum[peak], rel=0.02
    )
    # both elements of a spectrum made by the model have the same sensitivity
    assert found.value == pytest.approx(
        quartz.sensitivity("O", refine=False).value, rel=1e-4
    )


def test_the_error_is_that_of_the_counts(quartz):
    """About a half of 1e7 counts are in Si K: 1 / sqrt(5e6), and some overlap."""
    error = quartz.sensitivity("Si", refine=False).relative_error
    assert 3e-4 < error < 1.2e-3


def test_an_element_that_the_standard_lacks_is_refused(quartz):
    with pytest.raises(ValueError, match=r"standards\['Fe'\].*without Fe"):
        quartz.sensitivity("Fe")


def test_the_dose_needs_current_and_time():
    energy = np.arange(0.1, 10, 0.01)
    known = Acquisition(
        energy, "EDS_SEM", 15.0, live_time_s=10.0, beam_current_nA=1.602176634
    )
    assert number_of_electrons(known) == pytest.approx(1e11)
    assert number_of_electrons(Acquisition(energy, "EDS_SEM", 15.0)) is None
