# SPDX-License-Identifier: GPL-3.0-or-later
"""Of which spectra a model knows the phases: axis, technique, beam, channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["SpectrumConditions"]

AXIS_TOLERANCE = 0.1  # of a channel, at both ends of the axis
BEAM_TOLERANCE = 0.02  # relative


@dataclass(frozen=True, eq=False)
class SpectrumConditions:
    """What the spectra of a model have in common.

    Parameters
    ----------
    technique : {"EDS_SEM", "EDS_TEM", "EELS"}
    first_energy, channel_width : float
        Energy of the first channel's centre and width of a channel; keV for EDS, eV
        for EELS.
    used_channels : ndarray of bool, shape (n_channels,)
        Channels that are looked at.
    beam_energy_keV : float or None
        None where nobody knows.
    """

    technique: str
    first_energy: float
    channel_width: float
    used_channels: np.ndarray
    beam_energy_keV: float | None = None

    @property
    def n_channels(self) -> int:
        """Channels of the spectra, used or not."""
        return self.used_channels.size

    @property
    def unit(self) -> str:
        """Of the energies: "keV" or "eV"."""
        return "eV" if self.technique == "EELS" else "keV"

    @property
    def energy(self) -> np.ndarray:
        """Centres of the channels."""
        return self.first_energy + self.channel_width * np.arange(self.n_channels)

    def differences(self, measured: SpectrumConditions) -> list[str]:
        """In what spectra differ from those that the model knows.

        Parameters
        ----------
        measured : SpectrumConditions
            Of other spectra.

        Returns
        -------
        list of str
            One for each difference; empty if there is none. Channels that are used
            are not compared.
        """
        found = []
        if measured.technique != self.technique:
            found.append(f"the technique is {measured.technique}, not {self.technique}")
            return found
        if measured.n_channels != self.n_channels or not self._same_axis(measured):
            found.append(f"the energy axis is {measured._axis}, not {self._axis}")
        mine, other = self.beam_energy_keV, measured.beam_energy_keV
        if mine and other and abs(mine - other) > BEAM_TOLERANCE * mine:
            found.append(f"the beam energy is {other:g} keV, not {mine:g} keV")
        return found

    def _same_axis(self, other: SpectrumConditions) -> bool:
        ends = np.abs(self.energy[[0, -1]] - other.energy[[0, -1]])
        return bool((ends < AXIS_TOLERANCE * self.channel_width).all())

    @property
    def _axis(self) -> str:
        return (
            f"{self.n_channels} channels of {self.channel_width:.6g} {self.unit} from "
            f"{self.first_energy:.6g} {self.unit}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the card of a model."""
        return {
            "technique": self.technique,
            "first_energy": self.first_energy,
            "channel_width": self.channel_width,
            "energy_unit": self.unit,
            "n_channels": self.n_channels,
            "unused_channels": _runs(~self.used_channels),
            "beam_energy_keV": self.beam_energy_keV,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SpectrumConditions:
        """What `to_dict` wrote.

        Parameters
        ----------
        values : mapping

        Returns
        -------
        SpectrumConditions

        Raises
        ------
        ValueError
            If something is missing or makes no sense.
        """
        try:
            used = np.ones(_size(values["n_channels"]), dtype=bool)
            for first, last in values["unused_channels"]:
                used[int(first) : int(last) + 1] = False
            beam = values["beam_energy_keV"]
            return cls(
                str(values["technique"]),
                float(values["first_energy"]),
                float(values["channel_width"]),
                used,
                None if beam is None else float(beam),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"the conditions of the spectra cannot be read ({error})"
            ) from error


def _size(n_channels: object) -> int:
    if not isinstance(n_channels, int) or not 1 <= n_channels <= 1_000_000:
        raise ValueError(f"n_channels is {n_channels!r}")
    return n_channels


def _runs(flags: np.ndarray) -> list[list[int]]:
    """First and last place of each run of True."""
    steps = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    firsts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [[int(a), int(b) - 1] for a, b in zip(firsts, ends, strict=True)]
