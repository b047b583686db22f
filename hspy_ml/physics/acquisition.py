# SPDX-License-Identifier: GPL-3.0-or-later
"""How a spectrum was measured: beam, geometry, detector, energy axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Layer:
    """A uniform layer between the specimen and the detector's active volume.

    Parameters
    ----------
    composition : tuple of (str, float)
        Symbols and mass fractions, which sum to one.
    mass_thickness : float
        Density times thickness, g/cm2.
    open_fraction : float, default 0
        Fraction of the area that the layer leaves open (a support grid); 0 for
        a closed layer.
    """

    composition: tuple[tuple[str, float], ...]
    mass_thickness: float
    open_fraction: float = 0.0


@dataclass(frozen=True)
class Detector:
    """An energy-dispersive X-ray detector.

    Parameters
    ----------
    name : str
        What it is called in plots and messages.
    resolution_MnKa_eV : float
        Full width at half maximum at 5898.7 eV.
    layers : tuple of Layer
        What the photons cross before they are counted.
    active_layer : Layer
        The volume in which they are counted.
    efficiency_curve : pair of sequences of float, optional
        Energies in keV, increasing, and the fractions of the photons that are counted
        there, layers and active layer included; in place of those. See
        :func:`hspy_ml.physics.detector.measured_detector`.

    Raises
    ------
    ValueError
        If the curve is not two sequences of that kind.
    """

    name: str = "windowless"
    resolution_MnKa_eV: float = 130.0
    layers: tuple[Layer, ...] = ()
    active_layer: Layer = field(
        default_factory=lambda: Layer((("Si", 1.0),), 2.33 * 450e-4)
    )
    efficiency_curve: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def __post_init__(self) -> None:
        if self.efficiency_curve is not None:
            curve = _checked_curve(self.efficiency_curve)
            object.__setattr__(self, "efficiency_curve", curve)


def _checked_curve(curve: Sequence) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Two tuples of numbers, so that a detector can be compared and written."""
    if len(curve) != 2:
        raise ValueError(
            f"`efficiency_curve` has {len(curve)} parts; give two, energies in keV "
            "and efficiencies."
        )
    energy, efficiency = (np.asarray(part, dtype=float) for part in curve)
    if energy.ndim != 1 or energy.size < 2 or energy.shape != efficiency.shape:
        raise ValueError(
            f"`efficiency_curve` has energies of the shape {energy.shape} and "
            f"efficiencies of {efficiency.shape}; give as many of each, two or more."
        )
    if not (
        energy[0] > 0 and np.isfinite(energy).all() and (np.diff(energy) > 0).all()
    ):
        raise ValueError(
            "`efficiency_curve` has energies that are not finite, above zero and "
            "increasing; give them in keV, each once."
        )
    if not ((efficiency >= 0) & (efficiency <= 1)).all():
        raise ValueError(
            "`efficiency_curve` has efficiencies that are not between 0 and 1; divide "
            "percent by 100."
        )
    if efficiency.max() == 0:
        raise ValueError("`efficiency_curve` is zero everywhere: nothing is counted.")
    return tuple(energy.tolist()), tuple(efficiency.tolist())


@dataclass(frozen=True, eq=False)
class Acquisition:
    """The conditions of one measurement.

    Parameters
    ----------
    energy : ndarray, shape (n_channels,)
        Centres of the channels, increasing and uniform; keV for EDS, eV for EELS.
    technique : {"EDS_TEM", "EDS_SEM", "EELS"}
        The signal type that HyperSpy gives it.
    beam_energy_keV : float
        Kinetic energy of the electrons.
    take_off_angle : float
        Angle between the specimen's surface and the detector, degrees (EDS).
    detector : Detector or None
        The X-ray detector (EDS).
    convergence_angle_mrad, collection_angle_mrad : float or None
        Semi-angles (EELS).
    live_time_s, beam_current_nA : float or None
        The dose, where it is known.
    """

    energy: np.ndarray
    technique: str
    beam_energy_keV: float
    take_off_angle: float = 90.0
    detector: Detector | None = None
    convergence_angle_mrad: float | None = None
    collection_angle_mrad: float | None = None
    live_time_s: float | None = None
    beam_current_nA: float | None = None

    @property
    def channel_width(self) -> float:
        """Width of a channel, in the unit of ``energy``."""
        return float((self.energy[-1] - self.energy[0]) / (self.energy.size - 1))
