# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network was trained for, and whether a signal is that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..physics.acquisition import Acquisition
    from ..physics.low_loss import LowLoss
    from ..simulation.channel_bins import ChannelBins

__all__ = ["NetworkConditions", "channel_runs", "instrument_of", "low_loss_shares"]

LARGEST_SHIFT_EV = {"keV": 3.0, "eV": 0.5}  # by the axis's unit: of X-rays, of losses
RESOLUTION = 0.03
BEAM_ENERGY = 0.01
TAKE_OFF_ANGLE_DEGREES = 1.5
EFFICIENCY = 0.03
THICKNESS = 0.3
ANGLE = 0.05
LOW_LOSS = 0.03
WHITE_LINE_EV = 8.0
LOW_LOSS_EV = (5.0, 12.0, 20.0, 30.0, 50.0, 100.0)
EFFICIENCY_AT_KEV = (0.3, 0.5, 0.8, 1.2, 2.0, 4.0, 8.0, 15.0)


@dataclass(frozen=True)
class NetworkConditions:
    """The spectra that a network is for; plain values.

    Parameters
    ----------
    technique : str
        HyperSpy's signal type.
    elements : tuple of str
        In the order of the network's answers.
    unnamed : tuple of str
        Elements that may be there besides, and do not count.
    rule : dict
        How the element is found that no line measures; empty if all are measured.
    geometry : str
        "film", "bulk", or "" for EELS.
    mass_thickness : float
        Of a film, g/cm2.
    beam_energy_keV : float
    take_off_angle : float
        Degrees.
    resolution_MnKa_eV : float
        0 for EELS.
    efficiency : tuple of float
        Of the detector, at a few energies.
    energy_unit : {"keV", "eV"}
    energy_offset, channel_width : float
        Of the axis, as refined.
    n_channels : int
    used_channels : tuple of (int, int)
        First channel, and the one after the last, of each run.
    channels_per_bin : int
    counts : tuple of float
        Fewest and most expected counts of a spectrum.
    columns : tuple of str
        Names of the columns of its G-matrix, those of `unnamed` last.
    measuring : tuple of int
        The columns that measure.
    convergence_angle_mrad, collection_angle_mrad : float, default 0
        Of core losses.
    low_loss : tuple of float, optional
        Shares of the electrons in a few ranges of energy loss, if edges are convolved.
    """

    technique: str
    elements: tuple[str, ...]
    unnamed: tuple[str, ...]
    rule: dict[str, Any]
    geometry: str
    mass_thickness: float
    beam_energy_keV: float
    take_off_angle: float
    resolution_MnKa_eV: float
    efficiency: tuple[float, ...]
    energy_unit: str
    energy_offset: float
    channel_width: float
    n_channels: int
    used_channels: tuple[tuple[int, int], ...]
    channels_per_bin: int
    counts: tuple[float, float]
    columns: tuple[str, ...]
    measuring: tuple[int, ...]
    convergence_angle_mrad: float = 0.0
    collection_angle_mrad: float = 0.0
    low_loss: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a model's card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConditions:
        """From what a model's card holds.

        Parameters
        ----------
        values : mapping

        Returns
        -------
        NetworkConditions

        Raises
        ------
        ValueError
            If something is missing or of another kind.
        """
        needed = [f.name for f in fields(cls) if f.default is MISSING]
        missing = [name for name in needed if name not in values]
        if missing:
            raise ValueError(f"its conditions lack {', '.join(missing)}")
        try:
            known = [f.name for f in fields(cls) if f.name in values]
            return cls(**{name: _frozen(values[name]) for name in known})._checked()
        except (TypeError, ValueError) as error:
            raise ValueError(f"its conditions are wrong: {error}") from error

    def _checked(self) -> NetworkConditions:
        if not self.elements or self.n_channels < 1 or self.channel_width <= 0:
            raise ValueError("elements or energy axis are empty")
        runs = np.array(self.used_channels, dtype=int).reshape(-1, 2)
        if not runs.size or runs.min() < 0 or runs.max() > self.n_channels:
            raise ValueError("the channels used are not on the axis")
        float(self.beam_energy_keV), float(self.energy_offset)
        return self

    @property
    def bins(self) -> ChannelBins:
        """Its channels and bins."""
        from ..simulation.channel_bins import ChannelBins

        used = np.zeros(self.n_channels, bool)
        for first, end in self.used_channels:
            used[first:end] = True
        return ChannelBins(used, self.channels_per_bin)

    def differences(self, wanted: NetworkConditions) -> list[str]:
        """Why a signal of other conditions cannot be read by this network.

        Parameters
        ----------
        wanted : NetworkConditions
            Those of the signal.

        Returns
        -------
        list of str
            One sentence each; empty if it can.
        """
        checks = (_kind, _elements, _axis, _instrument, _specimen, _core_losses)
        return [text for check in checks for text in check(self, wanted)]


