# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss spectra with known truth, as HyperSpy signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...simulation.low_loss_readout import TARGET_WIDTH, measure
from ...simulation.low_loss_scenes import random_scenes
from ...simulation.zero_loss_shapes import random_responses
from ..options import check_amount, check_number, generator

__all__ = ["SimulatedLowLoss", "simulate_low_loss"]


@dataclass(frozen=True, eq=False)
class SimulatedLowLoss:
    """What a spectrometer shows, and what it should have shown.

    Attributes
    ----------
    measured : EELSSpectrum
        Counts.
    truth : EELSSpectrum
        Expected electrons with a Gaussian response of `target_width` channels, the
        zero loss at 0 eV.
    psf : EELSSpectrum
        The response of each spectrum, with its zero at 0 eV.
    """

    measured: Any
    truth: Any
    psf: Any


def simulate_low_loss(
    kind: str = "vib",
    n_spectra: int = 16,
    electrons: float = 5e6,
    *,
    response: str = "family",
    response_width: tuple[float, float] | None = None,
    same_response: bool = True,
    n_channels: int = 2048,
    channel_width_eV: float | None = None,
    misalignment: float = 0.0,
    gain: float = 1.0,
    read_noise: float = 0.0,
    offset: float = 0.0,
    fixed_pattern: float = 0.0,
    target_width: float = TARGET_WIDTH,
    random_state: int | np.random.Generator | None = None,
) -> SimulatedLowLoss:
    """Simulate low-loss spectra of random specimens.

    Parameters
    ----------
    kind : str
        "vib": phonons and bands, 1 meV per channel; "plasmon": plasmons with plural
        scattering, 50 meV; "interband": gaps and excitons, 10 meV; "vacuum",
        "doublets", "broad", "fano", "lines".
    n_spectra : int, default 16
    electrons : float, default 5e6
        Per spectrum.
    response : str, default "family"
        Shape of the zero-loss peak, see
        :func:`hspy_ml.simulation.zero_loss_shapes.random_responses`.
    response_width : tuple of two floats, optional
        Smallest and largest FWHM in channels; by default 8 to 30.
    same_response : bool, default True
        One for all spectra, as in a map, or one for each.
    n_channels : int, default 2048
    channel_width_eV : float, optional
        By default that of the kind.
    misalignment : float, default 0
        Largest shift of the zero loss in channels, either way.
    gain, read_noise, offset : float
        Counts per electron; standard deviation and mean of a channel without one.
    fixed_pattern : float, default 0
        Relative spread of the channels' gains.
    target_width : float, default 4
        FWHM of the truth's response in channels.
    random_state : int or numpy.random.Generator, optional
        Makes the spectra repeat exactly.

    Returns
    -------
    SimulatedLowLoss

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range.

    Examples
    --------
    >>> simulated = hspy_ml.simulate_low_loss("plasmon", random_state=1)
    >>> simulated.measured
    <EELSSpectrum, title: Simulated low loss (plasmon), dimensions: (16|2048)>
    """
    check_amount("n_spectra", n_spectra)
    check_amount("n_channels", n_channels)
    check_number("electrons", electrons)
    check_number("gain", gain)
    check_number("target_width", target_width)
    for name, value in (("read_noise", read_noise), ("misalignment", misalignment)):
        check_number(name, value, zero=True)
    check_number("fixed_pattern", fixed_pattern, zero=True)
    rng = generator(random_state)
    scenes = random_scenes(
        kind, n_spectra, n_channels, channel_width_eV, random_state=rng
    )
    n_responses = 1 if same_response else n_spectra
    kernels = random_responses(
        response, n_responses, n_channels, fwhm=response_width, random_state=rng
    )
    spectra = measure(
        scenes,
        kernels,
        electrons,
        rng.uniform(-misalignment, misalignment, n_spectra),
        gain,
        read_noise,
        offset,
        fixed_pattern=fixed_pattern,
        target_width=target_width,
        random_state=rng,
    )
    energy = spectra.energy_eV
    width = float(energy[1] - energy[0])
    title = f"Simulated low loss ({kind})"
    return SimulatedLowLoss(
        measured=_signal(spectra.counts, energy[0], width, title),
        truth=_signal(spectra.truth, energy[0], width, f"Truth of {title}"),
        psf=_signal(kernels, -n_channels * width, width, f"PSF of {title}"),
    )


def _signal(data: np.ndarray, first_eV: float, width_eV: float, title: str) -> Any:
    import hyperspy.api as hs

    data = np.asarray(data, np.float32)
    if len(data) == 1:
        data = data[0]
    signal = hs.signals.Signal1D(data)
    axis = signal.axes_manager.signal_axes[0]
    axis.name, axis.units = "Energy loss", "eV"
    axis.scale, axis.offset = width_eV, float(first_eV)
    signal.set_signal_type("EELS")
    signal.set_microscope_parameters(beam_energy=200.0)
    signal.metadata.General.title = title
    return signal
