# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated spectrum images as HyperSpy signals, with their truth."""

import exspy
import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml
from hspy_ml.signals.acquisition import acquisition_from_signal
from hspy_ml.signals.simulate import LOWER_MANTLE
from hspy_ml.signals.simulation_truth import SimulationTruth
from hspy_ml.simulation.film import wedge, with_holes

OXIDES = {"quartz": "SiO2", "wuestite": "FeO"}


@pytest.fixture(scope="module")
def simulated():
    """A small image: 12 rows, 15 columns, 400 channels to 12 keV."""
    return hspy_ml.simulate(
        OXIDES,
        (12, 15),
        40,
        n_channels=400,
        channel_width_keV=0.03,
        energy_offset_keV=-0.06,
        pixel_size_nm=1.5,
        random_state=3,
    )


@pytest.fixture(scope="module")
def truth(simulated):
    return SimulationTruth.from_signal(simulated)


def test_the_signal_is_that_of_a_microscope(simulated):
    assert isinstance(simulated, exspy.signals.EDSTEMSpectrum)
    assert simulated.data.shape == (12, 15, 400)
    assert simulated.data.dtype == "uint8"
    x, y, energy = (simulated.axes_manager[i] for i in ("x", "y", "Energy"))
    assert [(a.size, a.scale, a.units) for a in (x, y)] == [
        (15, 1.5, "nm"),
        (12, 1.5, "nm"),
    ]
    assert (energy.scale, energy.offset, energy.units) == (0.03, -0.06, "keV")
    assert simulated.metadata.Sample.elements == ["Fe", "O", "Si"]


def test_the_conditions_are_read_as_they_were_given(recwarn):
    s = hspy_ml.simulate(
        ["Fe"],
        (2, 3),
        beam_energy_keV=120,
        take_off_angle=18,
        resolution_MnKa_eV=141,
    )
    read = acquisition_from_signal(s)
    assert read.beam_energy_keV == 120
    assert read.take_off_angle == pytest.approx(18)
    assert read.detector.resolution_MnKa_eV == 141
    assert read.energy.size == 2048
    assert not [w for w in recwarn if "metadata" in str(w.message)]


def test_the_truth_is_consistent(simulated, truth):
    assert truth.phases == ["quartz", "wuestite"]
    assert truth.elements == ["Fe", "O", "Si"]
    assert truth.abundances.shape == (12, 15, 2)
    np.testing.assert_allclose(truth.abundances.sum(axis=2), 1)
    np.testing.assert_allclose(
        truth.atomic_percent, [[0, 200 / 3, 100 / 3], [50, 50, 0]]
    )
    np.testing.assert_allclose(truth.weight_percent.sum(axis=1), 100)
    g = hspy_ml.g_matrix(simulated)
    assert truth.columns == list(g.names)
    np.testing.assert_allclose(truth.spectra, (g.matrix @ truth.weights).T)


def test_the_weights_give_the_compositions(simulated, truth):
    g = hspy_ml.g_matrix(simulated)
    amounts = truth.weights[[g.column_indices(e)[0] for e in truth.elements]].T
    np.testing.assert_allclose(
        100 * amounts / amounts.sum(axis=1, keepdims=True), truth.weight_percent
    )


def test_counts_are_those_of_the_truth(simulated, truth):
    """Sum of all counts, and of the two phases' spectra, to five deviations."""
    model = truth.thickness[..., None] * (truth.abundances @ truth.spectra)
    assert model.sum() == pytest.approx(40 * 12 * 15)
    assert abs(simulated.data.sum() - model.sum()) < 5 * np.sqrt(model.sum())
    statistic = ((simulated.data - model) ** 2 / np.maximum(model, 1e-12))[model > 1e-3]
    spread = np.sqrt((2 + 1 / model[model > 1e-3]).sum())
    assert abs(statistic.sum() - statistic.size) < 5 * spread


@pytest.mark.parametrize("lazy", [False, True])
def test_the_truth_survives_a_file(simulated, truth, tmp_path, lazy):
    simulated.save(tmp_path / "image.hspy")
    loaded = hs.load(tmp_path / "image.hspy", lazy=lazy)
    assert loaded.metadata.Signal.signal_type == "EDS_TEM"
    np.testing.assert_array_equal(np.asarray(loaded.data), simulated.data)
    read = SimulationTruth.from_signal(loaded)
    assert (read.phases, read.elements) == (truth.phases, truth.elements)
    assert read.columns == truth.columns
    assert read.settings == truth.settings
    for name in ("abundances", "spectra", "weights", "thickness", "atomic_percent"):
        np.testing.assert_array_equal(getattr(read, name), getattr(truth, name))


def test_a_measured_signal_has_no_truth(eds):
    with pytest.raises(ValueError, match="metadata.Simulation"):
        SimulationTruth.from_signal(eds())


