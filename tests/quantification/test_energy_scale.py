# SPDX-License-Identifier: GPL-3.0-or-later
"""Offset, gain and resolution from the data."""

from __future__ import annotations

import numpy as np
import pytest

from hspy_ml.quantification.energy_scale import PRIOR, refine_energy_scale

GLASS = {"O": 0.43, "Mg": 0.12, "Si": 0.21, "Ca": 0.11, "Fe": 0.13}


def refined(spectrum, counts=None):
    values = spectrum.spectrum if counts is None else counts
    return refine_energy_scale(
        values,
        spectrum.acquisition,
        lambda a: spectrum.model.g_matrix(a, spectrum.mass_fractions),
        spectrum.used,
    )


def test_a_right_scale_stays(bulk):
    scale = refined(bulk(GLASS))
    assert abs(scale.offset_keV) < 1e-5
    assert abs(scale.gain - 1) < 1e-5
    assert scale.resolution_MnKa_eV == pytest.approx(130, abs=0.02)


def test_the_acquisition_is_mended(bulk):
    spectrum = bulk(GLASS, shift_keV=0.005, gain=1.001, resolution=137.0)
    mended = refined(spectrum).applied_to(spectrum.acquisition)
    true_energy = 0.02 + 0.01 * np.arange(mended.energy.size)
    np.testing.assert_allclose(mended.energy, true_energy, atol=1e-3)
    assert mended.detector.resolution_MnKa_eV == pytest.approx(137, abs=0.3)


def test_standard_errors_are_those_of_repeated_measurements(bulk):
    """Scatter of 40 draws over the error told, for offset, gain and resolution.

    40 draws know their scatter to 11 %: three times that, and the prior, which lets
    an estimate scatter less than its error says.
    """
    spectrum = bulk(GLASS, counts=2e4)
    rng = np.random.default_rng(3)
    draws = [refined(spectrum, rng.poisson(spectrum.spectrum)) for _ in range(40)]
    found = np.array(
        [(d.offset_keV, d.gain - 1, d.resolution_MnKa_eV - 130) for d in draws]
    )
    told = np.mean([d.standard_errors for d in draws], axis=0)
    assert np.all(found.std(axis=0) < 1.35 * told)
    assert np.all(found.std(axis=0) > 0.5 * told)
    assert np.all(np.abs(found.mean(axis=0)) < 0.6 * told)


def test_a_peak_that_nobody_named_does_not_drive_the_scale(bulk):
    """Nickel beside a glass that is said to have none: K at 7.48 keV, L at 0.85."""
    spectrum = bulk(GLASS)
    with_nickel = bulk({**GLASS, "Ni": 0.3})
    scale = refined(spectrum, with_nickel.spectrum)
    assert abs(scale.offset_keV) < 1e-3
    assert abs(scale.gain - 1) < 3e-4


def test_few_counts_do_not_move_a_calibrated_axis(bulk):
    spectrum = bulk(GLASS)
    rng = np.random.default_rng(8)
    counts = rng.poisson(spectrum.spectrum * 30 / spectrum.spectrum.sum())
    scale = refined(spectrum, counts.astype(float))
    assert abs(scale.offset_keV) < 3 * PRIOR[0]
    assert abs(scale.gain - 1) < 3 * PRIOR[1]


def test_a_displaced_peak_below_one_keV_does_not_drive_the_scale(bulk):
    """Incomplete charge collection moves O K by 10 eV; the peaks above decide."""
    spectrum = bulk(GLASS)
    moved = spectrum.spectrum.copy()
    low = spectrum.acquisition.energy < 0.8
    moved[low] = np.roll(spectrum.spectrum[low], -1)
    scale = refined(spectrum, moved)
    assert abs(scale.offset_keV) < 2e-4
    assert abs(scale.gain - 1) < 1e-4


def test_an_axis_that_is_far_off_is_left_alone(bulk):
    """Half a keV of error is no refinement: the axis stays as it was given."""
    scale = refined(bulk(GLASS, shift_keV=0.5))
    assert abs(scale.offset_keV) <= 0.04
