# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of a signal, and what is said where there is none."""

import hyperspy.api as hs
import numpy as np
import pytest

from hspy_ml.physics.specimen import Specimen
from hspy_ml.signals.gmatrix import g_matrix


def test_the_highest_channel_of_iron_is_at_its_K_alpha_line(eds):
    s = eds(n_channels=400, scale=0.025, elements=("Fe",))
    matrix = g_matrix(s)
    column = matrix.matrix[:, matrix.names.index("Fe K")]
    assert s.axes_manager[-1].axis[column.argmax()] == pytest.approx(6.404, abs=0.03)
    assert matrix.specimen == Specimen({}, "film", 0.0)


def test_units_of_the_axis_do_not_matter(eds):
    np.testing.assert_allclose(
        g_matrix(eds(units="eV")).matrix, g_matrix(eds(units="keV")).matrix, rtol=1e-9
    )


def test_an_absorbing_film_lets_less_oxygen_through(eds):
    s = eds(n_channels=400, scale=0.025)
    thin = g_matrix(s)
    thick = g_matrix(s, composition={"Fe": 70, "O": 30}, mass_thickness=1e-4)
    oxygen, iron = thin.names.index("O K"), thin.names.index("Fe K")
    ratio = thick.matrix.sum(axis=0) / thin.matrix.sum(axis=0)
    assert ratio[oxygen] < 0.9 < 0.99 < ratio[iron] <= 1


def test_composition_may_count_atoms_or_mass(eds):
    by_mass = g_matrix(eds(), composition={"Fe": 69.94, "O": 30.06}).specimen
    by_atoms = g_matrix(
        eds(), composition={"Fe": 2, "O": 3}, composition_units="atomic"
    ).specimen
    assert sum(by_mass.mass_fractions.values()) == pytest.approx(1)
    assert by_atoms.mass_fractions["Fe"] == pytest.approx(0.6994, abs=1e-4)
    assert by_mass.mass_fractions["Fe"] == pytest.approx(0.6994, abs=1e-4)


def test_a_specimen_can_be_given_whole(eds):
    specimen = Specimen({"Fe": 1.0}, "film", 2e-5)
    assert g_matrix(eds(), specimen=specimen).specimen == specimen
    with pytest.raises(ValueError, match="`specimen` was given together"):
        g_matrix(eds(), specimen=specimen, mass_thickness=1e-5)


def test_a_scanning_microscope_sees_a_bulk_of_its_own_composition(eds):
    s = eds(signal_type="EDS_SEM", beam_energy=20, elements=("Fe", "O"))
    s.set_microscope_parameters(energy_resolution_MnKa=131.0)
    assert g_matrix(s, geometry="film").specimen.geometry == "film"
    bulk = g_matrix(s)
    assert bulk.elements == ("Fe", "O")
    assert bulk.specimen.geometry == "bulk"
    assert sum(bulk.specimen.mass_fractions.values()) == pytest.approx(1)
    known = g_matrix(s, geometry="bulk", composition={"Fe": 2, "O": 3})
    assert known.specimen.mass_fractions["Fe"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"geometry": "sphere"}, "`geometry` is 'sphere'"),
        ({"mass_thickness": 1e-5}, "without `composition`"),
        ({"mass_thickness": -1.0}, "`mass_thickness` is -1.0"),
        ({"mass_thickness": np.nan}, "`mass_thickness` is nan"),
        ({"composition": {"Fe": -1.0, "O": 2.0}}, "`composition`"),
        ({"composition": {"Fe": 0.0}}, "`composition`"),
        ({"composition": {"Xx": 1.0}}, "'Xx'"),
        (
            {"composition": {"Fe": 1.0}, "composition_units": "percent"},
            "`composition_units` is 'percent'",
        ),
        ({"elements": ["H"]}, "'H'"),
        ({"elements": ["Xx"]}, "'Xx'"),
    ],
)
def test_bad_arguments_are_named(eds, arguments, message):
    with pytest.raises(ValueError, match=message):
        g_matrix(eds(), **arguments)


def test_a_beam_below_every_edge_is_refused(eds):
    with pytest.raises(ValueError, match="below every edge"):
        g_matrix(eds(beam_energy=0.05), ["Fe"])


def test_an_element_without_a_line_on_the_axis_is_refused(eds):
    s = eds(n_channels=40, scale=0.02, offset=8.0)
    with pytest.raises(ValueError, match="'O'"):
        g_matrix(s, ["O"])


def test_other_signals_are_refused_with_the_mend():
    with pytest.raises(ValueError, match=r"s.set_signal_type\('EDS_TEM'\)"):
        g_matrix(hs.signals.Signal1D(np.ones((2, 9))), ["Fe"])
