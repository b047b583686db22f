# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes of more kinds: what phases fill, how wide boundaries are, where they run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from hspy_ml.simulation.core_shell import core_shell_abundances
from hspy_ml.simulation.gradients import gradient_abundances
from hspy_ml.simulation.interfaces import seen_by_probe, shares_of_labels
from hspy_ml.simulation.lamellae import lamella_abundances
from hspy_ml.simulation.polycrystals import polycrystal_abundances
from hspy_ml.simulation.precipitates import (
    draw_precipitates,
    precipitate_abundances,
)
from hspy_ml.simulation.scene_kinds import SCENES, draw_abundances


@given(
    scene=st.sampled_from(list(SCENES)),
    n_rows=st.integers(1, 30),
    n_columns=st.integers(1, 30),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_abundances_sum_to_one(scene, n_rows, n_columns, seed):
    maps = draw_abundances(scene, (n_rows, n_columns), 3, seed)
    assert maps.shape == (n_rows, n_columns, 3)
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.sum(axis=2), 1, atol=1e-12)


@pytest.mark.parametrize("scene", [name for name in SCENES if name != "gradient"])
def test_scenes_repeat_with_the_random_state_only(scene):
    first, again, other = (draw_abundances(scene, (25, 31), 3, s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize("scene", ["grains", "core-shell", "precipitates"])
def test_inclusions_leave_the_matrix_its_share(scene):
    maps = draw_abundances(scene, (40, 50), 3, 1, {"largest_share": 0.3})
    assert 0.7 - 1e-12 <= maps[..., 0].min() < 0.85


def test_a_probe_smears_a_boundary_to_a_normal_distribution():
    """A straight boundary between pixels, and a probe of 4 pixels."""
    labels = np.zeros((9, 3 * 40), int)
    labels[:, 60:] = 1
    share = shares_of_labels(labels, 2, 4.0)[1, :, 1]
    sigma = 4.0 / np.sqrt(8 * np.log(2))
    np.testing.assert_allclose(share, ndtr((np.arange(40) - 19.5) / sigma), atol=5e-3)


def test_a_point_probe_sees_the_areas():
    labels = np.zeros((3, 9), int)
    labels[:2, 3:6] = 1  # two thirds of the middle pixel
    share = shares_of_labels(labels, 2, 0.0)[0, :, 1]
    np.testing.assert_allclose(share, [0, 2 / 3, 0])


def test_a_probe_keeps_what_there_is():
    maps = np.zeros((21, 25, 2))
    maps[10, 12, 1] = 1
    maps[..., 0] = 1 - maps[..., 1]
    assert seen_by_probe(maps, 3.0)[..., 1].sum() == pytest.approx(1, rel=1e-3)


def test_grains_of_a_polycrystal_are_pure_and_fill_what_was_asked():
    wanted = np.array([0.5, 0.3, 0.2])
    maps = polycrystal_abundances(
        (120, 150), 3, 0, grain_diameter=10.0, volume_fractions=5 * wanted
    )
    assert np.abs(maps.mean(axis=(0, 1)) - wanted).max() < 0.01
    assert (maps.max(axis=2) > 0.99).mean() > 0.5


def test_grains_have_the_diameter_asked_for():
    """Connected areas of ten phases, hardly any of which touch a like one."""
    from scipy.ndimage import label

    maps = polycrystal_abundances((150, 160), 40, 3, grain_diameter=20.0, probe_width=0)
    phase = maps.argmax(axis=2)
    n_grains = sum(label(phase == k)[1] for k in range(40))
    inside = 150 * 160 / (np.pi * 10**2)
    border = 2 * (150 + 160) / 20.0  # those that the border cuts count as well
    assert inside < n_grains < 1.2 * (inside + border)


def test_a_core_is_the_cube_of_its_radius():
    """Without overlap; a few large particles, all of them inside the image."""
    maps = core_shell_abundances(
        (400, 420), 3, 2, radii=(25, 35), core_radius=0.7, coverage=0.1, probe_width=0
    )
    core, shell = maps[..., 1].sum(), maps[..., 2].sum()
    assert core / (core + shell) == pytest.approx(0.7**3, rel=0.01)
    rim = (maps[..., 2] > 0.05) & (maps[..., 1] == 0)
    assert rim.sum() > 100  # where the core does not reach


def test_a_diffusion_couple_has_the_width_asked_for():
    maps = gradient_abundances((5, 200), 2, width=30.0)
    profile = maps[2, :, 1]
    assert np.all(np.diff(profile) >= 0)
    tenth, ninetieth = np.interp([0.1, 0.9], profile, np.arange(200))
    assert ninetieth - tenth == pytest.approx(30.0, rel=1e-3)
    assert (tenth + ninetieth) / 2 == pytest.approx(99.5)


def test_a_gradient_runs_where_it_is_turned():
    maps = gradient_abundances((40, 60), 3, orientation=90.0)
    assert np.ptp(maps, axis=1).max() < 1e-12  # the same along the rows
    assert maps[0, 0, 0] > 0.99 and maps[-1, 0, 2] > 0.99
    assert maps[20, 0, 1] > 0.9


def test_lamellae_repeat_with_their_period_across_their_direction():
    maps = lamella_abundances(
        (128, 128), 2, 0, period=16.0, orientation=30.0, waviness=0.0
    )
    power = np.abs(np.fft.rfft2(maps[..., 1] - maps[..., 1].mean())) ** 2
    row, column = np.unravel_index(power.argmax(), power.shape)
    frequency = np.array([(row + 64) % 128 - 64, column]) / 128
    assert 1 / np.hypot(*frequency) == pytest.approx(16.0, rel=0.1)
    across = np.degrees(np.arctan2(*frequency)) % 180
    assert across == pytest.approx(120.0, abs=8)


def test_lamellae_fill_what_was_asked_and_waves_bend_them():
    fractions = [0.6, 0.25, 0.15]
    maps = lamella_abundances((150, 170), 3, 1, volume_fractions=fractions)
    assert np.abs(maps.mean(axis=(0, 1)) - fractions).max() < 0.03
    straight = lamella_abundances((80, 90), 2, 1, orientation=0.0, waviness=0.0)
    wavy = lamella_abundances((80, 90), 2, 1, orientation=0.0, waviness=0.3)
    assert np.ptp(straight, axis=1).max() < 1e-12
    assert np.ptp(wavy, axis=1).max() > 0.9


def test_precipitates_fill_their_volume_fraction():
    """Few enough not to overlap; about 500 of each phase, so to 10 %."""
    maps = precipitate_abundances(
        (300, 310), 3, 0, volume_fraction=0.03, aspect_ratio=4.0
    )
    for share in maps[..., 1:].mean(axis=(0, 1)):
        assert share == pytest.approx(0.03, rel=0.15)


def test_needles_lie_along_their_variants():
    needles = draw_precipitates(
        (100, 110), 2, 0, aspect_ratio=15.0, n_variants=3, orientation=10.0
    )
    assert {n.orientation for n in needles} == {10.0, 70.0, 130.0}
    assert all(n.length == pytest.approx(15 * n.width) for n in needles)
    maps = precipitate_abundances((60, 70), 2, 0, aspect_ratio=15.0, n_variants=1)
    share = maps[..., 1] - maps[..., 1].mean()
    along, across = ((share * np.roll(share, 3, axis)).sum() for axis in (1, 0))
    assert along > 3 * abs(across)


def test_what_is_no_scene_is_named():
    with pytest.raises(ValueError, match="`scene` is 'foam'.*voronoi"):
        draw_abundances("foam", (5, 6), 2)
    with pytest.raises(ValueError, match="`perod` is no option.*period"):
        draw_abundances("lamellae", (5, 6), 2, options={"perod": 3})


@pytest.mark.parametrize(
    ("scene", "options"),
    [
        ("voronoi", {"grain_diameter": 0}),
        ("voronoi", {"volume_fractions": [1, 2]}),
        ("voronoi", {"volume_fractions": [1, 2, -1]}),
        ("voronoi", {"probe_width": -1}),
        ("core-shell", {"core_radius": 1}),
        ("core-shell", {"largest_share": 0}),
        ("core-shell", {"radii": (5, 3)}),
        ("gradient", {"width": 0}),
        ("precipitates", {"volume_fraction": 0}),
        ("precipitates", {"lengths": (0, 4)}),
        ("precipitates", {"aspect_ratio": 0.5}),
        ("precipitates", {"n_variants": 0}),
        ("precipitates", {"largest_share": 1.5}),
        ("lamellae", {"period": np.nan}),
        ("lamellae", {"waviness": -1}),
        ("lamellae", {"volume_fractions": [0, 0, 0]}),
    ],
)
def test_impossible_options_are_named(scene, options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}`"):
        draw_abundances(scene, (5, 6), 3, options=options)


@pytest.mark.parametrize(("scene", "n"), [("core-shell", 2), ("precipitates", 1)])
def test_too_few_phases_are_refused(scene, n):
    with pytest.raises(ValueError, match="`phases`"):
        draw_abundances(scene, (5, 6), n)
