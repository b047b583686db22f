# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements come from the user or the metadata, each a known symbol, once."""

import pytest

from hspy_ml.signals.elements import elements_from_signal


def test_the_user_comes_before_the_metadata(eds):
    s = eds(elements=("Fe", "O"))
    assert elements_from_signal(s) == ("Fe", "O")
    assert elements_from_signal(s, ["Pt", "Al"]) == ("Pt", "Al")


def test_xray_lines_stand_in_for_elements(eds):
    s = eds(elements=None)
    s.metadata.set_item("Sample.xray_lines", ["Fe_Ka", "Fe_La", "Cu_Ka"])
    assert elements_from_signal(s) == ("Fe", "Cu")


def test_a_set_is_sorted_and_a_bare_string_is_one_element(eds):
    s = eds(elements=None)
    s.metadata.set_item("Sample.elements", {"Ti", "Ba", "O"})
    assert elements_from_signal(s) == ("Ba", "O", "Ti")
    s.metadata.Sample.elements = "Ti"
    assert elements_from_signal(s) == ("Ti",)


@pytest.mark.parametrize("elements", [None, []])
def test_no_elements_says_how_to_give_them(eds, elements):
    with pytest.raises(ValueError, match="elements"):
        elements_from_signal(eds(elements=None), elements)
    s = eds(elements=None)
    s.metadata.set_item("Sample.elements", [])
    with pytest.raises(ValueError, match=r"s\.set_elements\(\['Fe'"):
        elements_from_signal(s)


@pytest.mark.parametrize(
    ("elements", "error", "message"),
    [
        (["Fe", "Xx"], ValueError, "'Xx'"),
        (["fe"], ValueError, "'fe'"),
        (["Fe_Ka"], ValueError, "'Fe_Ka'"),
        (["Fe", "O", "Fe"], ValueError, "Fe more than once"),
        ("Fe", TypeError, r"elements=\['Fe', 'O'\]"),
        ([26], TypeError, "26"),
    ],
)
def test_bad_elements_are_named(eds, elements, error, message):
    with pytest.raises(error, match=message):
        elements_from_signal(eds(), elements)
