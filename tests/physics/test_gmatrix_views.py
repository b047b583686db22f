# SPDX-License-Identifier: GPL-3.0-or-later
"""A G-matrix as a figure and as a signal."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import GMatrix, build_g_matrix
from hspy_ml.physics.specimen import Specimen


def g_matrix(technique="EDS_TEM"):
    energy = np.arange(1000) * 0.02 - 0.1
    detector = make_detector("polymer", 128.0)
    acquisition = Acquisition(energy, technique, 20.0, 25.0, detector)
    return build_g_matrix(acquisition, ["Si", "O"], Specimen({}, "film"))


@pytest.mark.parametrize("technique", ["EDS_TEM", "EDS_SEM"])
def test_signal_has_the_axis_and_what_hyperspy_needs(technique):
    made = g_matrix(technique)
    signal = made.to_signal()
    assert signal.metadata.Signal.signal_type == technique
    assert signal.axes_manager.navigation_shape == (len(made.columns),)
    axis = signal.axes_manager.signal_axes[0]
    assert axis.units == "keV"
    assert np.allclose(axis.axis, made.acquisition.energy)
    assert np.array_equal(signal.data, made.matrix.T)
    assert signal.metadata.Sample.elements == ["O", "Si"]
    assert signal.metadata.General.title == "G-matrix"
    assert signal.metadata.G_matrix.columns == list(made.names)
    microscope = signal.metadata.Acquisition_instrument.get_item(technique[4:])
    assert microscope.beam_energy == 20.0
    assert microscope.Detector.EDS.energy_resolution_MnKa == 128.0
    assert signal.get_take_off_angle() == pytest.approx(25.0)


def test_signal_does_not_share_its_data():
    made = g_matrix()
    kept = made.matrix.copy()
    made.to_signal().data[:] = 0
    assert np.array_equal(made.matrix, kept)


def test_signal_without_acquisition():
    made = GMatrix.from_array(np.ones((6, 2)), "ab", ["Fe", None], concentration="mass")
    signal = made.to_signal()
    assert signal.data.shape == (2, 6)
    assert signal.metadata.Sample.elements == ["Fe"]


def test_plot_draws_each_column():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    made = g_matrix()
    ax = made.plot()
    assert [line.get_label() for line in ax.get_lines()] == list(made.names)
    assert ax.get_xlabel() == "Energy (keV)"
    _, own = plt.subplots()
    assert made.plot(own) is own
    plt.close("all")
