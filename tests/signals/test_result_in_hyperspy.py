# SPDX-License-Identifier: GPL-3.0-or-later
"""Results in HyperSpy's own places, and in files."""

import copy

import hyperspy.api as hs
import numpy as np
import pytest

from hspy_ml.signals.learning_results import fill_learning_results
from hspy_ml.signals.result_io import load_result

MAP_SHAPES = [(), (7,), (3, 5), (2, 3, 4)]
FORMATS = ["hspy", "zspy"]


@pytest.fixture(params=FORMATS)
def extension(request):
    """A file format that is installed."""
    if request.param == "zspy":
        zarr = pytest.importorskip("zarr")
        if not hasattr(zarr.storage, "NestedDirectoryStore"):
            pytest.skip("RosettaSciIO needs zarr 2 to write .zspy")
    return request.param


def _model(result):
    found = result.factorization
    counts = result.g_matrix.matrix @ found.weights
    return (found.pixel_scale[:, None] * found.abundances) @ counts.T


@pytest.mark.parametrize("map_shape", MAP_SHAPES)
@pytest.mark.parametrize("lazy", [False, True])
def test_the_decomposition_model_is_the_model_in_counts(
    eds, result_of, map_shape, lazy
):
    s = eds(map_shape)
    result = result_of(s, n_phases=2)
    s = s.as_lazy() if lazy else s
    fill_learning_results(s, result)
    model = s.get_decomposition_model()
    np.testing.assert_allclose(
        np.asarray(model.data), _model(result).reshape(*map_shape, 64), rtol=1e-10
    )
    assert s.learning_results.decomposition_algorithm == "physics_nmf"
    assert s.learning_results.output_dimension == 2
    factors = s.get_decomposition_factors()
    np.testing.assert_allclose(factors.data, result.spectra.data)


def test_the_data_are_not_changed_and_old_results_are_gone(eds, result_of):
    s = eds((3, 5), dtype="float64")
    s.decomposition(output_dimension=3, print_info=False, navigation_mask=None)
    before = s.data.copy()
    fill_learning_results(s, result_of(s))
    np.testing.assert_array_equal(s.data, before)
    assert s.learning_results.explained_variance is None
    assert s.get_decomposition_loadings().data.shape == (2, 3, 5)


def test_masks_are_kept_in_the_shape_of_the_array(eds, result_of):
    s = eds((3, 5))
    result = result_of(s, masked=True)
    fill_learning_results(s, result)
    excluded = result.navigation_mask.reshape(3, 5)
    np.testing.assert_array_equal(s.learning_results.navigation_mask, excluded)
    np.testing.assert_array_equal(s.learning_results.signal_mask, np.arange(64) < 5)
    loadings = s.get_decomposition_loadings().data
    np.testing.assert_array_equal(
        np.isnan(loadings), np.broadcast_to(excluded, loadings.shape)
    )


def test_a_pixel_without_counts_has_a_model_without_counts(eds, result_of):
    s = eds((3, 5))
    result = result_of(s)
    result.factorization.abundances[6] = np.nan
    fill_learning_results(s, result)
    model = s.get_decomposition_model().data
    assert (model[1, 1] == 0).all() and np.isfinite(model).all()


def test_hyperspys_plots_work(eds, result_of):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    s = eds((3, 5))
    fill_learning_results(s, result_of(s, masked=True))
    s.plot_decomposition_factors()
    s.plot_decomposition_loadings()
    s.plot_decomposition_results()
    plt.close("all")


