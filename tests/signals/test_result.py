# SPDX-License-Identifier: GPL-3.0-or-later
"""Results keep what the solver found, on the axes of the signal."""

import exspy
import hyperspy.api as hs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hspy_ml.signals.result import PhysicsNMFResult

MAP_SHAPES = [(), (7,), (3, 5), (2, 3, 4)]


def _calibrated(s):
    for axis, name, scale in zip(
        s.axes_manager.navigation_axes, "xyz", (0.5, 2.0, 3.0), strict=False
    ):
        axis.name, axis.units, axis.scale, axis.offset = name, "nm", scale, 10.0
    s.metadata.General.title = "grains"
    return s


@pytest.mark.parametrize("map_shape", MAP_SHAPES)
def test_abundances_sum_to_one_on_the_map_of_the_signal(eds, result_of, map_shape):
    s = _calibrated(eds(map_shape))
    abundances = result_of(s, n_phases=3).abundances
    assert abundances.data.shape == (3, *(map_shape or (1,)))
    np.testing.assert_allclose(abundances.data.sum(axis=0), 1)
    assert abundances.axes_manager.navigation_axes[0].name == "Phase"
    if map_shape:
        for found, axis in zip(
            abundances.axes_manager.signal_axes,
            s.axes_manager.navigation_axes,
            strict=True,
        ):
            assert (found.name, found.units) == (axis.name, axis.units)
            np.testing.assert_allclose(found.axis, axis.axis)
    expected = {1: hs.signals.Signal1D, 2: hs.signals.Signal2D}
    kind = expected.get(max(len(map_shape), 1), hs.signals.BaseSignal)
    assert type(abundances) is kind


def test_excluded_pixels_are_nan_everywhere(eds, result_of):
    result = result_of(eds((3, 5)), masked=True)
    excluded = result.navigation_mask.reshape(3, 5)
    for maps in (
        [result.abundances, result.abundance_errors],
        result.elemental_maps,
        result.elemental_map_errors,
    ):
        for signal in maps:
            np.testing.assert_array_equal(
                np.isnan(signal.data), np.broadcast_to(excluded, signal.data.shape)
            )


@pytest.mark.parametrize("units", ["keV", "eV"])
def test_spectra_are_the_sum_of_elements_and_continuum(eds, result_of, units):
    s = eds((3, 5), units=units, signal_type="EDS_SEM")
    result = result_of(s)
    assert isinstance(result.spectra, exspy.signals.EDSSEMSpectrum)
    parts = [spectra.data for spectra in result.element_spectra.values()]
    np.testing.assert_allclose(
        result.spectra.data, result.continuum.data + sum(parts), rtol=1e-12
    )
    np.testing.assert_allclose(
        result.spectra.axes_manager[-1].axis, s.axes_manager[-1].axis
    )
    assert result.spectra.axes_manager[-1].units == units
    assert result.element_spectra["Fe"].metadata.Sample.elements == ["Fe"]


@pytest.mark.parametrize("composition_units", ["atomic", "weight"])
def test_concentrations_are_percent_with_titles_as_exspy_gives_them(
    eds, result_of, composition_units
):
    result = result_of(eds((3, 5), elements=("Fe", "O", "Pt")), n_phases=4)
    concentrations = result.get_concentrations(composition_units)
    np.testing.assert_allclose(sum(c.data for c in concentrations), 100)
    iron = concentrations[0]
    assert iron.metadata.General.title == f"{composition_units} percent of Fe"
    assert iron.metadata.Sample.elements == ["Fe"]
    assert iron.axes_manager.navigation_shape == (4,)
    assert iron.axes_manager.signal_dimension == 0
    error = result.get_concentration_errors(composition_units)[0]
    title = f"{composition_units} percent of Fe (uncertainty)"
    assert error.metadata.General.title == title
    assert (error.data > 0).all()


def test_a_pure_pixel_has_the_composition_and_the_error_of_its_phase(eds, result_of):
    result = result_of(eds((3, 5)))
    result.factorization.abundances[4] = [0, 1]
    result.abundance_covariance[4] = 0
    for units in ("atomic", "weight"):
        maps = result.get_elemental_maps(units)
        errors = result.get_elemental_map_errors(units)
        for element in range(2):
            concentration = result.get_concentrations(units)[element].data[1]
            error = result.get_concentration_errors(units)[element].data[1]
            assert maps[element].data[0, 4] == pytest.approx(concentration)
            assert errors[element].data[0, 4] == pytest.approx(error)


