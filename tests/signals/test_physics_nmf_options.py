# SPDX-License-Identifier: GPL-3.0-or-later
"""What `physics_nmf` is told: masks, what is known, thickness, penalties, Ctrl-C."""

from contextlib import contextmanager

import hyperspy.api as hs
import numpy as np
import pytest

import hspy_ml
from hspy_ml.signals import physics_nmf as method
from hspy_ml.signals.comparison import Comparison
from hspy_ml.signals.simulation_truth import SimulationTruth

QUIET = {"show_progressbar": False, "random_state": 3}


def _compared(s, result):
    return Comparison.of(result, SimulationTruth.from_signal(s))


def _true_maps(s):
    return np.moveaxis(SimulationTruth.from_signal(s).abundances, -1, 0)


def _at_percent(result, phase):
    values = [c.data.ravel()[phase] for c in result.concentrations]
    return dict(zip(result.elements, values, strict=True))


def _missing(result):
    """Pixels without abundances; none may lack those of some phases only."""
    missing = np.isnan(result.abundances.data)
    np.testing.assert_array_equal(missing.all(axis=0), missing.any(axis=0))
    return missing.all(axis=0)


# --- masks ---------------------------------------------------------------------


@pytest.fixture
def corner():
    mask = np.zeros((9, 13), bool)
    mask[:3, :4] = True
    return mask


@pytest.mark.parametrize("form", ["array", "navigation_shape", "signal"])
def test_masked_pixels_are_left_out(two_minerals, corner, form):
    masks = {
        "array": corner,
        "navigation_shape": corner.T,
        "signal": hs.signals.BaseSignal(corner).T,
    }
    expected = two_minerals.physics_nmf(2, navigation_mask=corner, **QUIET)
    two_minerals.data[:3, :4] = 200
    result = two_minerals.physics_nmf(2, navigation_mask=masks[form], **QUIET)
    np.testing.assert_array_equal(_missing(result), corner)
    np.testing.assert_array_equal(result.spectra.data, expected.spectra.data)


def test_a_number_masks_the_vacuum(two_minerals):
    two_minerals.data[4, 5:8] = 0
    two_minerals.data[4, 6, 30] = 1
    result = two_minerals.physics_nmf(2, navigation_mask=2.0, **QUIET)
    vacuum = np.zeros((9, 13), bool)
    vacuum[4, 5:8] = True
    np.testing.assert_array_equal(_missing(result), vacuum)


def test_masked_channels_do_not_matter(two_minerals):
    mask = np.zeros(400, bool)
    mask[340:360] = True
    expected = two_minerals.physics_nmf(2, signal_mask=mask, **QUIET)
    two_minerals.data[..., mask] = 99
    result = two_minerals.physics_nmf(2, signal_mask=mask, **QUIET)
    np.testing.assert_array_equal(result.abundances.data, expected.abundances.data)
    assert np.isfinite(result.spectra.data).all()


@pytest.mark.parametrize("thickness", ["constant", "free"])
def test_pixels_and_channels_without_counts(two_minerals, thickness):
    two_minerals.data[2, 3] = 0
    two_minerals.data[..., 380:] = 0
    result = two_minerals.physics_nmf(2, mass_thickness=thickness, **QUIET)
    empty = np.zeros((9, 13), bool)
    empty[2, 3] = True
    missing = _missing(result)
    assert not (missing & ~empty).any()
    assert missing.any() == (thickness == "free")
    np.testing.assert_allclose(np.nansum(result.abundances.data, 0)[~empty], 1)
    if thickness == "free":
        assert (two_minerals.get_decomposition_model().data[2, 3] == 0).all()


# --- what is known -------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["variational", "likelihood"])
def test_a_phase_of_known_composition_comes_first(two_minerals, algorithm):
    composition = {"Mg": 0.8, "Fe": 0.2, "O": 1}
    result = two_minerals.physics_nmf(
        2, fixed_phases=[composition], algorithm=algorithm, **QUIET
    )
    found = _at_percent(result, 0)
    assert found == pytest.approx({"Mg": 40, "Fe": 10, "O": 50, "Si": 0}, abs=1e-6)
    assert _compared(two_minerals, result).normalised_errors.max() < 0.1


