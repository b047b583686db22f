# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals to test on, and where the shared data lie."""

from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def make_eds(
    map_shape=(3, 5),
    n_channels=64,
    *,
    units="keV",
    scale=0.16,
    offset=-0.2,
    signal_type="EDS_TEM",
    elements=("Fe", "O"),
    dtype="uint16",
    beam_energy=200.0,
):
    """Return a signal of Poisson counts with metadata; `scale` is in keV."""
    import exspy

    rng = np.random.default_rng(11)
    data = rng.poisson(2.0, (*map_shape, n_channels)).astype(dtype)
    classes = {
        "EDS_TEM": exspy.signals.EDSTEMSpectrum,
        "EDS_SEM": exspy.signals.EDSSEMSpectrum,
    }
    s = classes[signal_type](data)
    axis = s.axes_manager[-1]
    factor = 1000 if units == "eV" else 1
    axis.scale, axis.offset, axis.units = scale * factor, offset * factor, units
    axis.name = "Energy"
    if beam_energy is not None:
        s.set_microscope_parameters(beam_energy=beam_energy)
    if elements:
        s.set_elements(list(elements))
    return s


@pytest.fixture
def eds():
    """A factory of EDS signals."""
    return make_eds


@pytest.fixture(scope="session")
def shared_data():
    """The folder of shared data files, or a skip where it is missing."""
    if not (SHARED / "index.csv").exists():
        pytest.skip("the shared data files are not here")
    return SHARED