def instrument_of(acquisition: Acquisition) -> dict[str, Any]:
    """The conditions that an acquisition tells.

    Parameters
    ----------
    acquisition : Acquisition

    Returns
    -------
    dict
        Arguments of `NetworkConditions`.
    """
    from ..physics.detector import efficiency

    detector = acquisition.detector
    seen = [] if detector is None else efficiency(detector, EFFICIENCY_AT_KEV).tolist()
    return {
        "technique": acquisition.technique,
        "beam_energy_keV": float(acquisition.beam_energy_keV),
        "take_off_angle": float(acquisition.take_off_angle),
        "resolution_MnKa_eV": 0.0 if detector is None else detector.resolution_MnKa_eV,
        "efficiency": tuple(round(value, 4) for value in seen),
        "energy_unit": "eV" if acquisition.technique == "EELS" else "keV",
        "energy_offset": float(acquisition.energy[0]),
        "channel_width": acquisition.channel_width,
        "n_channels": int(acquisition.energy.size),
        "convergence_angle_mrad": float(acquisition.convergence_angle_mrad or 0),
        "collection_angle_mrad": float(acquisition.collection_angle_mrad or 0),
    }


def low_loss_shares(low_loss: LowLoss | None) -> tuple[float, ...]:
    """Shares of the electrons that lost less than 5, 5 to 12, 12 to 20 eV and so on.

    Parameters
    ----------
    low_loss : LowLoss or None

    Returns
    -------
    tuple of float
        Empty without a low loss.
    """
    if low_loss is None:
        return ()
    places = np.searchsorted(LOW_LOSS_EV, low_loss.energy_eV)
    shares = np.bincount(places, low_loss.share, minlength=len(LOW_LOSS_EV) + 1)
    return tuple(np.round(shares, 4).tolist())


