# SPDX-License-Identifier: GPL-3.0-or-later
"""Wherever exspy's signals come from, they have the methods.

Each situation runs in its own process, with our entry points seen before and after
exspy's, with the exspy that is installed and with it laid out as 0.4 will be. By
default half of these four are run for each situation, such that both orders and
both layouts are; the other half is slow.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("situations.py")
LAYOUTS = ("installed", "privatised")
LIGHT = {
    "hspy_ml",
    "hspy_ml.registration",
    "hspy_ml.signals",
    "hspy_ml.signals.deconvolution_methods",
    "hspy_ml.signals.methods",
    "hspy_ml.signals.phase_methods",
}
OUR_TRACES = ("hspy_ml", "more than one kind of signal")


def _situations() -> list[str]:
    """The names in ``SITUATIONS``, read without importing the module."""
    for node in ast.parse(SOURCE.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "SITUATIONS":
            return [name.id for name in node.value.generators[0].iter.elts]
    raise AssertionError("no SITUATIONS")


def _cases() -> list:
    return [
        pytest.param(
            *(name, layout, ours_first),
            id=f"{name}-{layout}-{'ours' if ours_first else 'exspy'}_first",
            marks=[pytest.mark.slow] if (number + row + ours_first) % 2 else [],
        )
        for number, name in enumerate(_situations())
        for row, layout in enumerate(LAYOUTS)
        for ours_first in (False, True)
    ]


@pytest.mark.parametrize(("name", "layout", "ours_first"), _cases())
def test_methods_are_there(
    run: Callable, sites: dict[str, Path], name: str, layout: str, ours_first: bool
) -> None:
    pair = ("hspy_ml", layout) if ours_first else (layout, "hspy_ml")
    found = run(name, (*pair, "gui"))
    points = found["entry_points"]
    assert points.count("exspy") == points.count("hspy_ml.registration") == 1
    assert (points.index("hspy_ml.registration") < points.index("exspy")) == ours_first
    assert (points.index("hspy_ml") < points.index("exspy")) == ours_first
    assert_light_and_silent(found)
    if layout == "privatised" and found["exspy"]:
        assert Path(found["exspy"]).is_relative_to(sites["privatised"])


def assert_light_and_silent(found: dict) -> None:
    loaded = set(found["modules"])
    assert {name for name in loaded if name.split(".")[0] == "hspy_ml"} == LIGHT
    assert not loaded & {"torch", "xraylib", "safetensors"}
    traces = [w for w in found["warnings"] if any(ours in w for ours in OUR_TRACES)]
    assert traces == []


def test_registration_adds_nothing_to_what_hyperspy_loads_and_says(
    run: Callable,
) -> None:
    without = run("loads_without_hspy_ml", ("without_hspy_ml", "installed", "gui"))
    ours = run("loads_tem", ("hspy_ml", "installed", "gui"))
    added = set(ours["modules"]) - set(without["modules"])
    assert {name for name in added if not name.startswith("hspy_ml")} <= {
        "importlib.readers",
        "importlib.resources._adapters",
    }
    assert ours["warnings"] == without["warnings"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_importing_the_package_attaches_where_its_entry_points_are_missing(
    run: Callable, layout: str
) -> None:
    found = run("hspy_ml_after_exspy", ("without_hspy_ml", layout))
    assert "hspy_ml.registration" not in found["entry_points"]
    assert_light_and_silent(found)
