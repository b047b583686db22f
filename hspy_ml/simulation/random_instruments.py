# SPDX-License-Identifier: GPL-3.0-or-later
"""Random instruments: how far one may be from what its metadata say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..physics.acquisition import Acquisition, Detector

__all__ = ["Tolerances", "draw_acquisitions"]


@dataclass(frozen=True)
class Tolerances:
    """Largest differences between an instrument and its description.

    Parameters
    ----------
    energy_offset_eV : float, default 6
        Of the energy of every channel, uniform on both sides.
    energy_gain : float, default 4e-4
        Relative, uniform on both sides: 4 eV at 10 keV.
    resolution : float, default 0.06
        Relative, uniform on both sides.
    take_off_angle : float, default 1
        Degrees, uniform on both sides.
    layers : float, default 0.1
        Relative standard deviation of the thickness of the detector's layers.
    """

    energy_offset_eV: float = 6.0
    energy_gain: float = 4e-4
    resolution: float = 0.06
    take_off_angle: float = 1.0
    layers: float = 0.1


def draw_acquisitions(
    acquisition: Acquisition,
    n_instruments: int,
    tolerances: Tolerances | None = None,
    random_state: int | np.random.Generator | None = None,
) -> list[Acquisition]:
    """Draw instruments that could stand behind the same metadata.

    Parameters
    ----------
    acquisition : Acquisition
        What the metadata say.
    n_instruments : int
    tolerances : Tolerances, optional
    random_state : int or numpy.random.Generator, optional
        Makes the draw repeat exactly.

    Returns
    -------
    list of Acquisition
        With as many channels, whose true energies differ. The first is as the metadata
        say.
    """
    tolerances = tolerances or Tolerances()
    rng = np.random.default_rng(random_state)
    others = [_one(acquisition, tolerances, rng) for _ in range(n_instruments - 1)]
    return [acquisition, *others]


def _one(
    acquisition: Acquisition, tolerances: Tolerances, rng: np.random.Generator
) -> Acquisition:
    offset, gain, angle, wider = rng.uniform(-1, 1, size=4)
    per_eV = 1e-3 if acquisition.technique.startswith("EDS") else 1.0
    energy = acquisition.energy * (1 + gain * tolerances.energy_gain)
    detector = acquisition.detector
    if detector is not None:
        width = detector.resolution_MnKa_eV * (1 + wider * tolerances.resolution)
        layers = np.exp(tolerances.layers * rng.standard_normal(len(detector.layers)))
        detector = _with_layers(replace(detector, resolution_MnKa_eV=width), layers)
    tilted = acquisition.take_off_angle + angle * tolerances.take_off_angle
    return replace(
        acquisition,
        energy=energy + offset * tolerances.energy_offset_eV * per_eV,
        take_off_angle=float(np.clip(tilted, 1.0, 90.0)),
        detector=detector,
    )


def _with_layers(detector: Detector, factors: np.ndarray) -> Detector:
    """The detector with layers thicker by these factors."""
    layers = tuple(
        replace(layer, mass_thickness=layer.mass_thickness * float(factor))
        for layer, factor in zip(detector.layers, factors, strict=True)
    )
    return replace(detector, layers=layers)
