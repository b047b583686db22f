# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of ionisation coefficients holds what was published."""

from collections import Counter

import pytest

from hspy_ml.tables import bote_salvat


def test_731_subshells_of_99_elements():
    shells = Counter(shell for _, shell in bote_salvat())
    assert shells == {
        "K": 99,
        "L1": 89,
        "L2": 88,
        "L3": 88,
        "M1": 80,
        "M2": 77,
        "M3": 76,
        "M4": 67,
        "M5": 67,
    }
    assert {number for number, _ in bote_salvat()} == set(range(1, 100))


def test_edges_fall_from_inner_to_outer_subshells():
    order = ("K", "L1", "L2", "L3", "M1", "M2", "M3", "M4", "M5")
    for number in range(1, 100):
        edges = [
            bote_salvat()[number, s].edge_energy_eV
            for s in order
            if (number, s) in bote_salvat()
        ]
        assert edges == sorted(edges, reverse=True)


def test_table_cannot_be_changed():
    with pytest.raises(TypeError):
        bote_salvat()[26, "K"] = None
