# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of certified glasses and standards, measured by NIST, sharpened.

What shows has to be there: lines of the elements, of carbon and of the traces of iron,
escape peaks of silicon (e), and sums of two photons (s).
"""

import warnings
from pathlib import Path

import numpy as np
import pytest

from hspy_ml.deconvolution.xray_deconvolve import prepare_xray_deconvolution

NIST = Path(__file__).resolve().parents[3] / "shared/data/vendor/nist"
LINES = {"C": 0.277, "O": 0.525, "Fe L": 0.705, "Mg": 1.254, "Al": 1.487, "Si": 1.740}
LINES |= {"Ca": 3.691, "Ca Kb": 4.013, "Fe": 6.404, "Fe Kb": 7.058}
BESIDE = {"e Ca": 1.951, "s O Si": 2.265, "s Si Si": 3.480, "e Fe": 4.664}
BESIDE |= {"Mn": 5.899, "s Si Ca": 5.431, "s Mg Si": 2.994, "s Mg Ca": 4.945}
SPECTRA = {
    "K412 spectra/III-E K412[0][4].msa": "C,O,Fe L,Mg,Al,Si,Ca,Ca Kb,Fe,Fe Kb",
    "15 keV/IIIE SiO2[0][4].msa": "C,O,Si",
    "Example 2/K411 std.msa": "O,Fe L,Mg,Si,Ca,Ca Kb,Fe,Fe Kb",
}
NOISE = 0.1  # keV, of the peak at zero
SURE = 4.0  # standard errors of what a peak rises over the valleys beside it

pytestmark = pytest.mark.skipif(not NIST.exists(), reason="no shared data files")


@pytest.mark.parametrize("name", SPECTRA)
def test_known_lines_and_no_others(name):
    import hyperspy.api as hs
    from scipy.signal import find_peaks

    from hspy_ml.signals.acquisition import acquisition_from_signal

    s = hs.load(NIST / name, signal_type="EDS_SEM", escape_square_brackets=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        acquisition = acquisition_from_signal(s, "auto")
    counts = s.data[None]
    found = prepare_xray_deconvolution(counts, acquisition).apply(counts)
    assert 0.7 < found.deviance[0] < 1.3
    assert not found.flagged[0]
    spectrum, errors = found.spectra[0], found.errors[0]
    places, of = find_peaks(spectrum, prominence=0)
    sure = of["prominences"] > SURE * np.sqrt(2) * errors[places]
    energies = acquisition.energy[places[sure]]
    energies = energies[energies > NOISE]
    wanted = np.array([LINES[line] for line in SPECTRA[name].split(",")])
    missed = np.abs(energies[:, None] - wanted).min(axis=0)
    assert missed.max() < 0.011, "a line is lacking, or out of place by a channel"
    allowed = np.array([*LINES.values(), *BESIDE.values()])
    strange = energies[np.abs(energies[:, None] - allowed).min(axis=1) > 0.025]
    assert strange.size == 0
