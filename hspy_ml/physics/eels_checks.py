# SPDX-License-Identifier: GPL-3.0-or-later
"""What a G-matrix of EELS cannot be built from, and what to say then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acquisition import Acquisition

__all__ = ["check_eels_acquisition", "checked_exponents", "checked_spectrum"]

_LARGEST_ANGLE_MRAD = 1000.0
_LARGEST_LOSS_EV = 50e3
_BEAM_ENERGIES_KEV = (10.0, 2000.0)


def check_eels_acquisition(acquisition: Acquisition) -> None:
    """Check what edges depend on.

    Parameters
    ----------
    acquisition : Acquisition
        What was given.

    Raises
    ------
    ValueError
        If the technique is another, the axis is not in eV, uniform and increasing, or
        beam energy or angles are missing or absurd.
    """
    if acquisition.technique != "EELS":
        raise ValueError(
            f"`technique` is {acquisition.technique!r}; core-loss columns need 'EELS'. "
            "Call `s.set_signal_type('EELS')`."
        )
    _check_beam_energy(acquisition.beam_energy_keV)
    _check_angle("convergence_angle", acquisition.convergence_angle_mrad, least=0.0)
    _check_angle("collection_angle", acquisition.collection_angle_mrad, least=1e-6)
    _check_axis(acquisition.energy)


def checked_exponents(exponents: Sequence[float]) -> list[float]:
    """Check the exponents of the background.

    Parameters
    ----------
    exponents : sequence of float
        What was given.

    Returns
    -------
    list of float
        Rising.

    Raises
    ------
    ValueError
        If there are none, or one is no finite number, or two of them are the same.
    """
    try:
        powers = sorted(float(power) for power in exponents)
    except (TypeError, ValueError):
        powers = []
    distinct = np.isfinite(powers).all() and np.all(np.diff(powers) > 5e-3)
    if not powers or not distinct:
        raise ValueError(
            f"`exponents` is {exponents!r}; give different powers r of the background "
            "E**-r, at most 0.25 apart, such as [2.5, 2.75, 3.0]."
        )
    return powers


def checked_spectrum(spectrum: np.ndarray | None, n_channels: int) -> np.ndarray | None:
    """Check a spectrum that tells the exponent of the background.

    Parameters
    ----------
    spectrum : ndarray or None
        What was given.
    n_channels : int
        Channels of the energy axis.

    Returns
    -------
    ndarray or None

    Raises
    ------
    ValueError
        If it has another shape or is not finite.
    """
    if spectrum is None:
        return None
    spectrum = np.asarray(spectrum, float)
    if spectrum.shape != (n_channels,) or not np.isfinite(spectrum).all():
        raise ValueError(
            f"`spectrum` has the shape {spectrum.shape}; finite counts of the "
            f"{n_channels} channels are expected, such as `s.mean().data`."
        )
    return spectrum


def _check_beam_energy(beam_energy_keV: float) -> None:
    least, most = _BEAM_ENERGIES_KEV
    if not (beam_energy_keV and least <= beam_energy_keV <= most):
        raise ValueError(
            f"`beam_energy_keV` is {beam_energy_keV}; {least:g} to {most:g} keV are "
            "expected. Call `s.set_microscope_parameters(beam_energy=...)`."
        )


def _check_angle(name: str, angle_mrad: float | None, least: float) -> None:
    if angle_mrad is None or not least <= angle_mrad <= _LARGEST_ANGLE_MRAD:
        raise ValueError(
            f"`{name}_mrad` is {angle_mrad}; a semi-angle in mrad is expected. Call "
            f"`s.set_microscope_parameters({name}=...)`."
        )


def _check_axis(energy: np.ndarray) -> None:
    steps = np.diff(energy)
    if energy.ndim != 1 or energy.size < 2 or not np.all(np.isfinite(energy)):
        raise ValueError(
            "`energy` must hold the finite centres of two channels or more."
        )
    if not np.all(steps > 0) or np.ptp(steps) > 1e-3 * steps.mean():
        raise ValueError(
            "`energy` must increase in uniform steps; interpolate the signal on a "
            "uniform axis: `s.interpolate_on_axis(...)`."
        )
    if energy[-1] <= 20 or energy[-1] > _LARGEST_LOSS_EV:
        raise ValueError(
            f"`energy` ends at {energy[-1]:.4g}, where there is no core loss, if the "
            "unit is eV. Check units, scale and offset of `s.axes_manager[-1]`."
        )
