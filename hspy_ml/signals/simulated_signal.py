# SPDX-License-Identifier: GPL-3.0-or-later
"""HyperSpy signals for simulated spectra: axes and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from exspy.signals import EDSSpectrum


class EDSConditions(Protocol):
    """How X-rays are counted."""

    beam_energy_keV: float
    take_off_angle: float
    detector: str
    resolution_MnKa_eV: float
    n_channels: int
    channel_width_keV: float
    energy_offset_keV: float


def blank_spectrum(signal_class: type, n_channels: int) -> Any:
    """A spectrum without counts.

    Parameters
    ----------
    signal_class : type
        One of exspy's.
    n_channels : int

    Returns
    -------
    An instance of the class.

    Raises
    ------
    ValueError
        If there are fewer than two channels.
    """
    if not (n_channels == int(n_channels) and n_channels >= 2):
        raise ValueError(f"`n_channels` is {n_channels}; it must be 2 or more.")
    return signal_class(np.zeros(int(n_channels)))


def blank_eds(signal_class: type, conditions: EDSConditions) -> EDSSpectrum:
    """An X-ray spectrum without counts, with its energy axis.

    Parameters
    ----------
    signal_class : type
        EDSTEMSpectrum or EDSSEMSpectrum.
    conditions : EDSConditions

    Returns
    -------
    An instance of the class.

    Raises
    ------
    ValueError
        If there are fewer than two channels, or their width is not above zero.
    """
    s = blank_spectrum(signal_class, conditions.n_channels)
    width, offset = conditions.channel_width_keV, conditions.energy_offset_keV
    if not 0 < width < np.inf:
        raise ValueError(f"`channel_width_keV` is {width}; it must be above zero.")
    axis = s.axes_manager.signal_axes[0]
    axis.name, axis.units = "Energy", "keV"
    axis.scale, axis.offset = float(width), float(offset)
    return s


def set_eds_conditions(s: EDSSpectrum, conditions: EDSConditions) -> None:
    """Write the conditions of a specimen that is not tilted into the metadata.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
    conditions : EDSConditions

    Raises
    ------
    ValueError
        If the take-off angle is not above 0 and at most 90 degrees.
    """
    angle = conditions.take_off_angle
    if not 0 < angle <= 90:
        raise ValueError(
            f"`take_off_angle` is {angle} degrees; it must be above 0 and at most 90."
        )
    s.set_microscope_parameters(
        beam_energy=float(conditions.beam_energy_keV),
        tilt_stage=0.0,
        azimuth_angle=0.0,
        elevation_angle=float(angle),
        energy_resolution_MnKa=float(conditions.resolution_MnKa_eV),
    )
    microscope = s.metadata.Signal.signal_type.removeprefix("EDS_")
    node = f"Acquisition_instrument.{microscope}.Detector.EDS"
    s.metadata.set_item(f"{node}.window_type", str(conditions.detector))
    # where it is read that the angle is no default of exspy
    s.original_metadata.set_item("Simulation.take_off_angle", float(angle))


def zero_channel(s: Any) -> float:
    """Where the energy 0 lies on the axis of a spectrum, in channels.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D

    Returns
    -------
    float
    """
    axis = s.axes_manager.signal_axes[0]
    return -axis.offset / axis.scale


def image_like(s: Any, counts: np.ndarray, pixel_size_nm: float) -> Any:
    """An image with the energy axis and the metadata of a spectrum.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
        The spectrum.
    counts : ndarray, shape (n_rows, n_columns, n_channels)
    pixel_size_nm : float

    Returns
    -------
    A signal of the same class.

    Raises
    ------
    ValueError
        If the pixel size is not above zero.
    """
    if not 0 < pixel_size_nm < np.inf:
        raise ValueError(f"`pixel_size_nm` is {pixel_size_nm}; it must be above zero.")
    position = {"scale": float(pixel_size_nm), "units": "nm", "navigate": True}
    axes = [
        {"name": "y", "size": counts.shape[0], **position},
        {"name": "x", "size": counts.shape[1], **position},
        s.axes_manager.signal_axes[0].get_axis_dictionary(),
    ]
    image = type(s)(
        counts,
        axes=axes,
        metadata=s.metadata.as_dictionary(),
        original_metadata=s.original_metadata.as_dictionary(),
    )
    image.metadata.General.title = "Simulated spectrum image"
    return image
