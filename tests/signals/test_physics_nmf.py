# SPDX-License-Identifier: GPL-3.0-or-later
"""`physics_nmf` from a signal to a result, whatever form the data have."""

import copy
import warnings

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml
from hspy_ml.signals.comparison import Comparison
from hspy_ml.signals.simulation_truth import SimulationTruth

QUIET = {"show_progressbar": False, "random_state": 3}

SAME = 0.02
"""What rounding may change in a map: iterations end within `tolerance` of the
maximum, not at it, and roundings decide where."""


def _warnings_of(call):
    """Messages of the warnings, without those of HyperSpy about its own imports."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    messages = [str(w.message) for w in caught]
    return [m for m in messages if "removed in the HyperSpy" not in m]


def _check_maps(result, n_phases, map_shape):
    maps = result.abundances.data
    assert maps.shape == (n_phases, *map_shape)
    assert (maps >= 0).all()
    np.testing.assert_allclose(maps.sum(axis=0), 1, atol=1e-6)
    assert np.isfinite(result.spectra.data).all()


@pytest.fixture(scope="module")
def mantle():
    """Three minerals that share elements, 300 counts in each of 540 pixels."""
    return hspy_ml.simulate(
        shape=(20, 27),
        counts_per_pixel=300,
        n_channels=700,
        channel_width_keV=0.03,
        largest_share=1.0,
        random_state=1,
    )


def test_compositions_maps_and_spectra_are_recovered(mantle):
    """To better than 0.5 at.%, what the project aims at for 293 counts per pixel.

    A fit that knows the maps ends at 0.17 at.% here, which is what 27 to 490 pixels
    of 300 counts for each phase allow.
    """
    truth = SimulationTruth.from_signal(mantle)
    found = Comparison.of(mantle.physics_nmf(3, **QUIET), truth)
    assert found.atomic_percent_deviation < 0.5
    assert (found.spectral_angles < 6).all()
    assert (found.normalised_errors < 0.1).all()


def test_phases_are_ordered_by_abundance(mantle):
    result = mantle.physics_nmf(3, **QUIET)
    assert (np.diff(result.area_fractions) <= 0).all()
    assert (np.diff(result.loss) <= 1e-9).all()


def test_a_random_state_repeats_exactly(two_minerals):
    first, second = (two_minerals.physics_nmf(2, **QUIET) for _ in range(2))
    np.testing.assert_array_equal(first.abundances.data, second.abundances.data)
    np.testing.assert_array_equal(first.spectra.data, second.spectra.data)


@pytest.mark.parametrize("chunks", [(4, 5, 400), (9, 13, 70), "auto"])
def test_lazy_signals_give_the_same_numbers(two_minerals, chunks):
    lazy = two_minerals.as_lazy()
    lazy.data = lazy.data.rechunk(chunks)
    result = lazy.physics_nmf(2, **QUIET)
    expected = two_minerals.physics_nmf(2, **QUIET)
    np.testing.assert_array_equal(result.abundances.data, expected.abundances.data)
    np.testing.assert_array_equal(result.spectra.data, expected.spectra.data)
    assert lazy._lazy
    assert not result.abundances._lazy


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "uint64", "int32", "float32", "float64", ">u2", ">f8"]
)
def test_types_of_data_give_the_same_numbers(two_minerals, dtype):
    expected = two_minerals.physics_nmf(2, **QUIET)
    two_minerals.data = two_minerals.data.astype(dtype)
    result = two_minerals.physics_nmf(2, **QUIET)
    np.testing.assert_array_equal(result.abundances.data, expected.abundances.data)


def test_data_that_are_not_contiguous(two_minerals):
    expected = two_minerals.physics_nmf(2, **QUIET)
    two_minerals.data = np.asfortranarray(two_minerals.data)
    result = two_minerals.physics_nmf(2, **QUIET)
    np.testing.assert_array_equal(result.abundances.data, expected.abundances.data)


def test_fractional_counts_are_mapped_without_smoothing(two_minerals):
    """After a correction for dead time, for example; it cannot be split in two."""
    expected = two_minerals.physics_nmf(2, resemblance=0, **QUIET)
    two_minerals.change_dtype("float64")
    two_minerals.data *= 1.0625
    with pytest.warns(UserWarning, match="whole numbers.*`resemblance`"):
        result = two_minerals.physics_nmf(2, **QUIET)
    difference = result.abundances.data - expected.abundances.data
    # Without a split there is no correction for the bias of few counts either, which
    # shifts the maps a little as a whole.
    assert np.abs(difference).mean() < 0.05


def test_an_axis_in_electronvolts_is_one_in_kiloelectronvolts(two_minerals):
    expected = two_minerals.physics_nmf(2, **QUIET)
    two_minerals.axes_manager[-1].convert_to_units("eV")
    result = two_minerals.physics_nmf(2, **QUIET)
    assert result.spectra.axes_manager[-1].units == "eV"
    difference = result.abundances.data - expected.abundances.data
    assert np.abs(difference).max() < SAME
    np.testing.assert_allclose(
        [c.data.ravel() for c in result.concentrations],
        [c.data.ravel() for c in expected.concentrations],
        atol=0.1,
    )


def test_a_single_spectrum_has_one_phase(two_minerals):
    result = two_minerals.sum().physics_nmf(1, **QUIET)
    assert result.abundances.data.ravel() == pytest.approx([1])
    assert result.spectra.data.sum() == pytest.approx(two_minerals.data.sum(), rel=0.03)
    truth = SimulationTruth.from_signal(two_minerals)
    weights = truth.abundances.mean(axis=(0, 1))
    at_percent = [c.data.item() for c in result.concentrations]
    order = [result.elements.index(e) for e in truth.elements]
    expected = weights @ truth.weight_percent
    by_weight = [c.data.item() for c in result.get_concentrations("weight")]
    np.testing.assert_allclose(np.array(by_weight)[order], expected, atol=2)
    assert sum(at_percent) == pytest.approx(100)


@pytest.mark.parametrize("lazy", [False, True])
def test_line_scans_and_series(two_minerals, lazy):
    s = two_minerals.as_lazy() if lazy else two_minerals
    _check_maps(s.inav[:, 4].physics_nmf(2, **QUIET), 2, (13,))
    series = hs.stack([s.inav[:5, :4], s.inav[5:10, :4], s.inav[:5, 4:8]])
    _check_maps(series.physics_nmf(2, **QUIET), 2, (3, 4, 5))


@pytest.mark.parametrize("n_pixels", [1, 2, 3])
def test_a_few_pixels(two_minerals, n_pixels):
    s = two_minerals.inav[:n_pixels, 3]
    for n_phases in range(1, n_pixels + 1):
        result = s.physics_nmf(n_phases, **QUIET)
        assert np.isfinite(result.abundances.data).all()


def test_integers_of_numpy_count_phases(two_minerals):
    assert two_minerals.physics_nmf(np.int64(2), **QUIET).n_phases == 2


def test_elements_may_be_given(two_minerals):
    del two_minerals.metadata.Sample.elements
    result = two_minerals.physics_nmf(2, elements=("Fe", "Mg", "O", "Si"), **QUIET)
    assert result.elements == ("Fe", "Mg", "O", "Si")
    assert "Sample.elements" not in two_minerals.metadata


def test_a_film_in_a_scanning_microscope_is_said_to_be_one(two_minerals):
    expected = two_minerals.physics_nmf(2, **QUIET)
    s = two_minerals
    s.set_signal_type("EDS_SEM")
    s.set_microscope_parameters(
        beam_energy=200, elevation_angle=22, azimuth_angle=0, tilt_stage=0
    )
    film = hspy_ml.g_matrix(s, geometry="film", detector="windowless")
    result = s.physics_nmf(2, g_matrix=film, **QUIET)
    _check_maps(result, 2, (9, 13))
    difference = result.abundances.data - expected.abundances.data
    assert np.abs(difference).max() < SAME
    assert result.spectra.metadata.Signal.signal_type == "EDS_SEM"


def test_a_g_matrix_made_elsewhere(two_minerals):
    own = hspy_ml.g_matrix(two_minerals)
    other = hspy_ml.GMatrix.from_array(
        own.matrix, own.names, [c.element for c in own.columns], concentration="mass"
    )
    result = two_minerals.physics_nmf(2, g_matrix=other, **QUIET)
    _check_maps(result, 2, (9, 13))
    assert result.g_matrix is other


@pytest.mark.parametrize("lazy", [False, True])
def test_the_signal_is_not_changed(two_minerals, lazy):
    s = two_minerals.as_lazy() if lazy else two_minerals
    mask = np.zeros((9, 13), bool)
    data = np.array(s.data)
    metadata = copy.deepcopy(s.metadata.as_dictionary())
    original = copy.deepcopy(s.original_metadata.as_dictionary())
    axes = s.axes_manager.as_dictionary()
    s.physics_nmf(2, navigation_mask=mask, **QUIET)
    assert s._lazy is lazy
    np.testing.assert_array_equal(np.asarray(s.data), data)
    assert s.data.dtype == data.dtype
    np.testing.assert_equal(s.metadata.as_dictionary(), metadata)
    np.testing.assert_equal(s.original_metadata.as_dictionary(), original)
    np.testing.assert_equal(s.axes_manager.as_dictionary(), axes)
    assert not mask.any()


def test_there_are_no_warnings_in_normal_use(two_minerals):
    assert not _warnings_of(lambda: two_minerals.physics_nmf(2, **QUIET))
    assert not _warnings_of(
        lambda: two_minerals.physics_nmf(
            2, algorithm="likelihood", smoothness=1.0, **QUIET
        )
    )


def test_an_element_that_was_forgotten_is_named(two_minerals):
    with pytest.warns(UserWarning, match=r"at 6\.40 keV \(Fe"):
        two_minerals.physics_nmf(2, elements=["Mg", "O", "Si"], **QUIET)
