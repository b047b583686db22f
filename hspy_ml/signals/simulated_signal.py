# SPDX-License-Identifier: GPL-3.0-or-later
"""HyperSpy signals for simulated spectra: axes and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from exspy.signals import EDSTEMSpectrum


def blank_spectrum(
    n_channels: int, channel_width_keV: float, energy_offset_keV: float
) -> EDSTEMSpectrum:
    """A spectrum without counts, on which the physics reads the conditions.

    Parameters
    ----------
    n_channels : int
    channel_width_keV, energy_offset_keV : float
        Width of the channels, and centre of the first.

    Returns
    -------
    EDSTEMSpectrum

    Raises
    ------
    ValueError
        If there are fewer than two channels, or their width is not above zero.
    """
    from exspy.signals import EDSTEMSpectrum

    if not (n_channels == int(n_channels) and n_channels >= 2):
        raise ValueError(f"`n_channels` is {n_channels}; it must be 2 or more.")
    if not 0 < channel_width_keV < np.inf:
        raise ValueError(
            f"`channel_width_keV` is {channel_width_keV}; it must be above zero."
        )
    s = EDSTEMSpectrum(np.zeros(int(n_channels)))
    axis = s.axes_manager.signal_axes[0]
    axis.name, axis.units = "Energy", "keV"
    axis.scale, axis.offset = float(channel_width_keV), float(energy_offset_keV)
    return s


def set_conditions(
    s: EDSTEMSpectrum,
    beam_energy_keV: float,
    take_off_angle: float,
    resolution_MnKa_eV: float,
) -> None:
    """Write the conditions of a specimen that is not tilted into the metadata.

    Parameters
    ----------
    s : EDSTEMSpectrum
    beam_energy_keV : float
    take_off_angle : float
        Degrees; above 0, at most 90.
    resolution_MnKa_eV : float

    Raises
    ------
    ValueError
        If the angle is outside.
    """
    if not 0 < take_off_angle <= 90:
        raise ValueError(
            f"`take_off_angle` is {take_off_angle} degrees; it must be above 0 and at "
            "most 90."
        )
    s.set_microscope_parameters(
        beam_energy=float(beam_energy_keV),
        tilt_stage=0.0,
        azimuth_angle=0.0,
        elevation_angle=float(take_off_angle),
        energy_resolution_MnKa=float(resolution_MnKa_eV),
    )


def image_like(
    s: EDSTEMSpectrum, counts: np.ndarray, pixel_size_nm: float
) -> EDSTEMSpectrum:
    """An image with the energy axis and the metadata of a spectrum.

    Parameters
    ----------
    s : EDSTEMSpectrum
        The spectrum.
    counts : ndarray, shape (n_rows, n_columns, n_channels)
    pixel_size_nm : float

    Returns
    -------
    EDSTEMSpectrum

    Raises
    ------
    ValueError
        If the pixel size is not above zero.
    """
    from exspy.signals import EDSTEMSpectrum

    if not 0 < pixel_size_nm < np.inf:
        raise ValueError(f"`pixel_size_nm` is {pixel_size_nm}; it must be above zero.")
    position = {"scale": float(pixel_size_nm), "units": "nm", "navigate": True}
    axes = [
        {"name": "y", "size": counts.shape[0], **position},
        {"name": "x", "size": counts.shape[1], **position},
        s.axes_manager.signal_axes[0].get_axis_dictionary(),
    ]
    image = EDSTEMSpectrum(counts, axes=axes, metadata=s.metadata.as_dictionary())
    image.metadata.General.title = "Simulated spectrum image"
    return image
