# SPDX-License-Identifier: GPL-3.0-or-later
"""Core-loss signals with a known composition."""

import numpy as np

ELEMENTS = ("C", "N", "O", "Ti", "Fe")
PHASES = np.array([[0.5, 0.15, 0.35, 0.0, 0.0], [0.1, 0.0, 0.6, 0.1, 0.2]])


def make_eels(data, *, low=240.0, width=1.0, units="eV", angles=True, elements=()):
    """Return an EELSSpectrum with metadata; `low` and `width` are in eV."""
    import exspy

    s = exspy.signals.EELSSpectrum(data)
    factor = 1e-3 if units == "keV" else 1.0
    axis = s.axes_manager[-1]
    axis.offset, axis.scale, axis.units = low * factor, width * factor, units
    axis.name = "Energy loss"
    s.set_microscope_parameters(beam_energy=200)
    if angles:
        s.set_microscope_parameters(convergence_angle=10, collection_angle=20)
    if elements:
        s.add_elements(list(elements))
    return s


def phase_spectra(background=3.0):
    """Spectra of the phases from 240 to 900 eV, counts per atom in a nm2."""
    from hspy_ml.physics.acquisition import Acquisition
    from hspy_ml.physics.eels_gmatrix import build_eels_g_matrix

    energy = np.arange(240.0, 901.0)
    conditions = Acquisition(
        energy=energy,
        technique="EELS",
        beam_energy_keV=200.0,
        convergence_angle_mrad=10.0,
        collection_angle_mrad=20.0,
    )
    bare = build_eels_g_matrix(
        conditions, ELEMENTS, white_lines=False, fit_window=(240, 900)
    )
    edges = PHASES @ bare.matrix[:, : len(ELEMENTS)].T
    below = (energy / energy[300]) ** -3.0
    return edges + background * edges[:, 300:301] * below


def scene(shape=(24, 30), counts=1e5, background=3.0, seed=0, **metadata):
    """A map that goes from one phase to the other, and the share of the first."""
    columns = np.arange(shape[1]) - shape[1] / 2
    rows = 3 * np.sin(np.arange(shape[0]) / 5)
    share = 1 / (1 + np.exp((columns + rows[:, None]) / 1.5))
    mean = np.stack([share, 1 - share], axis=-1) @ phase_spectra(background)
    mean *= counts / mean.sum(axis=-1).mean()
    data = np.random.default_rng(seed).poisson(mean).astype("uint32")
    return make_eels(data, elements=ELEMENTS, **metadata), share
