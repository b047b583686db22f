# SPDX-License-Identifier: GPL-3.0-or-later
"""Which edge stands for which element, and from where to where is fitted."""

import warnings

import numpy as np
import pytest

from hspy_ml.physics.eels_window import (
    checked_window,
    choose_edges,
    default_window,
    edges_inside,
)


def names(elements, low, high):
    return [edge.name for edge in choose_edges(elements, low, high).values()]


@pytest.mark.parametrize(
    ("elements", "axis", "expected"),
    [
        (["La", "Mn", "Ti", "O"], (395, 906), ["La M", "Mn L", "Ti L", "O K"]),
        (["C", "N", "O", "Fe"], (240, 900), ["C K", "N K", "O K", "Fe L"]),
        (["Al"], (50, 1900), ["Al K"]),
        (["Si", "O"], (80, 2400), ["Si K", "O K"]),
        (["Si", "C"], (80, 2400), ["Si L", "C K"]),
        (["Ba"], (60, 1000), ["Ba M"]),
        (["Ba"], (60, 700), ["Ba N"]),
    ],
)
def test_edges_lie_close_to_each_other_and_inner_shells_come_first(
    elements, axis, expected
):
    assert names(elements, *axis) == expected


def test_an_element_without_an_edge_is_named_with_its_edges():
    with pytest.raises(ValueError, match=r"'Sr'.*between 395 and 906.*Sr M 134 eV"):
        choose_edges(["Mn", "Sr"], 395, 906)


def test_an_edge_needs_background_before_and_signal_after_it():
    assert [edge.name for edge in edges_inside("O", 500, 700)] == ["O K"]
    assert edges_inside("O", 530, 700) == []
    assert edges_inside("O", 400, 545) == []


def test_edges_that_coincide_are_told():
    with pytest.warns(UserWarning, match="Co L and Ba M begin at 779 and 781 eV"):
        choose_edges(["Ba", "Co"], 600, 1100)


def test_others_are_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose_edges(["Mn", "Fe", "O"], 400, 1100)


def test_the_window_begins_before_the_first_and_ends_after_the_last_edge():
    edges = list(choose_edges(["O", "Mn"], 200, 2000).values())
    low, high = default_window(edges, np.arange(200.0, 2000.0))
    assert (low, high) == pytest.approx((0.85 * 532, 1.3 * 640))
    low, high = default_window(edges, np.arange(480.0, 700.0))
    assert (low, high) == (480, 699)


def test_a_hundred_ev_are_fitted_at_least():
    edges = list(choose_edges(["B"], 100, 900).values())
    assert default_window(edges, np.arange(100.0, 900.0))[1] == 288


def test_a_window_over_which_no_background_is_one_power_is_told():
    edges = list(choose_edges(["C", "Al"], 200, 2500).values())
    with pytest.warns(UserWarning, match="not one power law.*in groups"):
        default_window(edges, np.arange(200.0, 2500.0))


@pytest.mark.parametrize(
    "window", [(500,), "all", (700, 500), (0, 600), (500, 505), (2000, 3000), 500]
)
def test_a_window_that_makes_no_sense_is_refused(window):
    with pytest.raises(ValueError, match="`fit_window`"):
        checked_window(window, np.arange(400.0, 800.0))
