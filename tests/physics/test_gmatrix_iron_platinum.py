# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix fits a measured spectrum: FePt nanoparticles on a copper grid."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import nnls

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import mass_to_atomic_fractions
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import build_g_matrix

SPECTRUM = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/vendor/hspy/EDS_TEM_FePt_nanoparticles.hspy"
)


def poisson_fit(matrix, counts):
    """Weights by iterated, weighted non-negative least squares."""
    model = np.maximum(counts, 1.0)
    for _ in range(20):
        scale = 1 / np.sqrt(np.maximum(model, 0.1))
        weights, _ = nnls(matrix * scale[:, None], counts * scale)
        model = matrix @ weights
    return weights


@pytest.mark.skipif(not SPECTRUM.exists(), reason="needs ../shared")
def test_iron_content_of_iron_platinum_particles():
    import hyperspy.api as hs

    s = hs.load(SPECTRUM)
    energy = s.axes_manager.signal_axes[0].axis
    fitted = energy > 0.5
    detector = make_detector("windowless", 133.3)
    acquisition = Acquisition(energy[fitted], "EDS_TEM", 200.0, 22.0, detector)
    g_matrix = build_g_matrix(acquisition, ["Fe", "Pt", "Cu", "Si"])
    weights = poisson_fit(g_matrix.matrix, s.data[fitted].astype(float))
    mass = dict(zip(g_matrix.names, weights, strict=True))
    atoms = mass_to_atomic_fractions({"Fe": mass["Fe K"], "Pt": mass["Pt L"]})
    assert 0.145 < atoms["Fe"] < 0.17
    # both families of platinum see the same mass
    assert mass["Pt M"] == pytest.approx(mass["Pt L"], rel=0.1)
