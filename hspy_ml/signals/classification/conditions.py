# SPDX-License-Identifier: GPL-3.0-or-later
"""Under which conditions the spectra of a signal were measured."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from ...classification.conditions import SpectrumConditions
from ..acquisition import technique_of
from ..axes import check_plausible_eds, energy_axis
from ..masks import flat_signal_mask

LOWEST_ENERGY_KEV = 0.2
"""X-ray channels below hold the noise of the electronics, and are not looked at."""


def conditions_of(s: Any, signal_mask: Any = None) -> SpectrumConditions:
    """Read what a classifier has to know of a signal.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
    signal_mask : array of bool or BaseSignal, optional
        Channels to leave out (True); by default, of X-rays, those below
        :data:`LOWEST_ENERGY_KEV` and those above the beam energy.

    Returns
    -------
    SpectrumConditions

    Raises
    ------
    TypeError, ValueError
        If it is no such signal, or its axis or the mask cannot be used.
    """
    technique = technique_of(s)
    energy = energy_axis(s, "eV" if technique == "EELS" else "keV")
    beam = _beam_energy(s)
    if technique != "EELS":
        check_plausible_eds(energy)
    if signal_mask is not None:
        used = ~flat_signal_mask(s, signal_mask)
    else:
        used = _default_channels(technique, energy, beam)
    width = float((energy[-1] - energy[0]) / (energy.size - 1))
    return SpectrumConditions(technique, float(energy[0]), width, used, beam)


def _beam_energy(s: Any) -> float | None:
    for microscope in ("SEM", "TEM"):
        value = s.metadata.get_item(f"Acquisition_instrument.{microscope}.beam_energy")
        if isinstance(value, Real) and 0 < float(value) < np.inf:
            return float(value)
    return None


def _default_channels(
    technique: str, energy: np.ndarray, beam_energy_keV: float | None
) -> np.ndarray:
    if technique == "EELS":
        return np.ones(energy.size, dtype=bool)
    used = (energy >= LOWEST_ENERGY_KEV) & (energy <= (beam_energy_keV or np.inf))
    return used if used.any() else np.ones(energy.size, dtype=bool)
