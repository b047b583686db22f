# SPDX-License-Identifier: GPL-3.0-or-later
"""`physics_nmf` on core-loss EELS."""

import warnings

import hyperspy.api as hs
import numpy as np
import pytest
from eels_scenes import ELEMENTS, PHASES, make_eels, phase_spectra, scene

import hspy_ml

QUIET = {"show_progressbar": False, "random_state": 0}
MANGANESE = np.interp(np.linspace(0, 4, 10), range(5), [1, 1, 0.75, 0.5, 0])


@pytest.fixture(scope="module")
def two_phases():
    return scene(background=1.5)


def _in_order(result):
    """Compositions in the order of ELEMENTS, in at.%, the phase with N first."""
    order = [result.elements.index(element) for element in ELEMENTS]
    percent = np.array([signal.data for signal in result.concentrations])[order].T
    first = int(np.argmax(percent[:, 1]))
    turned = slice(None, None, -1 if first else 1)
    return percent[turned], np.asarray(result.abundances.data)[turned]


@pytest.mark.parametrize("lazy", [False, True])
def test_phases_and_their_compositions_are_found(two_phases, lazy):
    s, share = two_phases
    result = (s.as_lazy() if lazy else s).physics_nmf(2, **QUIET)
    percent, maps = _in_order(result)
    np.testing.assert_allclose(percent, 100 * PHASES, atol=3)
    assert np.sqrt(np.mean((maps[0] - share) ** 2)) < 0.06
    assert result.g_matrix.concentration == "atomic"


def test_the_model_with_its_background_explains_the_counts(two_phases):
    s, _ = two_phases
    result = s.physics_nmf(2, **QUIET)
    n_used = np.count_nonzero(result.g_matrix.matrix.sum(axis=1) > 0)
    deviance = np.asarray(result.pixel_deviance).mean() / n_used
    assert 0.95 < deviance < 1.1
    model = s.get_decomposition_model()
    used = ~np.isnan(model.data).any(axis=(0, 1))
    total, expected = s.data.sum((0, 1))[used], model.data.sum((0, 1))[used]
    reached = result.g_matrix.matrix.sum(axis=1)[used] > 0
    np.testing.assert_allclose(expected[reached], total[reached], rtol=0.03)


def test_the_number_of_phases_is_found(two_phases):
    s, _ = two_phases
    assert len(s.physics_nmf("auto", **QUIET).abundances.data) == 2


def test_the_result_can_be_saved(two_phases, tmp_path):
    s, _ = two_phases
    result = s.physics_nmf(2, **QUIET)
    result.save(tmp_path / "phases.hspy")
    loaded = hspy_ml.load_result(tmp_path / "phases.hspy")
    for one, other in zip(result.concentrations, loaded.concentrations, strict=True):
        np.testing.assert_allclose(one.data, other.data)


@pytest.mark.parametrize("kind", ["composition", "spectrum"])
def test_known_phases_are_kept(two_phases, kind):
    s, share = two_phases
    known = phase_spectra(1.5)
    if kind == "composition":
        known = [dict(zip(ELEMENTS, atoms, strict=True)) for atoms in PHASES]
    result = s.physics_nmf(2, fixed_phases=list(known), **QUIET)
    percent, maps = _in_order(result)
    np.testing.assert_allclose(percent, 100 * PHASES, atol=1.0)
    assert np.sqrt(np.mean((maps[0] - share) ** 2)) < 0.06


def test_known_maps_give_the_compositions(two_phases):
    s, share = two_phases
    maps = np.stack([share, 1 - share])
    percent, _ = _in_order(s.physics_nmf(2, fixed_abundances=maps, **QUIET))
    np.testing.assert_allclose(percent, 100 * PHASES, atol=2)


def test_a_single_spectrum_has_one_phase():
    counts = 3e7 * phase_spectra()[0] / phase_spectra()[0].sum()
    s = make_eels(np.random.default_rng(1).poisson(counts), elements=ELEMENTS)
    percent, _ = _in_order(s.physics_nmf(1, **QUIET))
    np.testing.assert_allclose(percent[0], 100 * PHASES[0], atol=1.5)


def test_masks_are_kept_out(two_phases):
    s, _ = two_phases
    mask = np.zeros((24, 30), bool)
    mask[:2] = True
    signal_mask = np.arange(661) < 20
    result = s.physics_nmf(2, navigation_mask=mask.T, signal_mask=signal_mask, **QUIET)
    assert np.isnan(result.abundances.data[:, :2]).all()
    assert np.isfinite(result.abundances.data[:, 2:]).all()


def test_negative_counts_are_refused_with_the_mend(two_phases):
    s, _ = two_phases
    s = s.deepcopy()
    s.change_dtype("float64")
    s.data[3, 4, 300] = -5
    with pytest.raises(ValueError, match=r"negative values.*data.clip\(0\)"):
        s.physics_nmf(2, **QUIET)


def test_the_background_makes_no_phases(two_phases):
    s, _ = two_phases
    with pytest.raises(ValueError, match="5 is the most"):
        s.physics_nmf(6, **QUIET)


def test_a_spectrum_that_is_all_background_says_so():
    energy = 240.0 + np.arange(661)
    s = make_eels(np.tile(np.rint(1e5 * (energy / 240) ** -3), (3, 4, 1)))
    with pytest.raises(ValueError, match="all background.*Fe"):
        s.physics_nmf(1, elements=["Fe"], **QUIET)


def test_elements_are_needed():
    with pytest.raises(ValueError, match="name no elements"):
        make_eels(np.ones((2, 3, 661))).physics_nmf(1, **QUIET)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_manganese_fraction_of_a_published_simulation(seed):
    """exspy's EELS_MnFe: white lines of Mn and Fe on steps that are no atoms'."""
    import exspy

    s = exspy.data.EELS_MnFe(random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = s.physics_nmf(2, **QUIET)
    maps = np.asarray(result.abundances.data).reshape(2, -1)
    maps = maps[::-1] if maps[0, 0] < 0.5 else maps
    assert np.abs(maps[0] - MANGANESE).max() < 0.03


@pytest.mark.parametrize("with_low_loss", [False, True])
def test_a_measured_interface(shared_data, with_low_loss):
    """La0.7Sr0.3MnO3 on SrTiO3; no edge of Sr is on the axis."""
    folder = shared_data / "vendor" / "hspy"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = hs.load(folder / "LSMO_STO_linescan.hspy")
        low_loss = hs.load(folder / "LSMO_STO_linescan_low_loss.hspy")
        elements = ["La", "Mn", "Ti", "O"]
        g_matrix = hspy_ml.g_matrix(
            s, elements, low_loss=low_loss if with_low_loss else None
        )
        result = s.physics_nmf(2, g_matrix=g_matrix, **QUIET)
    percent = np.array([signal.data for signal in result.concentrations]).T
    film = int(np.argmax(percent[:, 0]))
    np.testing.assert_allclose(percent[film], [14.9, 21.3, 0, 63.8], atol=5)
    np.testing.assert_allclose(percent[1 - film], [0, 0, 25, 75], atol=5)
    share = np.asarray(result.abundances.data).reshape(2, -1)[film]
    assert (share[:3] < 0.05).all()
    assert 0.3 < share[3] < 0.7
    assert (share[4:] > 0.95).all()
    with pytest.raises(ValueError, match="'Sr'.* no edge"):
        hspy_ml.g_matrix(s, [*elements, "Sr"])
