# SPDX-License-Identifier: GPL-3.0-or-later
"""How a signal was measured, read from its metadata and its energy axis."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

from ..physics.acquisition import Acquisition, Detector
from ..physics.detector import make_detector
from .axes import check_plausible_eds, energy_axis
from .detector import DEFAULT_DETECTOR, stated_elevation, stated_window

_MICROSCOPE = {"EDS_TEM": "TEM", "EDS_SEM": "SEM", "EELS": "TEM"}
_DEFAULT_ELEVATION = 35.0
_DEFAULT_RESOLUTION_EV = 130.0
_HIGHEST_BEAM_ENERGY_KEV = 2000.0


def acquisition_from_signal(s: Any, detector: Detector | str = "auto") -> Acquisition:
    """Read the conditions of a measurement from a signal.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
        The signal. Its energy axis may be in eV or keV.
    detector : Detector or str, default "auto"
        The X-ray detector. A name is one of
        :func:`hspy_ml.physics.detector.make_detector`; its resolution is
        ``energy_resolution_MnKa`` of the metadata. "auto" takes the window that the
        file names, or else a polymer window for EDS_SEM and none for EDS_TEM.

    Returns
    -------
    Acquisition
        Energies in keV for EDS, in eV for EELS. A live time or beam current of 0,
        which files write when they do not know it, is None.

    Raises
    ------
    TypeError
        If ``s`` is no HyperSpy signal.
    ValueError
        If the signal type is none of those above, the energy axis is not uniform
        and increasing, or a value in the metadata is missing or absurd. The
        message says how to mend it.

    Warns
    -----
    UserWarning
        If the direction of the detector or its resolution is missing, so that a
        default is used.
    """
    acquisition, missing = _read(s, detector)
    warn_of_assumptions(missing)
    return acquisition


def acquisition_and_assumptions(
    s: Any, detector: Detector | str = "auto"
) -> tuple[Acquisition, list[str]]:
    """Read the conditions, and say all that is not known but assumed.

    Parameters
    ----------
    s, detector
        As for :func:`acquisition_from_signal`.

    Returns
    -------
    acquisition : Acquisition
    assumptions : list of str
        What was missing; for EDS also a window that no file named and an elevation
        that exspy filled in.

    Raises
    ------
    TypeError, ValueError
        As :func:`acquisition_from_signal`.
    """
    acquisition, assumed = _read(s, detector)
    if acquisition.technique == "EELS":
        return acquisition, assumed
    if detector == "auto" and stated_window(s) is None:
        assumed = [*assumed, f"the detector's window ({acquisition.detector.name!r})"]
    if not stated_elevation(s):
        angle = f"{acquisition.take_off_angle:g} degrees, exspy's default"
        assumed = [*assumed, f"the take-off angle ({angle})"]
    return acquisition, assumed


def warn_of_assumptions(assumed: list[str], stacklevel: int = 3) -> None:
    """Say once what was assumed, and how to set it.

    Parameters
    ----------
    assumed : list of str
        Nothing is said if it is empty.
    stacklevel : int, default 3
        As for ``warnings.warn``.
    """
    if assumed:
        warnings.warn(
            f"The metadata do not say, so that it is assumed: {'; '.join(assumed)}. "
            "Set angles and resolution with `s.set_microscope_parameters(...)`, the "
            "window with `detector=`.",
            UserWarning,
            stacklevel=stacklevel,
        )


def how_to_set_dose(acquisition: Acquisition) -> str:
    """Say how the beam current (nA) and the live time (s) get into the metadata.

    Parameters
    ----------
    acquisition : Acquisition
        Its technique decides where they are.

    Returns
    -------
    str
        A sentence for an error.
    """
    node = f"Acquisition_instrument.{_MICROSCOPE[acquisition.technique]}.beam_current"
    return (
        f"Set the current in nA with `s.metadata.set_item({node!r}, ...)` and the time "
        "in s with `s.set_microscope_parameters(live_time=...)`."
    )


def _read(s: Any, detector: Detector | str) -> tuple[Acquisition, list[str]]:
    technique = technique_of(s)
    read = _Metadata(s, _MICROSCOPE[technique])
    if technique == "EELS":
        return _eels_acquisition(s, read), read.assumed
    energy = energy_axis(s, "keV")
    check_plausible_eds(energy)
    acquisition = Acquisition(
        energy=energy,
        technique=technique,
        beam_energy_keV=_beam_energy(read),
        take_off_angle=_take_off_angle(read),
        detector=_detector(read, detector),
        live_time_s=read.positive("Detector.EDS.live_time"),
        beam_current_nA=read.positive("beam_current"),
    )
    return acquisition, read.assumed


def technique_of(s: Any) -> str:
    """Return the signal type, if it is one that the physics covers.

    Parameters
    ----------
    s : hyperspy.api.signals.BaseSignal
        The signal.

    Returns
    -------
    {"EDS_TEM", "EDS_SEM", "EELS"}
        As in ``metadata.Signal.signal_type``.

    Raises
    ------
    TypeError
        If ``s`` is no HyperSpy signal.
    ValueError
        If it has another signal type.
    """
    if not (hasattr(s, "metadata") and hasattr(s, "axes_manager")):
        raise TypeError(
            f"`s` is a {type(s).__name__}; give a HyperSpy signal, for example from "
            "`hs.load(...)`."
        )
    signal_type = str(s.metadata.get_item("Signal.signal_type", ""))
    if signal_type not in _MICROSCOPE:
        raise ValueError(
            f"`s` is a {type(s).__name__} with the signal type {signal_type!r}, so it "
            "is not known what its channels count; call "
            "`s.set_signal_type('EDS_TEM')` (or 'EDS_SEM', 'EELS') first."
        )
    return signal_type


def _eels_acquisition(s: Any, read: _Metadata) -> Acquisition:
    return Acquisition(
        energy=energy_axis(s, "eV"),
        technique="EELS",
        beam_energy_keV=_beam_energy(read),
        convergence_angle_mrad=read.number("convergence_angle"),
        collection_angle_mrad=read.positive("Detector.EELS.collection_angle"),
        live_time_s=read.positive("Detector.EELS.dwell_time"),
        beam_current_nA=read.positive("beam_current"),
    )


@dataclass(frozen=True)
class _Metadata:
    """Numbers below ``Acquisition_instrument.TEM`` or ``.SEM`` of a signal.

    ``assumed`` collects what was missing and is taken from a default.
    """

    s: Any
    microscope: str
    assumed: list[str] = field(default_factory=list)

    def number(self, key: str) -> float | None:
        """Return a finite number, or None where the key is missing."""
        path = f"Acquisition_instrument.{self.microscope}.{key}"
        value = self.s.metadata.get_item(path, None)
        if value is None or str(value) in ("", "<undefined>"):
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(
                f"`metadata.{path}` is {value!r}; it must be a finite number."
            )
        return number

    def positive(self, key: str) -> float | None:
        """Return a number above zero, or None where there is none."""
        number = self.number(key)
        return number if number is not None and number > 0 else None


def _beam_energy(read: _Metadata) -> float:
    energy = read.number("beam_energy")
    if energy is None or energy == 0:
        raise ValueError(
            "The metadata hold no beam energy. Set it, in keV, with "
            f"{_how_to_set_beam_energy(read)}."
        )
    if energy < 0:
        raise ValueError(
            f"The beam energy is {energy:g} keV, below zero. Set it with "
            f"{_how_to_set_beam_energy(read)}."
        )
    if energy > _HIGHEST_BEAM_ENERGY_KEV:
        raise ValueError(
            f"The beam energy is {energy:g} keV, so it was probably given in eV. Set "
            f"it, in keV, with {_how_to_set_beam_energy(read, energy / 1000)}."
        )
    return energy


def _how_to_set_beam_energy(read: _Metadata, energy_keV: float | None = None) -> str:
    if energy_keV is None:
        energy_keV = 20 if read.microscope == "SEM" else 200
    return f"`s.set_microscope_parameters(beam_energy={energy_keV:g})`"


def _take_off_angle(read: _Metadata) -> float:
    """Angle between the surface and the direction of the detector, degrees."""
    from exspy.utils.eds import take_off_angle

    angle = take_off_angle(
        tilt_stage=_or_default(read, "Stage.tilt_alpha", 0.0),
        azimuth_angle=_or_default(read, "Detector.EDS.azimuth_angle", 0.0),
        elevation_angle=_or_default(
            read, "Detector.EDS.elevation_angle", _DEFAULT_ELEVATION
        ),
        beta_tilt=read.number("Stage.tilt_beta") or 0.0,
    )
    if angle <= 0:
        raise ValueError(
            f"The take-off angle is {angle:.1f} degrees: the detector lies behind the "
            "specimen's surface. Check `tilt_stage`, `azimuth_angle` and "
            "`elevation_angle` of `s.set_microscope_parameters(...)`."
        )
    return float(angle)


def _detector(read: _Metadata, detector: Detector | str) -> Detector:
    if isinstance(detector, Detector):
        return detector
    if detector == "auto":
        technique = f"EDS_{read.microscope}"
        detector = stated_window(read.s) or DEFAULT_DETECTOR[technique]
    return make_detector(detector, _resolution(read))


def _resolution(read: _Metadata) -> float:
    resolution = _or_default(
        read, "Detector.EDS.energy_resolution_MnKa", _DEFAULT_RESOLUTION_EV, "eV"
    )
    if not 10 <= resolution <= 1000:
        raise ValueError(
            f"The energy resolution at Mn Ka is {resolution:g} eV, which no X-ray "
            "detector has. Set it, in eV, with "
            "`s.set_microscope_parameters(energy_resolution_MnKa=130)`."
        )
    return resolution


def _or_default(
    read: _Metadata, key: str, default: float, unit: str = "degrees"
) -> float:
    value = read.number(key)
    if value is not None:
        return value
    read.assumed.append(f"{key} ({default:g} {unit})")
    return default
