# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import numpy as np
import pytest

from hspy_ml.deconvolution.plural import single_scattering
from hspy_ml.deconvolution.transfer import gaussian_line

N_CHANNELS, ZERO, WIDTH = 1024, 150.3, 4.0
LINE = gaussian_line(N_CHANNELS, np.array([ZERO]), np.array([WIDTH]))
VENDOR = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "vendor"
SERIES = VENDOR / "hspy" / "EELS_LL_linescan_simulated_thickness_variation.hspy"


def spectrum(thickness, counts=1e6):
    """Plural scattering of a plasmon at 90 channels, by the Poisson distribution."""
    long = 8192
    place = np.arange(long)
    plasmon = 1 / (1 + ((place - 90) / 6) ** 2) * (place > 2)
    plasmon *= thickness / plasmon.sum()
    scattered = np.fft.irfft(np.exp(np.fft.rfft(plasmon)), long) * np.exp(-thickness)
    frequency = 2 * np.pi * np.fft.rfftfreq(long)
    sharp = np.exp(-0.5 * (WIDTH / 2.3548 * frequency) ** 2 - 1j * frequency * ZERO)

    def seen(values):
        return counts * np.fft.irfft(np.fft.rfft(values) * sharp, long)[:N_CHANNELS]

    return seen(scattered), seen(plasmon * np.exp(-thickness))


@pytest.mark.parametrize("thickness", [0.1, 0.5, 1.5, 3.0])
def test_single_scattering_is_recovered(thickness):
    """To 1 % of its height: all but what lies beyond the end of the axis."""
    plural, single = spectrum(thickness)
    found = single_scattering(plural[None], LINE)[0]
    losses = slice(int(ZERO) + 12, None)
    assert np.abs(found - single)[losses].max() < 0.01 * single[losses].max()
    line = found[int(ZERO) - 8 : int(ZERO) + 10].sum()
    assert line == pytest.approx(1e6 * np.exp(-thickness), rel=0.01)


def test_without_losses_nothing_changes():
    line = 1e5 * LINE
    found = single_scattering(line, LINE)
    np.testing.assert_allclose(found, line, atol=1e-3 * line.max())


def test_empty_spectrum_stays_empty():
    empty = np.zeros((1, 256))
    found = single_scattering(empty, LINE[:, :256])
    np.testing.assert_array_equal(found, empty)


@pytest.mark.skipif(not SERIES.exists(), reason="the vendor's file is not here")
def test_thickness_series_has_one_single_scattering_distribution():
    """Its t / lambda rises evenly from 0.3 to 1.9; the shape stays."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(SERIES, "r") as file:
        name = next(iter(file["Experiments"]))
        data = np.asarray(file["Experiments"][name]["data"], dtype=float)
    centre, width = np.full(len(data), 200.0), np.full(len(data), 4.71)
    found = single_scattering(data, gaussian_line(data.shape[1], centre, width))
    losses = found[:, 215:]
    relative = losses.sum(axis=1) / found[:, :213].sum(axis=1)
    np.testing.assert_allclose(relative, np.linspace(0.3, 1.9, len(data)), rtol=0.02)
    shapes = losses / losses.sum(axis=1, keepdims=True)
    assert np.abs(shapes - shapes[0]).sum(axis=1).max() < 0.04


def test_any_line_can_be_taken_out():
    """A line of two channels that no Gaussian describes: nothing oscillates."""
    channels = np.arange(N_CHANNELS)
    line = 1 / (1 + (np.abs(channels - 100.4) / 0.8) ** 2.5)
    line /= line.sum()
    plural, _ = spectrum(0.5)
    shape = np.roll(plural, -int(ZERO)) * (channels > 12)
    spectra = 1e6 * line + np.convolve(shape, line)[:N_CHANNELS]
    found = single_scattering(spectra[None], line[None])[0]
    before, after = (np.abs(np.diff(x[120:400], 2)).sum() for x in (spectra, found))
    assert after < 1.5 * before
