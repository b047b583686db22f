# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses: normalised, highest in the middle, as wide as they should be."""

import numpy as np
import pytest

from hspy_ml.simulation.zero_loss_shapes import FAMILIES, random_responses


def widths(responses):
    """Full width at half maximum, by interpolation."""
    found = []
    for row in responses / responses.max(axis=1, keepdims=True):
        first, last = np.flatnonzero(row >= 0.5)[[0, -1]]
        left = first - (row[first] - 0.5) / (row[first] - row[first - 1])
        right = last + (row[last] - 0.5) / (row[last] - row[last + 1])
        found.append(right - left)
    return np.array(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_responses_of_a_family(family):
    responses = random_responses(family, 40, 512, random_state=2)
    assert responses.shape == (40, 1025)
    assert (responses >= 0).all()
    assert np.allclose(responses.sum(axis=1), 1, rtol=1e-12)
    assert (responses.argmax(axis=1) == 512).all()
    low, high = FAMILIES[family][1]
    # the top of a peak of 8 channels is sampled to 1 % of its height
    assert (widths(responses) > 0.97 * low).all()
    assert (widths(responses) < 1.03 * high).all()
    again = random_responses(family, 40, 512, random_state=2)
    assert np.array_equal(responses, again)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_top_is_in_the_middle_of_the_middle_channel(family):
    responses = random_responses(family, 40, 256, fwhm=(20, 20), random_state=0)
    left, top, right = responses[:, 255], responses[:, 256], responses[:, 257]
    offset = 0.5 * (left - right) / (left - 2 * top + right)
    # Halves of widths w (1 - a) and w (1 + a): a parabola through three channels has
    # its vertex at a / (1 + a^2) although the highest point is at 0; a is up to 0.25.
    assert np.abs(offset).max() < 0.25


def test_a_width_can_be_asked_for():
    responses = random_responses("family", 20, 256, fwhm=(12.0, 12.0), random_state=1)
    assert widths(responses) == pytest.approx(np.full(20, 12.0), rel=0.02)


def test_one_sided_tails_are_on_either_side():
    responses = random_responses("one-sided", 40, 256, random_state=0)
    left, right = responses[:, :200].sum(axis=1), responses[:, 313:].sum(axis=1)
    heavier = np.maximum(left, right) / np.maximum(np.minimum(left, right), 1e-12)
    assert (left > right).any() and (left < right).any()
    assert np.median(heavier) > 10


@pytest.mark.parametrize(
    ("options", "named"),
    [({"family": "voigt"}, "family"), ({"family": "family", "fwhm": (9, 5)}, "fwhm")],
)
def test_bad_input(options, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        random_responses(n_responses=2, **options)
