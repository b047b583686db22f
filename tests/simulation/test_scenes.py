# SPDX-License-Identifier: GPL-3.0-or-later
"""Grains in a matrix, and how thick the film is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.simulation.film import relative_thickness, wedge, with_holes
from hspy_ml.simulation.scenes import (
    Grain,
    check_abundances,
    draw_grains,
    grain_abundances,
    half_chord,
)


@given(
    n_rows=st.integers(1, 40),
    n_columns=st.integers(1, 40),
    n_phases=st.integers(1, 5),
    largest_share=st.floats(0.05, 1),
    coverage=st.floats(0, 3),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_abundances_sum_to_one_and_the_matrix_keeps_its_share(
    n_rows, n_columns, n_phases, largest_share, coverage, seed
):
    maps = grain_abundances(
        (n_rows, n_columns),
        n_phases,
        seed,
        largest_share=largest_share,
        coverage=coverage,
    )
    assert maps.shape == (n_rows, n_columns, n_phases)
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.sum(axis=2), 1, atol=1e-12)
    assert maps[..., 0].min() >= 1 - largest_share - 1e-12


def test_a_grain_seen_through_has_the_volume_of_a_sphere():
    grain = Grain(1, y=20.3, x=24.8, radius=15.0)
    volume = 2 * half_chord(grain, (41, 50)).sum()
    assert volume == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.01)


def test_no_grain_is_larger_or_fills_more_than_asked():
    maps = grain_abundances(
        (60, 70), 2, 4, largest_share=0.4, radii=(3, 8), coverage=0.1
    )
    assert 0.2 < maps[..., 1].max() <= 0.4
    grains = draw_grains((60, 70), 3, 4, radii=(3, 8))
    assert all(3 <= grain.radius <= 8 for grain in grains)
    assert {grain.phase for grain in grains} == {1, 2}


def test_coverage_is_the_area_of_the_grains():
    grains = draw_grains((300, 400), 2, 0, radii=(2, 4), coverage=0.25)
    area = sum(np.pi * grain.radius**2 for grain in grains)
    # About 900 grains whose areas scatter by a third: 1 % of the sum.
    assert area / (300 * 400) == pytest.approx(0.25, rel=0.05)


def test_scenes_repeat_with_the_random_state_only():
    first, again, other = (grain_abundances((20, 30), 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("shape", {"shape": (4,)}),
        ("shape", {"shape": (4, 0)}),
        ("shape", {"shape": (4, 5.5)}),
        ("n_phases", {"n_phases": 0}),
        ("largest_share", {"largest_share": 0}),
        ("largest_share", {"largest_share": 1.1}),
        ("radii", {"radii": (3, 2)}),
        ("coverage", {"coverage": -0.1}),
    ],
)
def test_senseless_scenes_are_refused(name, arguments):
    with pytest.raises(ValueError, match=f"`{name}`"):
        grain_abundances(**{"shape": (4, 5), "n_phases": 2} | arguments)


def test_given_abundances_are_checked_and_copied():
    given = np.full((2, 3, 4), 0.25)
    checked = check_abundances(given, 4)
    np.testing.assert_array_equal(checked, given)
    assert not np.shares_memory(checked, given)
    with pytest.raises(ValueError, match=r"\(rows, columns, 3\)"):
        check_abundances(given, 3)
    for wrong in (2 * given, np.where(given == given[0, 0, 0], np.nan, 0)):
        with pytest.raises(ValueError, match="sum to one"):
            check_abundances(wrong, 4)
    given[0, 0] = [1.5, -0.5, 0, 0]
    with pytest.raises(ValueError, match="not be negative"):
        check_abundances(given, 4)


def test_a_wedge_rises_along_the_rows():
    film = wedge((3, 11), thinnest=0.2)
    assert film.shape == (3, 11)
    np.testing.assert_allclose(np.diff(film, axis=1), 0.08)
    assert film[0, 0] == 0.2 and film[2, 10] == 1
    with pytest.raises(ValueError, match="`thinnest`"):
        wedge((3, 11), 1.5)


def test_holes_are_empty_and_the_film_around_them_is_kept():
    film = wedge((40, 50), 0.5)
    pierced = with_holes(film, n_holes=2, radius=4, random_state=1)
    hole = pierced == 0
    assert 0.3 * np.pi * 16 < hole.sum() < 2.2 * np.pi * 16
    np.testing.assert_array_equal(pierced[~hole], film[~hole])
    assert film.min() > 0


def test_thickness_is_relative_to_its_mean():
    film = relative_thickness(np.array([[1.0, 3.0, 0.0], [2.0, 2.0, 4.0]]), (2, 3))
    assert film.mean() == pytest.approx(1)
    assert film[0, 1] == pytest.approx(1.5)
    assert (relative_thickness(None, (2, 3)) == 1).all()


@pytest.mark.parametrize(
    "thickness",
    [np.ones((3, 2)), -np.ones((2, 3)), np.zeros((2, 3)), np.full((2, 3), np.nan)],
)
def test_impossible_thickness_is_refused(thickness):
    with pytest.raises(ValueError, match="`thickness`"):
        relative_thickness(thickness, (2, 3))


def test_rounding_leaves_no_negative_shares():
    """Grains that fill a pixel to 1 + 2e-16 once left the matrix less than nothing."""
    for seed in range(12):
        assert grain_abundances((21, 26), 3, seed, largest_share=1.0).min() >= 0
