# SPDX-License-Identifier: GPL-3.0-or-later
"""Vendors' files give an Acquisition, or the error that their trouble deserves."""

import csv
import warnings

import hyperspy.api as hs
import numpy as np
import pytest

from hspy_ml.signals.acquisition import acquisition_from_signal
from hspy_ml.signals.data import signal_array
from hspy_ml.signals.elements import elements_from_signal
from hspy_ml.signals.gmatrix import g_matrix

READABLE = {"EDSTEMSpectrum", "EDSSEMSpectrum", "EELSSpectrum"}


def _rows(shared_data):
    with open(shared_data / "index.csv", newline="") as file:
        return [r for r in csv.DictReader(file) if r["signal_class"] in READABLE]


def _load(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = hs.load(path, escape_square_brackets=True)
    return loaded if isinstance(loaded, list) else [loaded]


@pytest.fixture(scope="module")
def vendor_signals(shared_data):
    """Every spectrum of the shared files, with the row of the index about it.

    Of repeated measurements, "[0][4]" to "[4][4]", only the first.
    """
    files: dict[str, list] = {}
    found = []
    for row in _rows(shared_data):
        name = row["path"]
        if any(f"[{n}][" in name for n in range(1, 5)):
            continue
        if name not in files:
            try:
                files[name] = _load(shared_data / name)
            except ImportError:
                files[name] = []
        number = int(row["signal_of_file"].split("/")[0]) - 1
        if number < len(files[name]):
            found.append((row, files[name][number]))
    assert found
    return found


def test_each_file_is_read_or_refused_for_its_trouble(vendor_signals):
    for row, s in vendor_signals:
        if row["channels"] == "0":
            with pytest.raises(ValueError, match="empty"):
                acquisition_from_signal(s)
        elif not row["beam_keV"]:
            with pytest.raises(ValueError, match="beam_energy="):
                acquisition_from_signal(s)
        else:
            acquisition = acquisition_from_signal(s)
            assert acquisition.energy.size == int(row["channels"]), row["path"]
            assert acquisition.beam_energy_keV == float(row["beam_keV"])
            assert (np.diff(acquisition.energy) > 0).all()


def test_counts_and_elements_are_those_of_the_index(vendor_signals):
    for row, s in vendor_signals:
        if row["channels"] == "0" or s._signal_type == "EELS":
            continue
        assert signal_array(s).sum() == pytest.approx(
            float(row["total_counts"]), rel=1e-5
        )
        if row["elements"]:
            assert set(elements_from_signal(s)) == set(row["elements"].split())
        else:
            with pytest.raises(ValueError, match=r"s\.set_elements"):
                elements_from_signal(s)


def test_angles_doses_and_resolutions(vendor_signals):
    by_name = {row["path"].split("/")[-1]: s for row, s in vendor_signals}
    glass = acquisition_from_signal(by_name["III-E K412[0][4].msa"])
    assert glass.energy[[0, -1]] == pytest.approx([0.0016, 40.946], abs=1e-3)
    assert glass.take_off_angle == pytest.approx(35)
    assert glass.live_time_s == pytest.approx(235.484)
    assert glass.beam_current_nA == pytest.approx(1.11355)
    tilted = acquisition_from_signal(by_name["test-EDS_spectrum.dm3"])
    assert 18 < tilted.take_off_angle < 18 + 25
    assert tilted.beam_current_nA is None  # the file says 0
    jeol = acquisition_from_signal(by_name["met03.EDS"])
    assert jeol.detector.resolution_MnKa_eV == 138


def test_a_film_has_a_matrix_for_each_file_with_elements(vendor_signals):
    for row, s in vendor_signals:
        if row["elements"] and s._signal_type != "EELS":
            matrix = g_matrix(s, geometry="film")
            assert set(matrix.elements) == set(row["elements"].split())


def test_a_plain_signal_of_a_vendor_needs_its_type(shared_data):
    path = shared_data / "vendor/fei/more_ser_then_emi_metadata.emi"
    s = _load(path)[0]
    with pytest.raises(ValueError, match=r"s\.set_signal_type\('EDS_TEM'\)"):
        acquisition_from_signal(s)
    s.set_signal_type("EDS_TEM")
    acquisition = acquisition_from_signal(s)
    assert acquisition.beam_energy_keV == 300
    assert acquisition.energy[-1] == pytest.approx(39.83, abs=0.01)
