# SPDX-License-Identifier: GPL-3.0-or-later
"""`physics_nmf` of bad input: an error that names the parameter and the mend."""

import re
import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from hyperspy.axes import FunctionalDataAxis

import hspy_ml

BEAM = "Acquisition_instrument.TEM.beam_energy"
MAP = (9, 13)


def _refused(error, *parts):
    """Expect an error whose message holds these parts, in this order."""
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, parts)))


# --- elements and beam energy ----------------------------------------------------


def test_no_elements(two_minerals):
    del two_minerals.metadata.Sample.elements
    with _refused(ValueError, "`s.set_elements(['Fe', 'O'])`", "`elements="):
        two_minerals.physics_nmf(2)
    del two_minerals.metadata.Sample
    with _refused(ValueError, "`s.set_elements("):
        two_minerals.physics_nmf(2)


@pytest.mark.parametrize(
    ("elements", "error", "parts"),
    [
        (["Fe", "Xx"], ValueError, ("`elements`", "'Xx'")),
        (["fe"], ValueError, ("`elements`", "'fe'", "written like")),
        ([], ValueError, ("`elements` is empty", "such as")),
        (["Fe", "Fe"], ValueError, ("`elements`", "more than once")),
        ("Fe", TypeError, ("`elements` is the string", "give a list")),
        (26, TypeError, ("`elements` is 26", "give a list")),
        ([26], TypeError, ("`elements` holds 26", "as strings")),
        (["H", "O"], ValueError, ("'H' in `elements`", "no X-ray lines", "leave it")),
        (["Li", "O"], ValueError, ("'Li' in `elements`", "no line", "0.0543 keV")),
    ],
)
def test_elements_that_cannot_be(two_minerals, elements, error, parts):
    with _refused(error, *parts):
        two_minerals.physics_nmf(2, elements=elements)


def test_unknown_elements_in_the_metadata(two_minerals):
    two_minerals.metadata.Sample.elements = ["Fe", "Qq"]
    with _refused(ValueError, "`elements`", "'Qq'"):
        two_minerals.physics_nmf(2)


def test_an_element_without_a_line_in_the_range(two_minerals):
    with _refused(ValueError, "'Zn' in `elements`", "axis covers", "Leave the element"):
        two_minerals.isig[5:40].physics_nmf(2, elements=["O", "Zn"])


def test_a_mask_over_all_lines_of_an_element(two_minerals):
    energy = two_minerals.axes_manager[-1].axis
    with _refused(ValueError, "`signal_mask`", "Si K", "`elements`"):
        two_minerals.physics_nmf(2, signal_mask=np.abs(energy - 1.75) < 0.6)


@pytest.mark.parametrize(
    ("beam_energy", "parts"),
    [
        (None, ("beam energy", "keV", "`s.set_microscope_parameters(beam_energy=200)")),
        (0, ("beam energy", "`s.set_microscope_parameters(beam_energy=200)`")),
        (200e3, ("probably given in eV", "(beam_energy=200)`")),
        (-200, ("below zero", "`s.set_microscope_parameters(")),
        (np.nan, (f"`metadata.{BEAM}` is nan", "finite")),
        ("high", (f"`metadata.{BEAM}` is 'high'", "finite number")),
        (0.2, ("in `elements`", "has 0.2 keV", "check axis, beam energy")),
        (0.02, ("`beam_energy_keV` is 0.02", "below every edge", "in keV")),
    ],
)
def test_beam_energies_that_cannot_be(two_minerals, beam_energy, parts):
    if beam_energy is None:
        del two_minerals.metadata.Acquisition_instrument.TEM.beam_energy
    else:
        two_minerals.metadata.set_item(BEAM, beam_energy)
    with _refused(ValueError, *parts):
        two_minerals.physics_nmf(2)


