# SPDX-License-Identifier: GPL-3.0-or-later
"""After `physics_nmf`: HyperSpy's own plots, models and files, and the result's."""

import hyperspy.api as hs
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

import hspy_ml
from hspy_ml.signals.simulation_truth import SimulationTruth

matplotlib.use("Agg")

QUIET = {"show_progressbar": False, "random_state": 3}


@pytest.fixture(scope="module")
def decomposed(_two_minerals):
    """A signal, and what was found in it with a corner of the map masked."""
    s = _two_minerals.deepcopy()
    mask = np.zeros((9, 13), bool)
    mask[6:, 10:] = True
    return s, s.physics_nmf(2, navigation_mask=mask, **QUIET), mask


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _deviance_per_value(counts, mean):
    """Twice the log-likelihood ratio to a perfect fit, per value; one if right."""
    logarithm = np.log(np.where(counts > 0, counts / mean, 1))
    return 2 * (counts * logarithm - counts + mean).mean()


def test_the_decomposition_model_is_what_the_counts_scatter_about(decomposed):
    """As well as the simulated expectation, from which the counts were drawn."""
    s, _, mask = decomposed
    truth = SimulationTruth.from_signal(s)
    true = np.einsum("yxk,ke->yxe", truth.abundances, truth.spectra)
    model = s.get_decomposition_model().data
    assert np.isnan(model[mask]).all()
    used = np.ix_(~mask.ravel(), np.arange(20, 400))
    counts, model, true = (
        a.reshape(-1, 400)[used].astype(float) for a in (s.data, model, true)
    )
    assert abs(model.sum() - counts.sum()) < np.sqrt(counts.sum())
    expected = _deviance_per_value(counts, true)
    assert _deviance_per_value(counts, model) == pytest.approx(expected, rel=0.01)
    assert np.abs(model - true).sum() < 0.15 * true.sum()


def test_hyperspy_plots_the_decomposition(decomposed):
    s, _, _ = decomposed
    s.plot_decomposition_factors()
    s.plot_decomposition_loadings()
    s.plot_decomposition_results()
    assert len(plt.get_fignums()) >= 4


def test_loadings_and_factors_are_abundances_and_spectra(decomposed):
    s, result, mask = decomposed
    loadings = s.get_decomposition_loadings()
    factors = s.get_decomposition_factors()
    np.testing.assert_allclose(loadings.data, result.abundances.data, rtol=1e-6)
    np.testing.assert_allclose(factors.data, result.spectra.data)
    assert factors.metadata.Signal.signal_type == "EDS_TEM"
    np.testing.assert_array_equal(s.learning_results.navigation_mask, mask)


@pytest.mark.parametrize("way", ["deepcopy", "lazy", "file", "lazy file"])
def test_the_decomposition_goes_where_the_signal_goes(decomposed, way, tmp_path):
    s, result, _ = decomposed
    if "file" in way:
        s.save(tmp_path / "map.hspy")
        s = hs.load(tmp_path / "map.hspy", lazy="lazy" in way)
    else:
        s = s.as_lazy() if way == "lazy" else s.deepcopy()
    assert s.learning_results.decomposition_algorithm == "physics_nmf"
    loadings = np.asarray(s.get_decomposition_loadings().data)
    np.testing.assert_allclose(loadings, result.abundances.data, rtol=1e-6)
    model = s.get_decomposition_model()
    if model._lazy:
        model.compute(show_progressbar=False)
    assert model.data.shape == (9, 13, 400)


def test_a_lazy_signal_keeps_its_decomposition(two_minerals):
    s = two_minerals.as_lazy()
    s.physics_nmf(2, **QUIET)
    assert s.learning_results.decomposition_algorithm == "physics_nmf"
    model = s.get_decomposition_model()
    assert float(np.asarray(model.data).sum()) == pytest.approx(
        two_minerals.data.sum(), rel=0.02
    )


def test_a_second_run_replaces_the_first(two_minerals):
    two_minerals.physics_nmf(2, **QUIET)
    two_minerals.physics_nmf(1, **QUIET)
    assert two_minerals.learning_results.output_dimension == 1
    assert two_minerals.learning_results.loadings.shape == (117, 1)


def test_an_error_leaves_the_decomposition_as_it_was(two_minerals):
    two_minerals.physics_nmf(2, **QUIET)
    before = two_minerals.learning_results
    with pytest.raises(ValueError, match="`output_dimension`"):
        two_minerals.physics_nmf(0)
    assert two_minerals.learning_results is before


def test_the_result_plots_itself(decomposed):
    figure = decomposed[1].plot()
    assert len(figure.axes) >= 4


@pytest.mark.parametrize("form", ["map", "spectrum", "line", "series"])
def test_results_of_every_dimension_plot_and_print(two_minerals, form):
    s = {
        "map": two_minerals,
        "spectrum": two_minerals.sum(),
        "line": two_minerals.inav[:, 4],
        "series": hs.stack([two_minerals.inav[:5, :4]] * 3),
    }[form]
    result = s.physics_nmf(1, **QUIET)
    assert result.plot().axes
    assert "1 phase" in repr(result)
    assert s.get_decomposition_factors().data.shape == (1, 400)


def test_the_result_prints_its_compositions(decomposed):
    text = repr(decomposed[1])
    assert "2 phases" in text and "13 x 9 pixels" in text
    lines = text.splitlines()
    assert lines[1].split()[-4:] == ["Fe", "Mg", "O", "Si"]
    numbers = np.array([line.replace(" ± ", "±").split()[2:] for line in lines[2:4]])
    at_percent = np.array([[n.split("±")[0] for n in row] for row in numbers], float)
    np.testing.assert_allclose(at_percent.sum(axis=1), 100, atol=0.3)


def test_the_result_is_saved_and_loaded(decomposed, tmp_path):
    _, result, _ = decomposed
    result.save(tmp_path / "result.hspy")
    loaded = hspy_ml.load_result(tmp_path / "result.hspy")
    np.testing.assert_array_equal(loaded.abundances.data, result.abundances.data)
    np.testing.assert_array_equal(loaded.spectra.data, result.spectra.data)
    np.testing.assert_array_equal(loaded.deviance_map.data, result.deviance_map.data)
    assert loaded.settings == result.settings
    assert repr(loaded) == repr(result)


def test_deviances_are_those_of_a_good_fit(decomposed):
    """Near the number of channels for each pixel, as far as counts are not rare."""
    _, result, mask = decomposed
    deviance = result.deviance_map.data
    assert np.isnan(deviance[mask]).all()
    assert (deviance[~mask] > 0).all()
    by_channel = result.deviance_spectrum.data
    assert np.isnan(by_channel[:10]).all()
    np.testing.assert_allclose(np.nansum(by_channel), np.nansum(deviance), rtol=1e-6)


def test_elemental_maps_follow_the_phases(decomposed):
    s, result, mask = decomposed
    iron = dict(zip(result.elements, result.elemental_maps, strict=True))["Fe"]
    truth = SimulationTruth.from_signal(s).abundances[..., 1]
    assert np.corrcoef(iron.data[~mask], truth[~mask])[0, 1] > 0.95
