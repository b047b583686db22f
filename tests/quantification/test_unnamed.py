# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks that nobody named are found and left out."""

from __future__ import annotations

import numpy as np
import pytest

from hspy_ml.quantification.unmeasured import measured_only
from hspy_ml.quantification.unnamed import find_named_part

ALLOY = {"Cr": 0.2, "Fe": 0.8}


def named_part(told, spectrum):
    return find_named_part(
        spectrum,
        told.acquisition,
        told.model,
        measured_only(told.model.elements),
        told.used,
        refine=False,
    )


def test_nothing_is_left_out_where_all_is_named(bulk):
    told = bulk(ALLOY, 20.0)
    found = named_part(told, told.spectrum)
    assert found.peaks == []
    np.testing.assert_array_equal(found.used_channels, found.offered_channels)


@pytest.mark.parametrize(("element", "line_keV"), [("Cu", 8.05), ("Zn", 8.64)])
def test_a_foreign_peak_does_not_change_the_composition(bulk, element, line_keV):
    """Particles beside the alloy add their spectrum, but not to the alloy."""
    told = bulk(ALLOY, 20.0, counts=1e6)
    foreign = bulk({element: 1.0}, 20.0, counts=3e5).spectrum
    found = named_part(told, told.spectrum + foreign)
    assert found.peaks[0].energy_keV == pytest.approx(line_keV, abs=0.03)
    assert element in found.peaks[0].candidates
    assert found.reference.mass_fractions == pytest.approx(
        told.mass_fractions, abs=0.01
    )


def test_lines_of_named_elements_stay(bulk):
    """A third more counts in Fe Ka than the model has: a misfit, no other element."""
    told = bulk(ALLOY, 20.0, counts=1e6)
    found = named_part(told, told.spectrum)
    around_iron = np.abs(told.acquisition.energy - 6.40) < 0.1
    assert found.used_channels[around_iron].all()
    distorted = told.spectrum * np.where(around_iron, 1.3, 1.0)
    assert named_part(told, distorted).used_channels[around_iron].all()