def test_images_repeat_and_keep_their_scene_at_another_dose(simulated, truth):
    options = {"n_channels": 400, "channel_width_keV": 0.03}
    options |= {"energy_offset_keV": -0.06, "random_state": 3}
    again = hspy_ml.simulate(OXIDES, (12, 15), 40, **options)
    np.testing.assert_array_equal(again.data, simulated.data)
    brighter = hspy_ml.simulate(OXIDES, (12, 15), 400, **options)
    bright = SimulationTruth.from_signal(brighter)
    np.testing.assert_array_equal(bright.abundances, truth.abundances)
    np.testing.assert_allclose(bright.spectra, 10 * truth.spectra)
    other = hspy_ml.simulate(OXIDES, (12, 15), 40, **options | {"random_state": 4})
    assert not np.array_equal(other.data, simulated.data)


def test_minerals_of_the_lower_mantle_by_default():
    truth = SimulationTruth.from_signal(hspy_ml.simulate(shape=(9, 8), random_state=0))
    assert truth.phases == list(LOWER_MANTLE)
    assert {"Nd", "Sm", "Lu", "Hf", "Cu"} <= {*truth.elements}
    assert (truth.atomic_percent == 0).any(axis=1).all()  # each lacks some
    assert truth.abundances[..., 0].min() >= 0.5 - 1e-9
    oxygen = truth.elements.index("O")
    np.testing.assert_allclose(truth.atomic_percent[:, oxygen], [60, 50, 60])


def test_given_abundances_set_the_shape():
    maps = np.random.default_rng(0).dirichlet([1, 1], size=(5, 7))
    s = hspy_ml.simulate(OXIDES, abundances=maps, random_state=0)
    assert s.data.shape[:2] == (5, 7)
    np.testing.assert_allclose(SimulationTruth.from_signal(s).abundances, maps)


def test_thickness_scales_the_counts_and_holes_are_empty():
    film = with_holes(wedge((20, 24), 0.5), 1, 4, random_state=0)
    s = hspy_ml.simulate(["SiO2"], None, 200, thickness=film, random_state=0)
    totals = s.data.sum(axis=2, dtype=int)
    assert totals[film == 0].sum() == 0
    expected = 200 * film / film.mean()
    rows = expected[film > 0]
    assert abs((totals[film > 0] - rows) / np.sqrt(rows)).max() < 5.5
    truth = SimulationTruth.from_signal(s)
    np.testing.assert_allclose(truth.thickness, film / film.mean())


def test_an_absorbing_film_holds_back_soft_photons():
    options = {"phases": ["SiO2"], "shape": (3, 4), "random_state": 0}
    thin = SimulationTruth.from_signal(hspy_ml.simulate(**options))
    s = hspy_ml.simulate(mass_thickness=1e-4, **options)
    thick = SimulationTruth.from_signal(s)
    energy = s.axes_manager[-1].axis
    oxygen, silicon = (abs(energy - line) < 0.1 for line in (0.525, 1.74))

    def ratio(truth):
        return truth.spectra[0, oxygen].sum() / truth.spectra[0, silicon].sum()

    assert ratio(thick) < 0.9 * ratio(thin)
    g = hspy_ml.g_matrix(
        s,
        composition={"Si": 1, "O": 2},
        composition_units="atomic",
        mass_thickness=1e-4,
    )
    np.testing.assert_allclose(thick.spectra, (g.matrix @ thick.weights).T)


def test_phases_of_equal_brightness():
    for equal in (False, True):
        s = hspy_ml.simulate(OXIDES, (3, 4), 10, equal_brightness=equal)
        sums = SimulationTruth.from_signal(s).spectra.sum(axis=1)
        assert (np.ptp(sums) < 1e-9) == equal


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("phases", {"phases": {"a": "Xx2O"}}),
        ("phases", {"phases": []}),
        ("shape", {"shape": (3, 0)}),
        ("shape", {"shape": 128}),
        ("shape", {"shape": (4, 3), "abundances": np.ones((3, 4, 1))}),
        ("abundances", {"abundances": np.full((3, 4, 1), 0.5)}),
        ("abundances", {"abundances": np.ones((3, 4))}),
        ("thickness", {"thickness": -np.ones((3, 4))}),
        ("thickness", {"shape": (4, 3), "thickness": np.ones((3, 4))}),
        ("counts_per_pixel", {"counts_per_pixel": -1}),
        ("continuum_share", {"continuum_share": 1.0}),
        ("mass_thickness", {"mass_thickness": -1e-5}),
        ("largest_share", {"largest_share": 2}),
        ("take_off_angle", {"take_off_angle": 0}),
        ("beam_energy", {"beam_energy_keV": 200_000}),
        ("name", {"detector": "bolometer"}),
        ("n_channels", {"n_channels": 1}),
        ("channel_width_keV", {"channel_width_keV": -0.01}),
        ("pixel_size_nm", {"pixel_size_nm": 0}),
    ],
)
def test_what_cannot_be_simulated_is_named(name, arguments):
    with pytest.raises(ValueError, match=name):
        hspy_ml.simulate(**{"phases": ["SiO2"]} | arguments)