def test_mass_and_atom_matrices_differ_by_the_atomic_masses(eds, result_of):
    by_mass = result_of(eds())
    by_atoms = result_of(eds(), concentration="atomic")
    for element in range(2):
        np.testing.assert_allclose(
            by_mass.get_concentrations("weight")[element].data,
            by_atoms.get_concentrations("atomic")[element].data,
        )


@pytest.mark.parametrize("map_shape", MAP_SHAPES)
def test_elemental_maps_have_the_navigation_space_of_the_signal(
    eds, result_of, map_shape
):
    s = _calibrated(eds(map_shape))
    result = result_of(s)
    signals = [*result.elemental_maps, *result.elemental_map_errors]
    for signal in [*signals, result.deviance_map]:
        assert signal.axes_manager.signal_dimension == 0
        assert signal.data.shape == (map_shape or (1,))
    np.testing.assert_allclose(sum(m.data for m in result.elemental_maps), 100)
    assert result.elemental_maps[1].metadata.General.title == "atomic percent of O"


def test_what_was_not_computed_is_none(eds, result_of):
    result = result_of(eds(), covariances=False)
    assert result.concentration_errors is None
    assert result.elemental_map_errors is None
    assert result.abundance_errors is None
    assert result.deviance_map is None
    assert result.deviance_spectrum is None
    with pytest.raises(ValueError, match="composition_units"):
        result.get_elemental_map_errors("percent")


@settings(max_examples=15, deadline=None)
@given(
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)
def test_any_shape_gives_every_signal(
    eds, result_of, shape, n_phases, covariances, masked
):
    masked = masked and np.prod(shape) > 2
    result = result_of(
        eds(shape, 30, scale=0.3),
        n_phases=n_phases,
        covariances=covariances,
        masked=masked,
    )
    assert result.spectra.data.shape == (n_phases, 30)
    assert result.area_fractions.sum() == pytest.approx(1)
    assert len(repr(result).splitlines()) == n_phases + 2
    assert len(result.elemental_maps) == 2


def test_the_table_shows_each_phase_with_errors_and_area(eds, result_of):
    result = result_of(eds((3, 5)), n_phases=2)
    headline, header, first, _ = repr(result).splitlines()
    assert "2 phases, 5 x 3 pixels, 64 channels" in headline
    assert header.split() == ["phase", "area", "%", "Fe", "O"]
    assert f"{100 * result.area_fractions[0]:.1f}" in first
    assert f"{result.concentrations[0].data[0]:.1f} ± " in first


def test_the_table_warns_of_lines_that_are_not_quantitative(eds, result_of):
    s = eds(n_channels=60, scale=0.05, elements=("Fe", "O"))  # up to 3 keV: only L
    table = repr(result_of(s))
    assert "Fe*" in table and "O*" not in table
    assert table.endswith("not well known")


@pytest.mark.parametrize("name", ["pixel_deviance", "signal_mask", "weights"])
def test_shapes_that_do_not_fit_are_refused(eds, result_of, name):
    import dataclasses

    result = result_of(eds(), masked=True)
    if name == "weights":
        change = {
            "factorization": dataclasses.replace(
                result.factorization, weights=result.factorization.weights[1:]
            )
        }
    else:
        change = {name: getattr(result, name)[1:]}
    with pytest.raises(ValueError, match=name):
        dataclasses.replace(result, **change)


@pytest.mark.parametrize("map_shape", MAP_SHAPES)
def test_the_figure_has_a_row_for_each_phase(eds, result_of, map_shape):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    result = result_of(_calibrated(eds(map_shape, 200, scale=0.05)), n_phases=3)
    assert isinstance(result, PhysicsNMFResult)
    figure = result.plot()
    figure.canvas.draw()
    n_columns = 3 if map_shape else 2
    panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert len(panels) == 3 * n_columns
    labels = {text.get_text() for ax in panels for text in ax.texts}
    assert {"Fe", "O"} <= labels
    plt.close(figure)