def _same_learning_results(one, other):
    for name in ("factors", "loadings", "nmf_weights", "nmf_loss", "nmf_pixel_scale"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("decomposition_algorithm", "output_dimension", "nmf_settings"):
        assert getattr(one, name) == getattr(other, name)
    assert list(one.nmf_columns) == list(other.nmf_columns)
    np.testing.assert_array_equal(one.navigation_mask, other.navigation_mask)


def test_learning_results_survive_files(eds, result_of, extension, tmp_path):
    s = eds((3, 5))
    fill_learning_results(s, result_of(s, masked=True))
    s.save(tmp_path / f"s.{extension}")
    loaded = hs.load(tmp_path / f"s.{extension}")
    _same_learning_results(loaded.learning_results, s.learning_results)
    np.testing.assert_array_equal(
        loaded.get_decomposition_model().data, s.get_decomposition_model().data
    )


def test_learning_results_survive_copies(eds, result_of):
    s = eds((3, 5))
    fill_learning_results(s, result_of(s, masked=True))
    for copied in (s.deepcopy(), copy.deepcopy(s), s.as_lazy()):
        _same_learning_results(copied.learning_results, s.learning_results)


def _same_result(one, other):
    assert repr(one) == repr(other)
    assert one.settings == other.settings
    assert one.frame.metadata == other.frame.metadata
    assert one.frame.title == other.frame.title
    for name in ("weights", "abundances", "pixel_scale", "loss"):
        np.testing.assert_array_equal(
            getattr(one.factorization, name), getattr(other.factorization, name)
        )
    for name in ("navigation_mask", "signal_mask", "weights_covariance"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None)
        if first is not None:
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("map_shape", MAP_SHAPES)
@pytest.mark.parametrize("covariances", [False, True])
def test_a_result_survives_a_file(
    eds, result_of, map_shape, covariances, extension, tmp_path
):
    s = eds(map_shape, units="eV")
    s.metadata.General.title = "grains"
    for axis in s.axes_manager.navigation_axes:
        axis.units, axis.scale = "nm", 2.5
    result = result_of(s, covariances=covariances, masked=bool(map_shape))
    result.save(tmp_path / f"phases.{extension}")
    loaded = load_result(tmp_path / f"phases.{extension}")
    _same_result(result, loaded)
    for name in ("abundances", "spectra", "continuum"):
        first, second = getattr(result, name), getattr(loaded, name)
        np.testing.assert_array_equal(first.data, second.data)
        assert type(first) is type(second)
        for axis, other in zip(
            first.axes_manager._axes, second.axes_manager._axes, strict=True
        ):
            np.testing.assert_array_equal(axis.axis, other.axis)
            assert str(axis.units) == str(other.units)


def test_the_matrix_and_its_conditions_survive_a_file(eds, result_of, tmp_path):
    import dataclasses

    result = result_of(eds())
    result.save(tmp_path / "phases.hspy")
    loaded = load_result(tmp_path / "phases.hspy").g_matrix
    given = result.g_matrix
    np.testing.assert_array_equal(given.matrix, loaded.matrix)
    assert given.columns == loaded.columns
    assert given.concentration == loaded.concentration
    assert given.specimen == loaded.specimen
    for field in dataclasses.fields(given.acquisition):
        one = getattr(given.acquisition, field.name)
        other = getattr(loaded.acquisition, field.name)
        assert np.array_equal(one, other) if field.name == "energy" else one == other


def test_a_matrix_of_other_people_survives_a_file(eds, result_of, tmp_path):
    result = result_of(eds(), concentration="atomic")
    result.save(tmp_path / "phases.hspy")
    loaded = load_result(tmp_path / "phases.hspy").g_matrix
    assert loaded.acquisition is None and loaded.specimen is None
    assert loaded.concentration == "atomic"


def test_metadata_that_files_cannot_hold_are_made_plain(eds, result_of, tmp_path):
    s = eds()
    s.metadata.Sample.elements = {"O", "Fe"}
    s.metadata.Acquisition_instrument.TEM.add_dictionary({"magnification ": 5000})
    result = result_of(s)
    result.save(tmp_path / "phases.hspy")
    metadata = load_result(tmp_path / "phases.hspy").frame.metadata
    assert metadata["Sample"]["elements"] == ["Fe", "O"]
    assert metadata["Acquisition_instrument"]["TEM"]["magnification"] == 5000
    assert s.metadata.Sample.elements == {"O", "Fe"}


def test_hyperspy_opens_a_result_as_its_abundances(eds, result_of, tmp_path):
    result = result_of(eds())
    result.save(tmp_path / "phases.hspy")
    loaded = hs.load(tmp_path / "phases.hspy")
    np.testing.assert_array_equal(loaded.data, result.abundances.data)


def test_files_that_are_no_results_are_refused(eds, result_of, tmp_path):
    with pytest.raises(ValueError, match=r"\.hspy"):
        result_of(eds()).save(tmp_path / "phases.npz")
    eds().save(tmp_path / "s.hspy")
    with pytest.raises(ValueError, match="no result"):
        load_result(tmp_path / "s.hspy")
