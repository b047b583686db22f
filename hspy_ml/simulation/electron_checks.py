# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusing what cannot be simulated, with a word on what can."""

from __future__ import annotations

import numpy as np

from .elastic import HIGHEST_KEV, LOWEST_KEV
from .electron_tables import XrayLine

DEFAULT_CUTOFF_KEV = 0.5


def cutoff_energy(
    cutoff_keV: float | None, lines: tuple[XrayLine, ...], beam_energy_keV: float
) -> float:
    if cutoff_keV is None:
        edges = [line.edge_keV for line in lines]
        lowest = min([DEFAULT_CUTOFF_KEV, 0.5 * beam_energy_keV, *edges])
        return max(lowest, LOWEST_KEV)
    if not LOWEST_KEV <= cutoff_keV < beam_energy_keV:
        raise ValueError(
            f"`cutoff_energy_keV` is {cutoff_keV}; it must be at least {LOWEST_KEV} "
            f"and below the beam energy of {beam_energy_keV} keV."
        )
    return float(cutoff_keV)


def check_simulation(
    lines: tuple[XrayLine, ...],
    beam_energy_keV: float,
    n_electrons: int,
    take_off_angle: float,
    tilt: float,
    beam_diameter_nm: float,
    num_workers: int | None,
) -> None:
    if not LOWEST_KEV < beam_energy_keV <= HIGHEST_KEV:
        raise ValueError(
            f"`beam_energy_keV` is {beam_energy_keV}; it must be above {LOWEST_KEV} "
            f"and at most {HIGHEST_KEV:g} keV."
        )
    for line in lines:
        if line.edge_keV >= beam_energy_keV:
            raise ValueError(
                f"`lines` holds {line.element} {line.shell}, whose edge of "
                f"{line.edge_keV:.3f} keV is not below the beam energy of "
                f"{beam_energy_keV} keV; leave it out or raise `beam_energy_keV`."
            )
    _check_count("n_electrons", n_electrons)
    if num_workers is not None:
        _check_count("num_workers", num_workers)
    if not 0 < take_off_angle <= 90:
        raise ValueError(
            f"`take_off_angle` is {take_off_angle} degrees; it must be above 0 and at "
            "most 90."
        )
    if not 0 <= tilt < 90:
        raise ValueError(f"`tilt` is {tilt} degrees; it must be 0 to below 90.")
    if not (np.isfinite(beam_diameter_nm) and beam_diameter_nm >= 0):
        raise ValueError(
            f"`beam_diameter_nm` is {beam_diameter_nm}; it must not be negative."
        )


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(
            f"`{name}` is {value!r}; a whole number above zero is expected."
        )
