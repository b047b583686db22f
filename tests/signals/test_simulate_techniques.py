# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated images of a bulk and of core losses, of more scenes, and their truth."""

import warnings

import exspy
import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml
from hspy_ml.signals.acquisition import acquisition_from_signal
from hspy_ml.signals.simulation.core_loss import low_loss_of
from hspy_ml.signals.simulation_truth import SimulationTruth
from hspy_ml.simulation.scene_kinds import SCENES

SEM = {"technique": "EDS_SEM", "n_channels": 1000, "channel_width_keV": 0.016}
EELS = {"technique": "EELS"}
ALLOYS = {"theta": "Al2Cu", "alpha": {"Al": 0.97, "Mg": 0.03}}


def truth_of(s):
    return SimulationTruth.from_signal(s)


def deviations(s, **options):
    """Deviations of the quantified maps from the truth, and standard errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = s.ml_quantify(method="likelihood", show_progressbar=False, **options)
    truth = truth_of(s)
    maps = truth.atomic_percent_maps
    pairs = {}
    for index, element in enumerate(truth.elements):
        deviation = found[element].data - maps[..., index]
        pairs[element] = deviation, found.standard_errors[element].data
    return pairs


@pytest.fixture(scope="module")
def bulk():
    return hspy_ml.simulate(
        ALLOYS,
        (11, 14),
        3e4,
        scene="voronoi",
        scene_options={"grain_diameter": 7.0, "probe_width": 0.5},
        random_state=0,
        **SEM,
    )


@pytest.fixture(scope="module")
def core_loss():
    return hspy_ml.simulate(
        shape=(9, 13), counts_per_pixel=1e6, scene="voronoi", random_state=1, **EELS
    )


def test_a_bulk_is_that_of_a_scanning_microscope(bulk):
    assert isinstance(bulk, exspy.signals.EDSSEMSpectrum)
    assert bulk.data.shape == (11, 14, 1000)
    assert bulk.metadata.Sample.elements == ["Al", "Cu", "Mg"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        read = acquisition_from_signal(bulk)
    assert (read.technique, read.beam_energy_keV) == ("EDS_SEM", 15)
    assert read.take_off_angle == pytest.approx(35)
    assert read.detector.name == "polymer"


def test_the_detector_that_was_simulated_is_the_one_that_is_read():
    s = hspy_ml.simulate(ALLOYS, (2, 3), detector="beryllium")
    assert acquisition_from_signal(s).detector.name == "beryllium"


def test_core_losses_are_eels(core_loss):
    assert isinstance(core_loss, exspy.signals.EELSSpectrum)
    axis = core_loss.axes_manager[-1]
    assert (axis.size, axis.offset, axis.scale, axis.units) == (801, 200, 1, "eV")
    assert set(core_loss.metadata.Sample.elements) == {"Fe", "Mn", "O", "Ti"}
    read = acquisition_from_signal(core_loss)
    assert (read.convergence_angle_mrad, read.collection_angle_mrad) == (25, 40)
    total = core_loss.data.sum(axis=2, dtype=float)
    assert total.mean() == pytest.approx(1e6, rel=1e-3)


@pytest.mark.parametrize("alloy", [{"Al": 0.97, "Mg": 0.03}, {"Al": 0.7, "Cu": 0.3}])
def test_a_bulk_of_one_phase_is_quantified_within_errors(alloy):
    """Of 80 pixels at 30,000 counts; deviations over errors have a spread of one."""
    s = hspy_ml.simulate([alloy], (8, 10), 3e4, random_state=0, **SEM)
    for deviation, error in deviations(s).values():
        pulls = deviation / error
        assert abs(pulls.mean()) < 0.45
        assert 0.7 < pulls.std() < 1.25


def test_a_rock_is_quantified_as_it_is():
    """Three minerals with boundaries at 100,000 counts, 0.1 to 0.3 at.% of noise."""
    s = hspy_ml.simulate(
        shape=(10, 13), counts_per_pixel=1e5, scene="voronoi", random_state=0, **SEM
    )
    for element, (deviation, error) in deviations(s, by_stoichiometry=None).items():
        assert abs(deviation.mean()) < 0.2, element
        assert np.sqrt(np.mean(deviation**2)) < 2.5 * error.mean(), element


def test_core_losses_are_quantified_as_they_are(core_loss):
    for element, (deviation, error) in deviations(core_loss).items():
        assert np.sqrt(np.mean(deviation**2)) < 1.2 * error.mean(), element
        assert abs(deviation.mean()) < 0.5, element


def test_plural_scattering_is_undone_by_its_low_loss():
    s = hspy_ml.simulate(
        shape=(3, 4),
        counts_per_pixel=3e6,
        scene="voronoi",
        thickness_over_mean_free_path=0.7,
        random_state=0,
        **EELS,
    )
    whole = deviations(s, low_loss=low_loss_of(s))
    without = deviations(s)
    for element in whole:
        assert np.abs(whole[element][0]).mean() < 1
    assert max(np.abs(d).mean() for d, _ in without.values()) > 3


def test_x_rays_have_no_low_loss(bulk):
    with pytest.raises(ValueError, match="no low loss"):
        low_loss_of(bulk)


def test_a_gradient_in_a_bulk_is_a_solid_solution():
    """The middle of two phases has its own response: Al K is more absorbed."""
    options = {"phases": ["Al", "Cu"], "shape": (3, 40), "scene": "gradient"}
    options |= {"continuum_share": 0.0, "counts_per_pixel": 1e5, "random_state": 0}
    mixed = hspy_ml.simulate(**options, **SEM)
    assert truth_of(mixed).settings["mixed_pixels"] == "solid solution"
    beside = hspy_ml.simulate(**options, **SEM, mixed_pixels="side by side")
    np.testing.assert_array_equal(
        truth_of(mixed).abundances, truth_of(beside).abundances
    )
    near = np.abs(mixed.axes_manager[-1].axis - 1.487) < 0.06

    def middle_over_end(s):
        line = s.data[..., near].sum(axis=(0, 2), dtype=float)
        return line[19:21].mean() / line[:3].mean()

    assert middle_over_end(mixed) < 0.8 * middle_over_end(beside)
    aluminium, error = deviations(mixed)["Al"]
    assert np.abs(aluminium).mean() < 1.5


def test_electrons_can_be_followed(bulk):
    s = hspy_ml.simulate(
        ["Al2Cu"], (2, 3), 500, electrons="monte carlo", random_state=0, **SEM
    )
    spectrum = truth_of(s).spectra[0]
    analytic = truth_of(bulk).spectra[0] * spectrum.sum()
    analytic /= truth_of(bulk).spectra[0].sum()
    near = np.abs(s.axes_manager[-1].axis - 1.487) < 0.06
    assert spectrum[near].sum() == pytest.approx(analytic[near].sum(), rel=0.1)
    assert np.abs(spectrum - analytic).sum() > 1e-3 * spectrum.sum()


@pytest.mark.parametrize("technique", ["EDS_TEM", "EDS_SEM"])
def test_pile_up_is_at_twice_the_energy(technique):
    """Silicon: 1.74 keV; its sum peak holds the square of its share, times 3 %."""
    s = hspy_ml.simulate(
        ["Si"],
        (20, 25),
        500,
        technique=technique,
        continuum_share=0.0,
        pile_up=0.03,
        energy_offset_keV=-0.2,
        random_state=0,
    )
    energy = s.axes_manager[-1].axis
    counts = s.data.sum(axis=(0, 1), dtype=float)
    total = 500 * 500
    line = truth_of(s).spectra[0]
    share = line[np.abs(energy - 1.74) < 0.25].sum() / line.sum()
    window = np.abs(energy - 3.48) < 0.35
    expected = 0.03 * share**2 * total
    assert share > 0.9
    assert (
        abs(counts[window].sum() - expected) < 5 * np.sqrt(expected) + 0.01 * expected
    )
    centre = counts[window] @ energy[window] / counts[window].sum()
    middle = 2 * (line @ energy) / line.sum()
    assert centre == pytest.approx(middle, abs=0.01)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("technique", ["EDS_TEM", "EDS_SEM", "EELS"])
def test_every_scene_in_every_technique(scene, technique):
    s = hspy_ml.simulate(shape=(6, 7), technique=technique, scene=scene, random_state=2)
    truth = truth_of(s)
    assert truth.settings["scene"] == scene
    mean = s.data.sum(dtype=float) / 42
    expected = {"EDS_TEM": 74, "EDS_SEM": 1000, "EELS": 1e5}[technique]
    assert mean == pytest.approx(expected, abs=5 * np.sqrt(expected / 42))
    again = hspy_ml.simulate(
        shape=(6, 7), technique=technique, scene=scene, random_state=2
    )
    np.testing.assert_array_equal(again.data, s.data)


def test_options_reach_the_scene():
    s = hspy_ml.simulate(
        ALLOYS,
        (30, 32),
        scene="lamellae",
        scene_options={"volume_fractions": (0.8, 0.2), "period": np.float64(9)},
    )
    truth = truth_of(s)
    assert truth.abundances[..., 0].mean() == pytest.approx(0.8, abs=0.05)
    assert truth.settings["scene_options"] == {
        "volume_fractions": [0.8, 0.2],
        "period": 9.0,
    }


@pytest.mark.parametrize("which", ["bulk", "core_loss"])
@pytest.mark.parametrize("lazy", [False, True])
def test_the_truth_survives_a_file(request, which, lazy, tmp_path):
    s = request.getfixturevalue(which)
    s.save(tmp_path / "image.hspy")
    loaded = hs.load(tmp_path / "image.hspy", lazy=lazy)
    assert type(loaded).__name__.removeprefix("Lazy") == type(s).__name__
    read, truth = truth_of(loaded), truth_of(s)
    assert read.settings == truth.settings
    assert (read.phases, read.elements) == (truth.phases, truth.elements)
    np.testing.assert_array_equal(read.atomic_percent_maps, truth.atomic_percent_maps)
    np.testing.assert_array_equal(read.spectra, truth.spectra)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("technique", ["EDS_TEM", "EDS_SEM", "EELS"])
def test_maps_of_composition_are_of_the_mass_that_is_there(technique, equal):
    """Half of a pixel's mass, or counts: its at.% are weighed by the atoms."""
    s = hspy_ml.simulate(
        {"titania": "TiO2", "iron": "Fe"},
        abundances=np.array([[[1, 0], [0.5, 0.5], [0, 1]]]),
        technique=technique,
        equal_brightness=equal,
        random_state=0,
    )
    truth = truth_of(s)
    atoms, mass = truth.atomic_percent_maps[0], truth.weight_percent_maps[0]
    np.testing.assert_allclose(atoms.sum(axis=1), 100)
    np.testing.assert_allclose(atoms[[0, 2]], truth.atomic_percent, atol=1e-9)
    iron, oxygen, titanium = mass[1]
    sums = truth.spectra.sum(axis=1)
    assert (sums[0] == pytest.approx(sums[1], rel=1e-6)) == equal
    assert iron == pytest.approx(100 * truth.phase_mass[1] / truth.phase_mass.sum())
    assert oxygen + titanium == pytest.approx(100 - iron)
    per_atom = mass[1] / [55.845, 15.999, 47.867]
    np.testing.assert_allclose(atoms[1], 100 * per_atom / per_atom.sum(), rtol=1e-3)