# --- the energy axis ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"units": "eV"}, ("units", "probably 'keV'", ".units = 'keV'`")),
        ({"scale": 20.0}, ("units", "probably 'eV'", ".units = 'eV'`")),
        ({"units": "nm"}, ("'nm', not 'keV' or 'eV'", ".units = 'keV'`")),
        ({"scale": -0.02}, ("reversed", "`s = s.isig[::-1]`")),
        ({"scale": 0.0}, ("scale", "is 0", ".scale = ...`")),
        ({"scale": np.nan}, ("scale nan", "finite", ".scale = ...`")),
        ({"offset": -100.0}, ("below zero", "`offset`", "`s.axes_manager[-1]`")),
    ],
)
def test_axes_that_cannot_be(two_minerals, changes, parts):
    for name, value in changes.items():
        setattr(two_minerals.axes_manager[-1], name, value)
    with _refused(ValueError, *parts):
        two_minerals.physics_nmf(2)


def test_a_reversed_axis(two_minerals):
    with _refused(ValueError, "reversed", "`s = s.isig[::-1]`"):
        two_minerals.isig[::-1].physics_nmf(2)


def test_an_axis_that_is_not_uniform(two_minerals):
    two_minerals.axes_manager[-1].convert_to_non_uniform_axis()
    with _refused(ValueError, "DataAxis", "`s.axes_manager[-1].convert_to_uniform"):
        two_minerals.physics_nmf(2)


def test_an_axis_that_is_a_function(two_minerals):
    axis = FunctionalDataAxis("x ** 1.1", size=400, navigate=False, units="keV")
    two_minerals.axes_manager._axes[-1] = axis
    axis.axes_manager = two_minerals.axes_manager
    with _refused(ValueError, "FunctionalDataAxis", "must be uniform"):
        two_minerals.physics_nmf(2)


def test_an_axis_that_starts_below_zero_is_right(two_minerals):
    """As measured ones do; there is nothing to see below zero."""
    data = np.concatenate([np.ones((*MAP, 7), "uint8"), two_minerals.data], axis=-1)
    s = two_minerals._deepcopy_with_new_data(data)
    s.get_dimensions_from_data()
    s.axes_manager[-1].offset = -7 * 0.02
    expected = two_minerals.physics_nmf(2, random_state=3)
    result = s.physics_nmf(2, random_state=3)
    assert result.spectra.data.shape == (2, 407)
    difference = result.abundances.data - expected.abundances.data
    assert np.abs(difference).max() < 0.02


# --- data ------------------------------------------------------------------------


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (np.nan, ("1 values", "NaN or infinite", "`navigation_mask`", "nan_to_num")),
        (np.inf, ("1 values", "NaN or infinite", "`signal_mask`")),
        (-np.inf, ("1 values", "NaN or infinite")),
        (-3.0, ("1 negative values", "zero or more", "masks", "data.clip(0)")),
    ],
)
def test_values_that_are_no_counts(two_minerals, value, parts, lazy):
    two_minerals.change_dtype("float32")
    two_minerals.data[4, 6, 100] = value
    s = two_minerals.as_lazy() if lazy else two_minerals
    with _refused(ValueError, *parts):
        s.physics_nmf(2)
    pixel = np.zeros(MAP, bool)
    pixel[4, 6] = True
    result = s.physics_nmf(2, navigation_mask=pixel)
    np.testing.assert_array_equal(np.isnan(result.abundances.data[0]), pixel)
    channel = np.arange(400) == 100
    result = s.physics_nmf(2, signal_mask=channel | (np.arange(400) < 10))
    assert np.isfinite(result.abundances.data).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_no_counts_at_all(two_minerals, lazy):
    two_minerals.data[:] = 0
    s = two_minerals.as_lazy() if lazy else two_minerals
    with _refused(ValueError, "holds no counts", "zero"):
        s.physics_nmf(2)


