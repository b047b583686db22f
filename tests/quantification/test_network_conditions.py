# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network is for: told in one sentence for each difference."""

import json
from dataclasses import MISSING, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.quantification.network_conditions import (
    NetworkConditions,
    channel_runs,
    instrument_of,
)

ENERGY = np.arange(-0.2, 20.28, 0.01)
MODEL = NetworkConditions(
    **instrument_of(
        Acquisition(ENERGY, "EDS_TEM", 200.0, 22.0, make_detector("polymer", 133.0))
    ),
    elements=("O", "Mg", "Si"),
    unnamed=("C", "Cu"),
    rule={"element": "O", "rule": "stoichiometry", "atoms": {"Mg": 1.0, "Si": 2.0}},
    geometry="film",
    mass_thickness=1e-4,
    used_channels=((30, 150), (160, 1900)),
    channels_per_bin=2,
    counts=(2.0, 2e4),
    columns=("O K", "Mg K", "Si K", "continuum 0", "C", "Cu"),
    measuring=(1, 2),
)

REQUIRED = [
    f.name
    for f in fields(NetworkConditions)
    if f.default is MISSING and f.default_factory is MISSING
]

LOSSES = NetworkConditions(
    **instrument_of(
        Acquisition(
            np.arange(400.0, 912.0, 0.5),
            "EELS",
            300.0,
            convergence_angle_mrad=10.0,
            collection_angle_mrad=20.0,
        )
    ),
    elements=("O", "Fe"),
    unnamed=(),
    rule={},
    geometry="",
    mass_thickness=0.0,
    used_channels=((0, 1000),),
    channels_per_bin=1,
    counts=(1e3, 1e6),
    columns=("O K", "Fe L", "background r=3"),
    measuring=(0, 1),
    low_loss=(0.7, 0.2, 0.1),
)


def with_efficiency(detector):
    other = Acquisition(ENERGY, "EDS_TEM", 200.0, 22.0, make_detector(detector))
    return instrument_of(other)["efficiency"]


def test_the_same_conditions_do_not_differ():
    assert MODEL.differences(MODEL) == []
    assert MODEL.differences(NetworkConditions.from_dict(MODEL.to_dict())) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"technique": "EDS_SEM"}, ["EDS_TEM", "EDS_SEM"]),
        ({"elements": ("O", "Mg")}, ["O, Mg, Si", "O, Mg"]),
        ({"elements": ("O", "Mg", "Al")}, ["elements", "Al"]),
        ({"unnamed": ("C", "Zn")}, ["Zn", "not trained"]),
        ({"rule": {}}, ["O by stoichiometry", "all elements by their lines"]),
        ({"rule": {"element": "Mg", "rule": "difference"}}, ["Mg by difference"]),
        ({"n_channels": 1024}, ["2048", "1024"]),
        ({"energy_offset": -0.196}, ["-4.0", "eV"]),
        ({"channel_width": 0.010005}, ["energy axis", "-5."]),
        ({"used_channels": ((30, 1900),)}, ["channels"]),
        ({"beam_energy_keV": 80.0}, ["200 keV", "80 keV"]),
        ({"take_off_angle": 35.0}, ["take-off angle", "22", "35"]),
        ({"resolution_MnKa_eV": 140.0}, ["133.0", "140.0"]),
        ({"efficiency": with_efficiency("beryllium")}, ["efficiency"]),
        ({"geometry": "bulk"}, ["film", "bulk"]),
        ({"mass_thickness": 2e-4}, ["0.0001", "0.0002"]),
    ],
)
def test_each_difference_is_named(changes, words):
    found = MODEL.differences(replace(MODEL, **changes))
    assert len(found) == 1
    for word in words:
        assert word in found[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"convergence_angle_mrad": 12.0}, ["convergence", "10 mrad", "12 mrad"]),
        ({"collection_angle_mrad": 30.0}, ["collection", "20 mrad", "30 mrad"]),
        ({"low_loss": ()}, ["with a low loss", "without"]),
        ({"low_loss": (0.5, 0.3, 0.2)}, ["another low loss"]),
        ({"energy_offset": 401.0}, ["energy axis", "-1.0"]),
        ({"columns": ("O K", "Fe L", "C K")}, ["C K", "not trained"]),
    ],
)
def test_each_difference_of_core_losses_is_named(changes, words):
    found = LOSSES.differences(replace(LOSSES, **changes))
    assert len(found) == 1
    for word in words:
        assert word in found[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"convergence_angle_mrad": 10.3},
        {"energy_offset": 400.3},
        {"low_loss": (0.69, 0.21, 0.1)},
        {"columns": ("O K", "Fe L")},
    ],
)
def test_what_a_network_for_core_losses_bears(changes):
    assert LOSSES.differences(LOSSES) == []
    assert LOSSES.differences(replace(LOSSES, **changes)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"elements": ("Si", "O", "Mg")},
        {"unnamed": ()},
        {"unnamed": ("C",)},
        {"energy_offset": -0.199},
        {"beam_energy_keV": 200.9},
        {"take_off_angle": 22.9},
        {"resolution_MnKa_eV": 135.0},
        {"mass_thickness": 1.2e-4},
        {"counts": (10.0, 1e3)},
    ],
)
def test_what_a_network_bears_is_no_difference(changes):
    assert MODEL.differences(replace(MODEL, **changes)) == []


