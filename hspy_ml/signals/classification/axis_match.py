# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of one energy axis in the channels of another."""

from __future__ import annotations

import warnings

import numpy as np

from ...classification.conditions import SpectrumConditions

__all__ = ["on_the_axis", "rebinned"]

COARSEST = 1.5  # channel widths of the signal


def on_the_axis(
    spectra: np.ndarray,
    measured: SpectrumConditions,
    wanted: SpectrumConditions,
    name: str,
) -> np.ndarray:
    """Bring reference spectra to the energy axis of a signal.

    Parameters
    ----------
    spectra : ndarray, shape (n_spectra, n_channels)
        Counts of the references.
    measured, wanted : SpectrumConditions
        Of the references, and of the signal.
    name : str
        What the user calls them, for the messages.

    Returns
    -------
    ndarray, shape (n_spectra, wanted.n_channels)
        `spectra` themselves if the axes are the same.

    Raises
    ------
    ValueError
        If they are of another technique or beam energy, do not cover the channels
        that are used, or have channels too wide to show what the signal shows.

    Warns
    -----
    UserWarning
        If they were rebinned.
    """
    differences = wanted.differences(measured)
    on_axis = [d for d in differences if d.startswith("the energy axis")]
    others = [d for d in differences if d not in on_axis]
    if others:
        raise ValueError(
            f"{name} cannot be compared with `s`: {'; '.join(others)}. Give references "
            "that were measured as `s` was."
        )
    if not on_axis:
        return spectra
    _check_coverage(measured, wanted, name)
    warnings.warn(
        f"{name} is rebinned to the energy axis of `s`: {on_axis[0]}. Peaks get a "
        "little wider by that; measure references on the same axis if you can.",
        UserWarning,
        stacklevel=2,
    )
    return rebinned(spectra, measured.energy, wanted.energy)


def rebinned(spectra: np.ndarray, energy: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Share counts out to other channels, in proportion to what they overlap.

    Parameters
    ----------
    spectra : ndarray, shape (n_spectra, n_channels)
    energy : ndarray, shape (n_channels,)
        Centres of their channels, uniform.
    wanted : ndarray, shape (n_wanted,)
        Centres of the other channels, uniform.

    Returns
    -------
    ndarray, shape (n_spectra, n_wanted)
        With the same counts, but for those beyond the wanted axis.
    """
    running = np.cumsum(spectra, axis=1, dtype=np.float64)
    running = np.concatenate([np.zeros((len(spectra), 1)), running], axis=1)
    edges, wanted_edges = _edges(energy), _edges(wanted)
    at_edges = [np.interp(wanted_edges, edges, row) for row in running]
    return np.diff(at_edges, axis=1)


def _edges(centres: np.ndarray) -> np.ndarray:
    half = 0.5 * (centres[1] - centres[0])
    return np.append(centres - half, centres[-1] + half)


def _check_coverage(
    measured: SpectrumConditions, wanted: SpectrumConditions, name: str
) -> None:
    used = wanted.energy[wanted.used_channels]
    slack = wanted.channel_width
    first, last = measured.energy[0], measured.energy[-1]
    if first > used[0] + slack or last < used[-1] - slack:
        raise ValueError(
            f"{name} runs from {first:.4g} to {last:.4g} {wanted.unit}, which does not "
            f"cover what is used of `s`, {used[0]:.4g} to {used[-1]:.4g}. Leave the "
            "other channels out with `signal_mask`, or give other references."
        )
    if measured.channel_width > COARSEST * wanted.channel_width:
        raise ValueError(
            f"{name} has channels of {measured.channel_width:.4g} {wanted.unit}, too "
            f"wide beside the {wanted.channel_width:.4g} of `s`; rebin `s` to them "
            "with `s.rebin(...)`."
        )
