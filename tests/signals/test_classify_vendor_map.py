# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases of a measured map: minerals of 20,000 counts a pixel, labelled by patches."""

import warnings

import hyperspy.api as hs
import numpy as np
import pytest

FILE = "vendor/bruker/30x30_instructively_packed_16bit_compressed.bcf"
PATCHES = {  # from x, y to x, y within grains
    "silicate": ((2, 18), (20, 26)),
    "Ti-Fe oxide": ((9, 0), (20, 3)),
    "titanite": ((1, 8), (12, 10)),
    "apatite": ((0, 14), (5, 16)),
}


@pytest.fixture(scope="module")
def minerals(shared_data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = hs.load(shared_data / FILE, select_type="spectrum_image")
    return found[0] if isinstance(found, list) else found


def pixels_of(patch):
    (x_0, y_0), (x_1, y_1) = patch
    return [(x, y) for x in range(x_0, x_1) for y in range(y_0, y_1)]


def test_half_of_the_labelled_pixels_tell_the_other_half(minerals):
    """Also whether they are known: spots of a mineral scatter, and teach how far."""
    known = {name: pixels_of(patch) for name, patch in PATCHES.items()}
    taught = {n: [p for p in ps if sum(p) % 2 == 0] for n, ps in known.items()}
    result = minerals.classify_phases(labels=taught)
    for label, (name, pixels) in enumerate(known.items(), start=1):
        columns, rows = np.array([p for p in pixels if sum(p) % 2]).T
        assert (result.likeliest.data[rows, columns] == label).mean() > 0.9, name
        assert (result.labels.data[rows, columns] == label).mean() > 0.7, name
    assert 0.05 < result.unknown.data.mean() < 0.5  # quartz, and boundaries