def test_all_differences_are_told():
    other = replace(
        MODEL, technique="EDS_SEM", beam_energy_keV=15.0, geometry="bulk", n_channels=99
    )
    assert len(MODEL.differences(other)) == 4


def test_an_element_that_the_model_measures_need_not_be_named():
    """An unnamed one of the signal that the model counts among its elements."""
    signal = replace(MODEL, unnamed=("C", "Si"))
    assert MODEL.differences(signal) == []


def test_a_film_without_absorption_is_not_one_with():
    thin = replace(MODEL, mass_thickness=0.0)
    assert thin.differences(thin) == []
    assert len(thin.differences(MODEL)) == 1
    assert len(MODEL.differences(thin)) == 1


def test_conditions_survive_as_text():
    text = json.dumps(MODEL.to_dict(), allow_nan=False)
    assert NetworkConditions.from_dict(json.loads(text)) == MODEL


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_part_is_named(name):
    values = MODEL.to_dict()
    del values[name]
    with pytest.raises(ValueError, match=f"lack {name}"):
        NetworkConditions.from_dict(values)


@pytest.mark.parametrize(
    "changes",
    [
        {"elements": []},
        {"n_channels": 0},
        {"n_channels": "many"},
        {"channel_width": 0.0},
        {"channel_width": None},
        {"used_channels": []},
        {"used_channels": [[1, 2, 3]]},
        {"used_channels": [[-4, 100]]},
        {"used_channels": [[10, 5000]]},
        {"used_channels": "all"},
        {"beam_energy_keV": "fast"},
        {"energy_offset": {}},
    ],
)
def test_wrong_values_are_refused(changes):
    with pytest.raises(ValueError, match="conditions are wrong"):
        NetworkConditions.from_dict(MODEL.to_dict() | changes)


def test_what_else_a_card_holds_is_left_aside():
    assert NetworkConditions.from_dict(MODEL.to_dict() | {"colour": "red"}) == MODEL


def test_bins_are_those_of_the_runs():
    bins = MODEL.bins
    assert bins.used_channels.size == 2048
    assert bins.channels_per_bin == 2
    assert bins.used_channels.sum() == 120 + 1740
    assert bins.first == 30
    assert not bins.used_channels[150:160].any()


@given(st.lists(st.booleans(), min_size=1, max_size=50).map(np.array))
def test_runs_hold_the_used_channels(used):
    again = np.zeros(used.size, bool)
    runs = channel_runs(used)
    for first, end in runs:
        assert first < end
        assert not again[first:end].any()
        again[first:end] = True
    np.testing.assert_array_equal(again, used)
    assert all(a[1] < b[0] for a, b in zip(runs[:-1], runs[1:], strict=True))


def test_the_instrument_of_an_acquisition():
    acquisition = Acquisition(
        ENERGY, "EDS_SEM", 15.0, 35.0, make_detector("windowless", 127.0)
    )
    found = instrument_of(acquisition)
    assert found["beam_energy_keV"] == 15.0
    assert found["resolution_MnKa_eV"] == 127.0
    assert found["energy_unit"] == "keV"
    assert found["n_channels"] == 2048
    assert found["channel_width"] == pytest.approx(0.01)
    assert all(0 < value <= 1 for value in found["efficiency"])


def test_energy_losses_have_no_detector():
    eels = Acquisition(np.arange(400.0, 900.0), "EELS", 300.0)
    found = instrument_of(eels)
    assert found["energy_unit"] == "eV"
    assert found["efficiency"] == ()
    assert found["resolution_MnKa_eV"] == 0