@pytest.mark.parametrize("form", ["array", "signal", "lazy"])
def test_a_phase_of_known_spectrum_comes_first(two_minerals, form):
    spectrum = SimulationTruth.from_signal(two_minerals).spectra[1] * 1e4
    signal = two_minerals.inav[0, 0].deepcopy()
    signal.data = spectrum
    known = {"array": spectrum, "signal": signal, "lazy": signal.as_lazy()}
    result = two_minerals.physics_nmf(2, fixed_phases=[known[form]], **QUIET)
    assert _at_percent(result, 0)["Fe"] == pytest.approx(10, abs=0.1)
    cosine = result.spectra.data[0] @ spectrum
    lengths = np.linalg.norm(result.spectra.data[0]) * np.linalg.norm(spectrum)
    assert cosine / lengths > 1 - 1e-4


def test_all_phases_may_be_known(two_minerals):
    spectra = SimulationTruth.from_signal(two_minerals).spectra
    result = two_minerals.physics_nmf(2, fixed_phases=list(spectra), **QUIET)
    free = two_minerals.physics_nmf(2, **QUIET)
    error = _compared(two_minerals, result).normalised_errors
    assert (error < 0.05).all()
    assert error.sum() <= 1.1 * _compared(two_minerals, free).normalised_errors.sum()


def test_known_maps_leave_the_spectra_to_find(two_minerals):
    maps = _true_maps(two_minerals)
    result = two_minerals.physics_nmf(2, fixed_abundances=maps, **QUIET)
    np.testing.assert_allclose(result.abundances.data, maps, atol=1e-6)
    assert _compared(two_minerals, result).atomic_percent_deviation < 0.8


def test_maps_of_a_result_are_known_maps(two_minerals):
    """Those that are NaN, where nothing was counted, too."""
    two_minerals.data[5, 2] = 0
    first = two_minerals.physics_nmf(2, mass_thickness="free", **QUIET)
    second = two_minerals.physics_nmf(2, fixed_abundances=first.abundances, **QUIET)
    np.testing.assert_allclose(
        second.abundances.data, first.abundances.data, atol=1e-6, equal_nan=True
    )


# --- thickness -----------------------------------------------------------------


@pytest.fixture(scope="module")
def wedge():
    """Six times thicker at its end than at its beginning."""
    thickness = np.tile(np.linspace(0.3, 1.8, 19), (14, 1))
    return hspy_ml.simulate(
        {"silicate": "MgSiO3", "oxide": "Mg0.8Fe0.2O"},
        counts_per_pixel=300,
        thickness=thickness,
        n_channels=400,
        channel_width_keV=0.02,
        largest_share=1.0,
        random_state=4,
    )


@pytest.mark.parametrize("option", ["auto", "free"])
def test_the_thickness_of_a_wedge_is_found(wedge, option):
    result = wedge.physics_nmf(2, mass_thickness=option, **QUIET)
    assert result.settings["mass_thickness"] == "free"
    found = result.factorization.pixel_scale.reshape(14, 19)
    truth = SimulationTruth.from_signal(wedge).thickness
    chance = 1 / np.sqrt(300 * truth)
    assert (np.abs(found / found.mean() / truth - 1) < 5 * chance).all()
    assert _compared(wedge, result).atomic_percent_deviation < 0.8


@pytest.mark.parametrize("option", ["auto", "constant"])
def test_a_flat_film_has_one_thickness(two_minerals, option):
    result = two_minerals.physics_nmf(2, mass_thickness=option, **QUIET)
    assert result.settings["mass_thickness"] == "constant"
    assert (result.factorization.pixel_scale == 1).all()


def test_known_maps_of_a_wedge():
    """Thickness is found with the spectra; they are wrong if it is ignored."""
    oxide = np.tile(np.linspace(0, 1, 19), (14, 1))
    s = hspy_ml.simulate(
        {"silicate": "MgSiO3", "oxide": "Mg0.8Fe0.2O"},
        counts_per_pixel=300,
        abundances=np.stack([1 - oxide, oxide], axis=-1),
        thickness=0.3 + 1.5 * oxide,
        n_channels=400,
        channel_width_keV=0.02,
        random_state=4,
    )
    options = {"fixed_abundances": _true_maps(s), **QUIET}
    result = s.physics_nmf(2, **options)
    assert result.settings["mass_thickness"] == "free"
    assert _compared(s, result).atomic_percent_deviation < 0.4
    flat = s.physics_nmf(2, mass_thickness="constant", **options)
    assert _compared(s, flat).atomic_percent_deviation > 2


# --- algorithms ----------------------------------------------------------------