@pytest.mark.parametrize("factor", [1e-9, 1e-300, 1e300])
def test_counts_that_were_scaled(two_minerals, factor):
    two_minerals.change_dtype("float64")
    two_minerals.data *= factor
    with _refused(ValueError, "data of `s` are no counts", "undo the scaling"):
        two_minerals.physics_nmf(2)


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "bool", "object"])
def test_data_that_are_no_real_numbers(two_minerals, dtype):
    two_minerals.data = two_minerals.data.astype(dtype)
    with _refused(TypeError, "data of `s`", dtype, "`s.change_dtype("):
        two_minerals.physics_nmf(2)


def test_an_empty_signal(two_minerals):
    two_minerals.data = np.empty((*MAP, 0))
    two_minerals.axes_manager[-1].size = 0
    with _refused(ValueError, "`s` is", "empty", "Check the file"):
        two_minerals.physics_nmf(2)


def test_two_signal_axes(two_minerals):
    two_minerals.axes_manager[1].navigate = False
    with _refused(ValueError, "2 signal axes", "`s.transpose(signal_axes=[...])`"):
        two_minerals.physics_nmf(2)


# --- masks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "error", "parts"),
    [
        (np.zeros((9, 12), bool), ValueError, ("shape (9, 12)", "(13, 9)", "(9, 13)")),
        (np.zeros(117, bool), ValueError, ("shape (117,)", "(9, 13)")),
        (np.zeros((*MAP, 400), bool), ValueError, ("shape (9, 13, 400)", "(9, 13)")),
        (np.zeros(MAP), TypeError, ("float64", "boolean", "`mask.astype(bool)`")),
        (np.zeros(MAP, int), TypeError, ("int64", "boolean", "`mask.astype(bool)`")),
        (np.ones(MAP, bool), ValueError, ("every pixel", "`~mask`")),
        (np.array(["a"]), TypeError, ("boolean",)),
        (1e9, ValueError, ("every pixel",)),
        (np.nan, ValueError, ("nan", "finite")),
    ],
)
def test_masks_of_pixels_that_do_not_fit(two_minerals, mask, error, parts):
    with _refused(error, "`navigation_mask`", *parts):
        two_minerals.physics_nmf(2, navigation_mask=mask)


def test_masks_that_are_signals_of_another_shape(two_minerals):
    mask = hs.signals.BaseSignal(np.zeros((9, 12), bool)).T
    with _refused(ValueError, "`navigation_mask`", "(9, 12)", "(13, 9)"):
        two_minerals.physics_nmf(2, navigation_mask=mask)


def test_a_threshold_for_a_single_spectrum(two_minerals):
    with _refused(ValueError, "`navigation_mask`", "single spectrum", "None"):
        two_minerals.sum().physics_nmf(1, navigation_mask=2.0)


@pytest.mark.parametrize(
    ("mask", "error", "parts"),
    [
        (np.zeros(399, bool), ValueError, ("(399,)", "(400,)")),
        (np.zeros(MAP, bool), ValueError, ("(9, 13)", "(400,)")),
        (np.zeros(400), TypeError, ("float64", "boolean")),
        (np.ones(400, bool), ValueError, ("every channel", "`~mask`")),
        (7, TypeError, ("boolean",)),
    ],
)
def test_masks_of_channels_that_do_not_fit(two_minerals, mask, error, parts):
    with _refused(error, "`signal_mask`", *parts):
        two_minerals.physics_nmf(2, signal_mask=mask)


# --- options -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [0, -1, 2.0, np.float64(2), np.nan, "2", None, True, [2], np.ones(2)]
)
def test_numbers_of_phases_that_cannot_be(two_minerals, number):
    with _refused(ValueError, "`output_dimension` is", "an integer above 0", "'auto'"):
        two_minerals.physics_nmf(number)