@pytest.mark.parametrize("technique", ["EDS_TEM", "EDS_SEM", "EELS"])
def test_phases_equally_bright_weigh_what_gives_the_counts(technique):
    """As much more of a phase as it gives fewer counts for its mass."""
    options = {"phases": ["TiO2", "Fe"], "shape": (3, 4), "random_state": 0}
    options |= {"scene": "voronoi", "technique": technique}
    by_mass = truth_of(hspy_ml.simulate(**options))
    bright = truth_of(hspy_ml.simulate(equal_brightness=True, **options))
    sums = by_mass.spectra.sum(axis=1)
    ratio = bright.phase_mass[1] / bright.phase_mass[0]
    assert ratio == pytest.approx(sums[0] / sums[1])
    np.testing.assert_allclose(by_mass.phase_mass, 1)


def test_the_truth_of_older_versions_is_refused(bulk):
    s = bulk.inav[:2, :2].deepcopy()
    del s.metadata.Simulation.phase_mass
    with pytest.raises(ValueError, match="phase_mass.*simulate it again"):
        truth_of(s)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("technique", {"technique": "XPS"}),
        ("take_off_angle.* EDS_TEM and EDS_SEM", {"take_off_angle": 3, **EELS}),
        ("pile_up", {"pile_up": 0.1, **EELS}),
        ("pile_up", {"pile_up": 1.1}),
        ("channel_width_keV", {"channel_width_keV": 1e-3, **EELS}),
        ("channel_width_eV", {"channel_width_eV": 10.0}),
        ("channel_width_eV", {"channel_width_eV": 0.0, **EELS}),
        ("energy_offset_eV", {"energy_offset_eV": -10.0, **EELS}),
        ("jump_ratio.*EELS", {"jump_ratio": 2.0}),
        ("jump_ratio", {"jump_ratio": 0.5, **EELS}),
        ("mass_thickness.*EDS_TEM", {"mass_thickness": 1e-5, **SEM}),
        ("`thickness` is that of a film", {"thickness": np.ones((3, 4)), **SEM}),
        ("mixed_pixels.*EDS_SEM", {"mixed_pixels": "solid solution"}),
        ("mixed_pixels", {"mixed_pixels": "stirred", **SEM}),
        ("electrons", {"electrons": "classical", **SEM}),
        ("electrons.*EDS_SEM", {"electrons": "monte carlo", **EELS}),
        ("scene", {"scene": "foam"}),
        ("largest_share.*voronoi", {"scene": "voronoi", "largest_share": 0.4}),
        ("scene_options", {"scene_options": {}, "abundances": np.ones((2, 3, 1))}),
        ("`phases` has 1", {"scene": "core-shell"}),
        ("'Fe'.*no edge", {"phases": ["Fe"], "n_channels": 300, **EELS}),
    ],
)
def test_what_cannot_be_simulated_is_named(name, arguments):
    defaults = {"phases": ["TiO2"], "shape": (3, 4)}
    with pytest.raises(ValueError, match=name):
        hspy_ml.simulate(**defaults | arguments)
