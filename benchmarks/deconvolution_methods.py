# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways of removing the response, each from a test set to electrons at 0 eV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hspy_ml.simulation.low_loss_readout import LowLossSpectra

TARGET_WIDTH = 4.0  # channels


@dataclass(frozen=True, eq=False)
class Restored:
    """What a method gives, in electrons (n, n_channels) and per spectrum (n,)."""

    spectra: np.ndarray
    errors: np.ndarray | None = None
    refolded: np.ndarray | None = None  # counts
    flagged: np.ndarray | None = None


def electrons_of(made: LowLossSpectra) -> np.ndarray:
    """Counts in electrons, with the true gain and offset."""
    return (made.counts.astype(float) - made.offset[:, None]) / made.gain[:, None]


def aligned(spectra: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Spectra moved back by their true misalignment."""
    from scipy.ndimage import shift

    return np.stack(
        [
            shift(row, -s, order=3, mode="nearest")
            for row, s in zip(spectra, shifts, strict=True)
        ]
    )


def as_measured(made: LowLossSpectra) -> Restored:
    """The spectra as they are, aligned."""
    return Restored(aligned(electrons_of(made), made.shifts))


def exspy_richardson_lucy(iterations: int) -> Callable[[LowLossSpectra], Restored]:
    """exspy's, which wants counts that are not negative and takes the true response."""

    def restore(made: LowLossSpectra) -> Restored:
        spectra = eels_signal(np.maximum(electrons_of(made), 0.0), made)
        result = spectra.richardson_lucy_deconvolution(
            psf_signal(made), iterations=iterations, show_progressbar=False
        )
        return Restored(aligned(np.nan_to_num(result.data), made.shifts))

    return restore


def exspy_fourier_ratio(made: LowLossSpectra) -> Restored:
    """exspy's, spectrum by spectrum, with the true response; it keeps its width."""
    spectra, responses = eels_signal(electrons_of(made), made), psf_signal(made)
    rows = []
    for i in range(len(made.counts)):
        psf = responses.inav[i]
        psf.set_microscope_parameters(200, 10, 10)
        result = spectra.inav[i].fourier_ratio_deconvolution(
            psf,
            threshold=float(made.energy_eV[-1]),
            extrapolate_lowloss=False,
            extrapolate_coreloss=False,
        )
        rows.append(result.data)  # in units that depend on the channel's width
    result = aligned(np.array(rows), made.shifts)
    total = electrons_of(made).sum(axis=1) / result.sum(axis=1)
    return Restored(result * total[:, None])


def wiener(made: LowLossSpectra) -> Restored:
    """Wiener's filter of white noise, the signal's power that of the zero loss."""
    electrons = electrons_of(made)
    n, n_channels = electrons.shape
    length = 2 * n_channels
    middle = made.responses.shape[1] // 2
    responses = np.zeros((len(made.responses), length))
    responses[:, : n_channels // 2] = made.responses[
        :, middle : middle + n_channels // 2
    ]
    responses[:, -(n_channels // 2) :] = made.responses[
        :, middle - n_channels // 2 : middle
    ]
    transfer = np.fft.rfft(responses)
    read = (made.read_noise / made.gain) ** 2
    total = electrons.sum(axis=1, keepdims=True)
    noise = np.abs(total) + n_channels * read[:, None]
    frequency = np.fft.rfftfreq(length)
    target = np.exp(-((np.pi * TARGET_WIDTH * frequency) ** 2) / (4 * np.log(2)))
    back = np.exp(2j * np.pi * frequency * made.shifts[:, None])
    filtered = transfer.conj() / (np.abs(transfer) ** 2 + noise / total**2)
    spectrum = np.fft.rfft(electrons, length) * filtered * target * back
    return Restored(np.fft.irfft(spectrum, length)[:, :n_channels])


def richardson_lucy_stopped(made: LowLossSpectra) -> Restored:
    """Plain Richardson-Lucy, everything known; iterations by count splitting."""
    from deconvolution_stopped import restored_and_refolded

    restored, refolded = restored_and_refolded(made)
    counts = refolded * made.gain[:, None] + made.offset[:, None]
    return Restored(restored, refolded=counts)


def ours(informed: bool, method: str = "auto") -> Callable[[LowLossSpectra], Restored]:
    """`prepare_deconvolution` on the counts, noise estimated, response known or not."""

    def restore(made: LowLossSpectra) -> Restored:
        from hspy_ml.deconvolution.deconvolve import prepare_deconvolution
        from hspy_ml.deconvolution.response import Response

        response = Response(made.responses) if informed else None
        deconvolver = prepare_deconvolution(
            made.counts, made.energy_eV, response=response, method=method
        )
        result = deconvolver.apply(made.counts)
        gain = made.gain[:, None]
        return Restored(
            result.spectra / gain,
            result.errors / gain,
            result.refolded,
            result.flagged,
        )

    return restore


def eels_signal(spectra: np.ndarray, made: LowLossSpectra) -> Any:
    """An exspy signal on the axis of the set."""
    import exspy

    signal = exspy.signals.EELSSpectrum(spectra)
    axis = signal.axes_manager.signal_axes[0]
    axis.offset, axis.units = float(made.energy_eV[0]), "eV"
    axis.scale = float(made.energy_eV[1] - made.energy_eV[0])
    return signal


def psf_signal(made: LowLossSpectra) -> Any:
    """The true responses on the axis of the set, their tops at 0 eV."""
    middle, zero = made.responses.shape[1] // 2, int(round(made.zero_channel))
    first = middle - zero
    rows = made.responses[:, first : first + made.counts.shape[1]]
    return eels_signal(rows, made)


METHODS: dict[str, Callable[[LowLossSpectra], Restored]] = {
    "measured": as_measured,
    "exspy-15": exspy_richardson_lucy(15),
    "exspy-50": exspy_richardson_lucy(50),
    "fourier-ratio": exspy_fourier_ratio,
    "wiener": wiener,
    "stopped": richardson_lucy_stopped,
    "informed": ours(True),
    "blind": ours(False),
    "informed-rl": ours(True, "richardson-lucy"),
}
