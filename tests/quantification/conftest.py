# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk spectra without noise, made by the model that is to be inverted."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.quantification.reference import SpecimenModel, trusted_channels
from hspy_ml.quantification.unmeasured import by_stoichiometry, measured_only

sys.path.insert(0, str(Path(__file__).parent))  # for `peaks`

CONTINUUM = 0.05  # weight of each continuum column


@dataclass(frozen=True, eq=False)
class Bulk:
    """A spectrum of a bulk of known composition."""

    spectrum: np.ndarray
    acquisition: Acquisition
    model: SpecimenModel
    mass_fractions: np.ndarray
    used: np.ndarray

    @property
    def completion(self):
        """From measured amounts to those of all elements."""
        if self.model.unmeasured is None:
            return measured_only(self.model.elements)
        return by_stoichiometry(self.model.elements, self.model.unmeasured, "mass")


def make_bulk(
    composition: dict[str, float],
    beam_energy_keV: float = 15.0,
    *,
    unmeasured: str | None = None,
    counts: float = 1e7,
    resolution: float = 130.0,
    shift_keV: float = 0.0,
    gain: float = 1.0,
    geometry: str = "bulk",
    mass_thickness: float = 0.0,
) -> Bulk:
    """Expected counts; the axis that is told differs from the true one on request."""
    elements = tuple(composition)
    fractions = np.array(list(composition.values()))
    fractions = fractions / fractions.sum()
    energy = np.arange(0.02, beam_energy_keV + 0.5, 0.01)
    detector = make_detector("polymer", resolution)
    truth = Acquisition(energy, "EDS_SEM", beam_energy_keV, 35.0, detector)
    model = SpecimenModel(elements, unmeasured, geometry, mass_thickness)
    g_matrix = model.g_matrix(truth, fractions)
    weights = [
        fractions[elements.index(c.element)] if c.element else CONTINUUM
        for c in g_matrix.columns
    ]
    spectrum = g_matrix.matrix @ np.array(weights)
    told = replace(
        truth,
        energy=(energy - shift_keV) / gain,
        detector=make_detector("polymer", 130.0),
    )
    measured = [e for e in model.measured if e in g_matrix.elements]
    used = trusted_channels(truth, measured, g_matrix)
    return Bulk(spectrum * counts / spectrum.sum(), told, model, fractions, used)


@pytest.fixture(scope="session")
def bulk():
    """The factory `make_bulk`."""
    return make_bulk


@pytest.fixture(scope="session")
def model():
    """A small trained model; not to be changed."""
    from small_networks import the_model

    return the_model()


@pytest.fixture(scope="session")
def bank():
    """The bank that it was trained on."""
    from small_networks import the_bank

    return the_bank()
