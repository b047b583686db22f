# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of the detector's response at the target resolution."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xray_peaks import acquisition, lines

from hspy_ml.deconvolution.xray_response import XrayResponse

CENTRES = [0.277, 1.74, 5.899, 8.046]


@pytest.mark.parametrize(("channel", "limit"), [(0.005, 0.005), (0.01, 0.005)])
@pytest.mark.parametrize("resolution_eV", [120.0, 150.0])
def test_narrow_lines_become_those_of_the_detector(channel, limit, resolution_eV):
    """Gaussians fold into Gaussians; 0.5 % for widths that change along a line."""
    acq = acquisition(int(9 / channel), channel, resolution_eV)
    response = XrayResponse.of_detector(acq)
    areas = [1.0, 2.0, 1.0, 0.5]
    narrow = lines(acq, CENTRES, areas, narrow=response)
    found = response.forward(narrow[None])[0]
    wanted = lines(acq, CENTRES, areas)
    assert np.linalg.norm(found - wanted) < limit * np.linalg.norm(wanted)


def test_widths():
    acq = acquisition()
    response = XrayResponse.of_detector(acq)
    at_mn = int(np.rint(5.8987 / 0.01))
    np.testing.assert_allclose(response.fwhm[at_mn], 13.0, rtol=1e-3)
    np.testing.assert_allclose(response.target_fwhm[at_mn], 13.0 / 2.5, rtol=1e-3)
    assert response.target_fwhm.min() == 2.0
    wider = XrayResponse.of_detector(acq, target_width_eV=100.0)
    np.testing.assert_allclose(wider.target_fwhm[at_mn], 10.0, rtol=1e-3)


@given(seed=st.integers(0, 2**31), first=st.sampled_from([-0.2, 0.0, 1.0]))
@settings(max_examples=15, deadline=None)
def test_forward_keeps_counts_and_backward_is_its_transpose(seed, first):
    rng = np.random.default_rng(seed)
    response = XrayResponse.of_detector(acquisition(96, 0.02, first=first))
    scenes, ratios = rng.gamma(0.3, size=(2, 3, 96))
    forward, backward = response.forward(scenes), response.backward(ratios)
    np.testing.assert_allclose(forward.sum(axis=1), scenes.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(
        (forward * ratios).sum(axis=1), (scenes * backward).sum(axis=1), rtol=1e-6
    )
    np.testing.assert_allclose(response.backward(np.ones((1, 96))), 1.0, rtol=1e-6)
    assert forward.min() >= 0


def _changed(**changes):
    return replace(acquisition(), **changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"acquisition": _changed(detector=None)}, "`detector` is not given"),
        ({"acquisition": _changed(technique="EELS")}, "is of EELS"),
        ({"acquisition": _changed(energy=np.arange(50) / 100)}, "50 channels"),
        ({"acquisition": _changed(energy=np.geomspace(1, 9, 99))}, "not uniform"),
        ({"acquisition": _changed(energy=np.arange(200.0, 0, -1))}, "not uniform"),
        ({"acquisition": acquisition(100, 0.1)}, "nothing to sharpen"),
        ({"acquisition": acquisition(), "target_width_eV": 130.0}, "below that of"),
        ({"acquisition": acquisition(), "target_width_eV": -1.0}, "above 0"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        XrayResponse.of_detector(**arguments)
