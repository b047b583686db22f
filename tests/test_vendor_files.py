# SPDX-License-Identifier: GPL-3.0-or-later
"""Each file of a vendor goes all the way, or gets the error that its trouble deserves.

One test for each spectrum or map of the shared files. Elements are those of the
metadata; where there are none, that error comes first, and then the elements given
here, which are not meant to be all that is in the specimen.
"""

import csv
import warnings
from functools import lru_cache
from pathlib import Path

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SPECTRA = ("EDSTEMSpectrum", "EDSSEMSpectrum", "EELSSpectrum", "Signal1D")
NO_LIGHT = "vendor/thermo/SI_empty selection.emd 1/6"
"""Its six counts lie below 0.2 keV, where no model holds."""

ELEMENTS = {
    "P45_the_default_job": ["C", "O", "Na", "Mg", "Al", "Si", "K", "Ca", "Fe"],
    "SI_empty selection": ["C", "O", "Si", "Cu"],
    "test-EDS_spectrum": ["C", "O", "Cu"],
    "met03": ["O", "S", "Fe", "Cu"],
    "1.ASW": ["N", "O", "Ti", "Cu"],
    "more_ser": ["C", "O", "Si", "Fe", "Cu"],
    "example2": ["C", "N", "O"],
    "nist": ["O", "F", "Mg", "Al", "Si", "Ca", "Fe"],
}


def _rows():
    if not (SHARED / "index.csv").exists():
        return []
    with open(SHARED / "index.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["signal_class"] in SPECTRA]


def _name(row):
    return f"{row['path']} {row['signal_of_file']}"


def _case(row):
    """Of five repeated measurements, four are slow tests."""
    again = any(f"[{n}][" in row["path"] for n in range(1, 5))
    return pytest.param(row, id=_name(row), marks=pytest.mark.slow if again else ())


@lru_cache(maxsize=2)
def _signals_of(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = hs.load(path, escape_square_brackets=True)
    return loaded if isinstance(loaded, list) else [loaded]


def _signal(row):
    number = int(row["signal_of_file"].split("/")[0]) - 1
    return _signals_of(SHARED / row["path"])[number].deepcopy()


def _elements(row):
    if row["elements"]:
        return row["elements"].split()
    return next(found for part, found in ELEMENTS.items() if part in row["path"])


def _response(s, elements):
    """Of a film, also where it is none; warnings of missing angles are right."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is missing; ")
        return hspy_ml.g_matrix(s, elements, geometry="film")


def _find_phases(s, **options):
    """Two phases in a map, one in a spectrum; the elements may not be all."""
    number = 2 if s.axes_manager.navigation_size else 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", message="The elements given do not explain")
        return s.physics_nmf(number, random_state=0, show_progressbar=False, **options)


def _check(s, row, result):
    n_phases = 2 if s.axes_manager.navigation_size else 1
    maps = result.abundances.data.reshape(n_phases, -1)
    used = ~np.isnan(maps).any(axis=0)
    assert used.any() and (maps[:, used] >= 0).all()
    np.testing.assert_allclose(maps[:, used].sum(axis=0), 1, atol=1e-5)
    seen = ~np.isnan(result.deviance_spectrum.data.ravel())
    counts = s.data.reshape(used.size, -1)[:, seen]
    assert not counts[~used].any()
    model = s.get_decomposition_model().data.reshape(used.size, -1)[:, seen]
    chance = np.sqrt(counts.sum())
    assert abs(model.sum() - counts.sum()) < 3 * chance + 0.03 * counts.sum()
    assert set(result.elements) == set(_elements(row))
    percent = np.array([c.data.ravel() for c in result.concentrations])
    assert (percent >= 0).all()
    np.testing.assert_allclose(percent.sum(axis=0), 100)
    assert f"{n_phases} phase" in repr(result)


ROWS = _rows()
EELS = [_case(row) for row in ROWS if row["signal_class"] == "EELSSpectrum"]
PLAIN = [_case(row) for row in ROWS if row["signal_class"] == "Signal1D"]
EDS = [_case(row) for row in ROWS if row["signal_class"].startswith("EDS")]


@pytest.mark.parametrize("row", EDS)
def test_x_ray_spectra_and_maps(row):
    s = _signal(row)
    if row["channels"] == "0":
        with pytest.raises(ValueError, match="`s` is an empty signal.*Check the file"):
            s.physics_nmf(1)
        return
    if not row["elements"]:
        with pytest.raises(ValueError, match=r"`s\.set_elements"):
            _find_phases(s)
    response = _response(s, _elements(row))
    if _name(row) == NO_LIGHT:
        with pytest.raises(ValueError, match="no counts"):
            _find_phases(s, g_matrix=response)
        return
    _check(s, row, _find_phases(s, g_matrix=response))


@pytest.mark.parametrize("row", EELS)
def test_electron_energy_losses(row):
    s = _signal(row)
    if not row["elements"]:
        with pytest.raises(ValueError, match=r"`s\.add_elements"):
            _find_phases(s)
        return
    result = _find_phases(s)
    assert result.abundances.data.shape == (1, 1)
    assert result.concentrations[0].data == pytest.approx([100.0])


@pytest.mark.parametrize("row", PLAIN)
def test_plain_signals_need_a_type_and_what_the_file_lacks(row):
    s = _signal(row)
    with pytest.raises(ValueError, match=r"`s\.set_signal_type\('EDS_TEM'\)`"):
        hspy_ml.g_matrix(s, _elements(row))
    s.set_signal_type("EDS_TEM")
    if not row["beam_keV"]:
        with pytest.raises(ValueError, match="beam_energy=200"):
            _find_phases(s, elements=_elements(row))
        s.set_microscope_parameters(beam_energy=300)
    with pytest.raises(ValueError, match=r"`s\.set_elements"):
        _find_phases(s)
    _check(s, row, _find_phases(s, g_matrix=_response(s, _elements(row))))
