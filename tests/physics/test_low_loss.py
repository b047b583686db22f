# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss spectra: the convolution, the pedestal, the zero of energy."""

import numpy as np
import pytest

from hspy_ml.physics.low_loss import LowLoss, pedestal


def spectrum(energy, zero=0.0, pedestal=0.0, plasmon=0.3):
    """Counts of a zero-loss peak and a plasmon at 20 eV."""
    peak = np.exp(-0.5 * ((energy - zero) / 0.8) ** 2) / 0.8
    loss = plasmon * np.exp(-0.5 * ((energy - zero - 20) / 4) ** 2) / 4
    return 1e5 * (peak + loss) + pedestal


ENERGY = np.arange(-30.0, 120.0, 0.3)


@pytest.mark.parametrize("width", [0.15, 0.3, 1.0, 2.7])
def test_a_convolution_keeps_the_intensity(width):
    low_loss = LowLoss.from_counts(ENERGY, spectrum(ENERGY))
    before, after = low_loss.margins(width)
    n = 900
    single = np.zeros(before + n + after)
    single[before + 300] = 7.0
    convolved = low_loss.convolve(single, width)
    assert convolved.shape == (n,)
    assert convolved.sum() == pytest.approx(7.0, rel=1e-9)
    mean = (np.arange(n) - 300) * width @ convolved / 7.0
    assert mean == pytest.approx(20 * 0.3 / 1.3, abs=0.1)


def test_a_convolution_is_that_of_the_definition():
    low_loss = LowLoss(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([0.1, 0.6, 0.0, 0.3]))
    single = np.arange(1.0, 9.0)
    assert low_loss.margins(1.0) == (2, 1)
    expected = [
        0.1 * single[i + 3] + 0.6 * single[i + 2] + 0.3 * single[i] for i in range(5)
    ]
    np.testing.assert_allclose(low_loss.convolve(single, 1.0), expected)


@pytest.mark.parametrize("zero", [-3.0, 0.45, 7.1])
def test_the_zero_loss_peak_is_put_at_zero(zero):
    low_loss = LowLoss.from_counts(ENERGY, spectrum(ENERGY, zero))
    near = np.abs(low_loss.energy_eV) < 4
    mean = low_loss.energy_eV[near] @ low_loss.share[near] / low_loss.share[near].sum()
    assert mean == pytest.approx(0.0, abs=0.1)


def test_a_pedestal_is_taken_off():
    bare, raised = (LowLoss.from_counts(ENERGY, spectrum(ENERGY, 0, p)) for p in (0, 9))
    np.testing.assert_allclose(raised.share, bare.share, atol=1e-12)


def test_each_spectrum_has_its_own_pedestal():
    levels = np.array([0.0, 4.0, 7.0])
    spectra = spectrum(ENERGY) + levels[:, None]
    np.testing.assert_allclose(pedestal(ENERGY, spectra)[:, 0], levels, atol=1e-9)


def test_true_losses_at_the_end_are_no_pedestal():
    counts = spectrum(ENERGY) + np.where(ENERGY > 5, 50.0, 0.0)
    assert pedestal(ENERGY, counts) == pytest.approx(0.0, abs=1e-9)


def test_an_axis_that_begins_at_the_peak_has_no_pedestal():
    energy = np.arange(-2.0, 60.0, 0.5)
    assert pedestal(energy, spectrum(energy) + 5) == 0.0


@pytest.mark.parametrize("counts", [np.zeros(90), np.full(90, np.nan)])
def test_nothing_is_no_distribution(counts):
    with pytest.raises(ValueError, match="`low_loss` holds no counts"):
        LowLoss.from_counts(np.arange(-20.0, 70.0), counts)