def test_more_phases_than_can_be_told_apart(two_minerals):
    with _refused(ValueError, "`output_dimension` is 50", "columns of the G-matrix"):
        two_minerals.physics_nmf(50)
    with _refused(ValueError, "`output_dimension` is 3", "2 is the most", "2 pixels"):
        two_minerals.inav[:2, 0].physics_nmf(3)
    with _refused(ValueError, "`output_dimension` is 2", "1 is the most", "1 pixels"):
        two_minerals.sum().physics_nmf(2)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("algorithm", "nmf", ValueError),
        ("algorithm", None, ValueError),
        ("mass_thickness", "wedge", ValueError),
        ("mass_thickness", 1e-5, ValueError),
        ("concentration", 0, ValueError),
        ("concentration", np.inf, ValueError),
        ("concentration", "low", TypeError),
        ("resemblance", -1, ValueError),
        ("resemblance", np.nan, ValueError),
        ("resemblance", "much", TypeError),
        ("smoothness", -1, ValueError),
        ("smoothness", 1, ValueError),
        ("sparsity", np.nan, ValueError),
        ("sparsity", [1], TypeError),
        ("max_iterations", 0, ValueError),
        ("max_iterations", 10.0, ValueError),
        ("tolerance", -1e-4, ValueError),
        ("tolerance", None, TypeError),
        ("random_state", "seed", ValueError),
        ("random_state", -1, ValueError),
        ("num_workers", 0, ValueError),
        ("num_workers", 1.5, ValueError),
        ("g_matrix", np.ones((400, 3)), TypeError),
        ("fixed_phases", "MgO", TypeError),
        ("fixed_phases", {"Mg": 1, "O": 1}, TypeError),
        ("fixed_phases", 3, TypeError),
        ("fixed_phases", [], ValueError),
        ("fixed_phases", ["MgO"], TypeError),
        ("fixed_phases", [{"Mg": 1, "Na": 1}], ValueError),
        ("fixed_phases", [{"Mg": np.inf}], ValueError),
        ("fixed_phases", [{"Mg": -1, "O": 2}], ValueError),
        ("fixed_phases", [np.ones(399)], ValueError),
        ("fixed_phases", [np.zeros(400)], ValueError),
        ("fixed_phases", [-np.ones(400)], ValueError),
        ("fixed_phases", [np.ones(400)] * 3, ValueError),
        ("fixed_abundances", "maps", TypeError),
        ("fixed_abundances", np.ones(MAP), ValueError),
        ("fixed_abundances", np.ones((2, *MAP)), ValueError),
        ("fixed_abundances", np.full((2, *MAP), np.nan), ValueError),
    ],
)
def test_options_that_cannot_be(two_minerals, name, value, error):
    with _refused(error, f"`{name}`"):
        two_minerals.physics_nmf(2, **{name: value})


def test_options_that_contradict_each_other(two_minerals):
    s = two_minerals
    response = hspy_ml.g_matrix(s)
    with _refused(ValueError, "`elements` and `g_matrix`", "one of the two"):
        s.physics_nmf(2, elements=["Fe"], g_matrix=response)
    with _refused(ValueError, "`g_matrix` has 400 channels", "has 300"):
        s.isig[:300].physics_nmf(2, g_matrix=response)
    maps = np.full((2, *MAP), 0.5)
    with _refused(ValueError, "`fixed_phases` and `fixed_abundances`", "one of the"):
        s.physics_nmf(2, fixed_phases=[{"O": 1}], fixed_abundances=maps)
    with _refused(ValueError, "`fixed_abundances`", "`output_dimension`", "'auto'"):
        s.physics_nmf("auto", fixed_abundances=maps)
    with _refused(ValueError, "`fixed_phases`", "`output_dimension`", "'auto'"):
        s.physics_nmf("auto", fixed_phases=[{"O": 1}])
    with _refused(ValueError, "`smoothness`", "`algorithm='likelihood'`"):
        s.physics_nmf(2, smoothness=1.0)


def test_bad_input_gives_an_error_and_no_warning(two_minerals):
    two_minerals.data[:] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="no counts"):
            two_minerals.physics_nmf(2)
