# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of a few lines, at the detector's resolution and at the target's."""

import numpy as np

from hspy_ml.deconvolution.xray_response import XrayResponse
from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector, peaks_on_channels, resolution

CHANNEL = 0.01  # keV


def acquisition(n_channels=1024, channel=CHANNEL, resolution_eV=130.0, first=0.0):
    energy = first + channel * np.arange(n_channels)
    detector = make_detector("windowless", resolution_eV)
    return Acquisition(energy, "EDS_TEM", 200.0, detector=detector)


def lines(acq, centres, areas, background=0.0, narrow=None):
    """Expected counts; at the resolution of the target of a response, if given."""
    centres = np.asarray(centres, dtype=float)
    fwhm = resolution(acq.detector, centres)
    if narrow is not None:
        target = np.interp(centres, acq.energy, narrow.target_fwhm)
        fwhm = target * acq.channel_width
    continuum = background / (np.maximum(acq.energy, 0.0) + 1.0)
    return peaks_on_channels(acq.energy, centres, np.asarray(areas), fwhm) + continuum


def measured(acq, centres, areas, n=1, background=0.0, seed=0):
    """Counts, and what they should become."""
    expected = lines(acq, centres, areas, background)
    truth = lines(acq, centres, areas, background, XrayResponse.of_detector(acq))
    counts = np.random.default_rng(seed).poisson(expected, (n, expected.size))
    return counts, truth


def depth_between(spectrum, acq, first, second):
    """How far a spectrum falls between two lines; below zero if it is one peak."""
    i, j = np.rint((np.array([first, second]) - acq.energy[0]) / acq.channel_width)
    between = spectrum[int(i) + 1 : int(j)]
    return 1 - between.min() / min(spectrum[int(i)], spectrum[int(j)])