@pytest.mark.parametrize("thickness", ["constant", "free"])
@pytest.mark.parametrize(
    "penalties", [{}, {"smoothness": 3.0}, {"smoothness": 3.0, "sparsity": 0.2}]
)
def test_the_penalised_loss_never_rises(two_minerals, corner, thickness, penalties):
    result = two_minerals.physics_nmf(
        2,
        algorithm="likelihood",
        mass_thickness=thickness,
        navigation_mask=corner,
        **penalties,
        **QUIET,
    )
    assert (np.diff(result.loss) <= 1e-12).all()
    assert result.settings["smoothness"] == penalties.get("smoothness", 0)
    assert _compared(two_minerals, result).atomic_percent_deviation < 3


def test_smoothness_makes_maps_smoother(two_minerals):
    def roughness(strength):
        maps = two_minerals.physics_nmf(
            2, algorithm="likelihood", smoothness=strength, **QUIET
        ).abundances.data
        return sum((np.diff(maps, axis=axis) ** 2).sum() for axis in (1, 2))

    assert roughness(10.0) < roughness(1.0) < roughness(0.0)


def test_the_number_of_phases_is_found(two_minerals):
    result = two_minerals.physics_nmf("auto", **QUIET)
    assert result.n_phases == 2


def test_few_iterations_are_not_enough(two_minerals):
    assert not two_minerals.physics_nmf(
        2, max_iterations=3, **QUIET
    ).factorization.converged
    assert two_minerals.physics_nmf(2, **QUIET).factorization.converged


def test_threads_do_not_change_the_numbers(two_minerals):
    one, two = (two_minerals.physics_nmf(2, num_workers=n, **QUIET) for n in (1, 2))
    np.testing.assert_array_equal(one.abundances.data, two.abundances.data)


# --- progress and Ctrl-C ---------------------------------------------------------


@pytest.mark.parametrize("preference", [True, False])
@pytest.mark.parametrize("asked", [True, False, None])
def test_the_progress_bar_follows_the_preferences(
    two_minerals, monkeypatch, capsys, preference, asked
):
    monkeypatch.setattr(
        hs.preferences.General, "show_progressbar", preference, raising=True
    )
    two_minerals.sum().physics_nmf(1, show_progressbar=asked)
    captured = capsys.readouterr()
    shown = preference if asked is None else asked
    assert ("physics_nmf" in captured.err + captured.out) is shown


class _Bar:
    """A progress bar during which Ctrl-C is pressed, or that only keeps records."""

    def __init__(self, at=None):
        self.at, self.passes = at, []

    @contextmanager
    def __call__(self, show_progressbar):
        yield self.update

    def update(self, n_passes):
        self.passes.append(n_passes)
        if len(self.passes) == self.at:
            raise KeyboardInterrupt


def _moments(passes):
    """When to interrupt: spectra take three passes at a time, maps one."""
    maps = passes.index(1)
    refinement = len(passes) - passes[::-1].index(1)
    of_spectra = {f"spectra {part}": max(1, int(part * maps)) for part in _PARTS}
    return of_spectra | {"maps": maps + 20, "refinement": refinement + 2}


_PARTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.mark.parametrize(
    "moment",
    [
        *(f"spectra {part}" for part in _PARTS),
        "maps",
        "refinement",
    ],
)
def test_an_interrupt_gives_the_last_good_state(two_minerals, monkeypatch, moment):
    options = {"algorithm": "likelihood", "smoothness": 1.0, "random_state": 3}
    record = _Bar()
    monkeypatch.setattr(method, "progress_bar", record)
    two_minerals.physics_nmf(2, **options)
    bar = _Bar(_moments(record.passes)[moment])
    monkeypatch.setattr(method, "progress_bar", bar)
    try:
        result = two_minerals.physics_nmf(2, **options)
    except KeyboardInterrupt:  # which would end all tests
        pytest.fail("Ctrl-C was not caught")
    assert bar.at <= len(bar.passes) < len(record.passes)
    assert result.settings["interrupted"]
    np.testing.assert_allclose(result.abundances.data.sum(axis=0), 1)
    assert np.isfinite(result.spectra.data).all()
    assert two_minerals.learning_results.output_dimension == 2


def test_an_interrupt_while_spectra_are_fitted_to_maps(two_minerals, monkeypatch):
    monkeypatch.setattr(method, "progress_bar", _Bar(2))
    maps = _true_maps(two_minerals)
    result = two_minerals.physics_nmf(2, fixed_abundances=maps)
    assert result.settings["interrupted"]
    assert np.isfinite(result.spectra.data).all()