def channel_runs(used: np.ndarray) -> tuple[tuple[int, int], ...]:
    """First channel, and the one after the last, of each run of used channels."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], used.astype(int), [0]])))
    return tuple((int(a), int(b)) for a, b in edges.reshape(-1, 2))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _kind(model: NetworkConditions, signal: NetworkConditions) -> list[str]:
    if model.technique == signal.technique:
        return []
    return [f"it is for {model.technique} and the signal is {signal.technique}"]


def _elements(model: NetworkConditions, signal: NetworkConditions) -> list[str]:
    found = []
    if set(model.elements) != set(signal.elements):
        found.append(
            f"it knows the elements {', '.join(model.elements)} and the signal has "
            f"{', '.join(signal.elements)}"
        )
    unknown = set(signal.unnamed) - set(model.unnamed) - set(model.elements)
    if unknown:
        found.append(
            f"the signal shows {', '.join(sorted(unknown))}, which nobody named and it "
            "was not trained for"
        )
    if model.rule != signal.rule:
        found.append(f"it finds {_rule(model)} and the signal needs {_rule(signal)}")
    return found


def _rule(conditions: NetworkConditions) -> str:
    if not conditions.rule:
        return "all elements by their lines"
    return f"{conditions.rule['element']} by {conditions.rule['rule']}"


def _axis(model: NetworkConditions, signal: NetworkConditions) -> list[str]:
    if model.energy_unit != signal.energy_unit:
        return []
    if model.n_channels != signal.n_channels:
        return [
            f"its energy axis has {model.n_channels} channels and the signal "
            f"{signal.n_channels}"
        ]
    to_eV = 1e3 if model.energy_unit == "keV" else 1.0
    last = model.n_channels - 1
    shifts = [
        to_eV
        * (
            model.energy_offset
            - signal.energy_offset
            + place * (model.channel_width - signal.channel_width)
        )
        for place in (0, last // 2)
    ]
    found = []
    if max(map(abs, shifts)) > LARGEST_SHIFT_EV[model.energy_unit]:
        found.append(
            f"its energy axis ({model.energy_offset:.5g} {model.energy_unit} + "
            f"{model.channel_width:.6g} per channel) is off by {shifts[0]:+.1f} to "
            f"{shifts[1]:+.1f} eV from the signal's as refined "
            f"({signal.energy_offset:.5g} + {signal.channel_width:.6g})"
        )
    if model.used_channels != signal.used_channels:
        found.append("other channels of the axis are used")
    return found


def _instrument(model: NetworkConditions, signal: NetworkConditions) -> list[str]:
    found = []
    energy, own = signal.beam_energy_keV, model.beam_energy_keV
    if abs(energy - own) > BEAM_ENERGY * own:
        found.append(f"its beam energy is {own:g} keV and the signal's {energy:g} keV")
    angle = signal.take_off_angle
    if abs(angle - model.take_off_angle) > TAKE_OFF_ANGLE_DEGREES:
        found.append(
            f"its take-off angle is {model.take_off_angle:.3g} degrees and the "
            f"signal's {angle:.3g}"
        )
    width, own = signal.resolution_MnKa_eV, model.resolution_MnKa_eV
    if abs(width - own) > RESOLUTION * max(own, 1e-9):
        found.append(
            f"its resolution is {own:.1f} eV and the signal's, as refined, {width:.1f}"
        )
    pairs = zip(model.efficiency, signal.efficiency, strict=False)
    if any(abs(a - b) > EFFICIENCY for a, b in pairs):
        found.append("its detector has another efficiency (window, thickness)")
    return found


def _specimen(model: NetworkConditions, signal: NetworkConditions) -> list[str]:
    if model.geometry != signal.geometry:
        return [f"it is for a {model.geometry} and the specimen is a {signal.geometry}"]
    largest = max(model.mass_thickness, signal.mass_thickness)
    if abs(model.mass_thickness - signal.mass_thickness) > THICKNESS * largest:
        return [
            f"it is for films of {model.mass_thickness:.3g} g/cm2 and the signal's has "
            f"{signal.mass_thickness:.3g}"
        ]
    return []


def _core_losses(model: NetworkConditions, signal: NetworkConditions) -> list[str]:
    if model.technique != "EELS" or signal.technique != "EELS":
        return []
    found = []
    for name in ("convergence_angle_mrad", "collection_angle_mrad"):
        own, angle = getattr(model, name), getattr(signal, name)
        if abs(angle - own) > ANGLE * own:
            found.append(
                f"its {name.split('_')[0]} angle is {own:g} mrad and the signal's "
                f"{angle:g} mrad"
            )
    if bool(model.low_loss) != bool(signal.low_loss):
        which, other = ("with", "without") if model.low_loss else ("without", "with")
        found.append(f"it was trained {which} a low loss and the signal is {other} one")
    pairs = zip(model.low_loss, signal.low_loss, strict=False)
    if any(abs(a - b) > LOW_LOSS for a, b in pairs):
        found.append("its edges are convolved with another low loss (thickness)")
    unknown = [name for name in signal.columns if not _is_known(name, model.columns)]
    if set(model.elements) == set(signal.elements) and unknown:
        found.append(
            f"the signal shows {', '.join(unknown)}, which it was not trained for"
        )
    return found


def _is_known(name: str, columns: tuple[str, ...]) -> bool:
    """Whether a column is there; of white lines, one nearby of the same edge."""
    if name in columns:
        return True
    edge, place = _white_line(name)
    others = [_white_line(c) for c in columns]
    return any(e == edge and abs(p - place) <= WHITE_LINE_EV for e, p in others if e)


def _white_line(name: str) -> tuple[str, float]:
    """Edge and place in eV of a column such as "Mn L +49 eV"; empty of others."""
    edge, _, shift = name.removesuffix(" eV").rpartition(" ")
    return (edge, float(shift)) if name.endswith(" eV") else ("", 0.0)
