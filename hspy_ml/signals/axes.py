# SPDX-License-Identifier: GPL-3.0-or-later
"""The energy axis of a signal, in the unit that the physics expects."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_UNIT_IN_TEXT = re.compile(r"(?<![A-Za-z])(k?)eV(?![A-Za-z])", re.IGNORECASE)
_HIGHEST_EDS_KEV = 1000.0
_LOWEST_EDS_SPAN_KEV = 0.2


def energy_axis(s: Any, unit: str) -> np.ndarray:
    """Return the centres of the channels of a spectrum.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        A signal with one signal axis, uniform and increasing, in eV or keV.
    unit : {"keV", "eV"}
        The unit to return.

    Returns
    -------
    ndarray, shape (n_channels,)
        Energies in ``unit``.

    Raises
    ------
    ValueError
        If the axis is not one uniform, increasing energy axis in eV or keV.
    """
    axis = _signal_axis(s)
    _check_uniform(axis)
    _check_increasing(axis)
    given = energy_unit(axis)
    energy = axis.offset + axis.scale * np.arange(axis.size, dtype=float)
    return energy * _factor(given, unit)


def energy_unit(axis: Any) -> str:
    """Read the unit of an energy axis, however it is spelled.

    Parameters
    ----------
    axis : hyperspy.axes.DataAxis
        The axis; its units are read first, then its name.

    Returns
    -------
    {"keV", "eV"}
        For example "eV" for "Energy Loss (eV)".

    Raises
    ------
    ValueError
        If neither units nor name tell.
    """
    for text in (axis.units, axis.name):
        found = _UNIT_IN_TEXT.search(str(text))
        if found:
            return "keV" if found.group(1) else "eV"
    raise ValueError(
        f"The units of the energy axis are {str(axis.units)!r}, not 'keV' or 'eV'. "
        "Set them with `s.axes_manager[-1].units = 'keV'`."
    )


def check_plausible_eds(energy_keV: np.ndarray) -> None:
    """Refuse an EDS axis whose units cannot be what they say.

    Parameters
    ----------
    energy_keV : ndarray
        The channels, in keV if the units of the axis are right.

    Raises
    ------
    ValueError
        If the axis ends above 1000 keV, spans less than 0.2 keV, or holds no
        positive energy.
    """
    first, last = energy_keV[0], energy_keV[-1]
    if last <= 0:
        raise ValueError(
            f"The energy axis ends at {last:g} keV, at or below zero: set the "
            "`offset` and `scale` of `s.axes_manager[-1]`."
        )
    if last > _HIGHEST_EDS_KEV:
        _raise_implausible(first, last, "eV")
    if energy_keV.size > 2 and last - first < _LOWEST_EDS_SPAN_KEV:
        _raise_implausible(first, last, "keV")


def _raise_implausible(first: float, last: float, likely: str) -> None:
    raise ValueError(
        f"By its units the energy axis runs from {first:g} to {last:g} keV, which no "
        f"X-ray detector does: the units are probably {likely!r}. Set them with "
        f"`s.axes_manager[-1].units = {likely!r}`."
    )


def _signal_axis(s: Any) -> Any:
    axes = s.axes_manager.signal_axes
    if len(axes) != 1:
        raise ValueError(
            f"`s` has {len(axes)} signal axes, but a spectrum has one, the energy. "
            "Choose it with `s.transpose(signal_axes=[...])`."
        )
    if axes[0].size < 2:
        raise ValueError(
            f"`s` is an empty signal: its energy axis has {axes[0].size} channel(s). "
            "Check the file it was loaded from."
        )
    return axes[0]


def _check_uniform(axis: Any) -> None:
    if not axis.is_uniform:
        raise ValueError(
            f"The energy axis is a {type(axis).__name__}, but it must be uniform. "
            "If its steps are equal, call "
            "`s.axes_manager[-1].convert_to_uniform_axis()`."
        )


def _check_increasing(axis: Any) -> None:
    if not (np.isfinite(axis.scale) and np.isfinite(axis.offset)):
        raise ValueError(
            f"The energy axis has the scale {axis.scale} and the offset "
            f"{axis.offset}; both must be finite numbers. Set them with "
            "`s.axes_manager[-1].scale = ...` and `.offset`."
        )
    if axis.scale < 0:
        raise ValueError(
            f"The energy axis is reversed (scale {axis.scale:g}); turn it with "
            "`s = s.isig[::-1]`."
        )
    if axis.scale == 0:
        raise ValueError(
            "The scale of the energy axis is 0; set it with "
            "`s.axes_manager[-1].scale = ...`."
        )


def _factor(given: str, wanted: str) -> float:
    exponent = {"eV": 0, "keV": 3}
    return 10.0 ** (exponent[given] - exponent[wanted])
