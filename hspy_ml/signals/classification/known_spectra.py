# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user knows of phases: spectra, compositions, or the phases of an NMF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...classification.conditions import SpectrumConditions
from ..data import real_numbers, signal_array
from ..result import PhysicsNMFResult
from .axis_match import on_the_axis
from .conditions import conditions_of

if TYPE_CHECKING:
    from ...counts import Counts

__all__ = ["ExpectedSpectra", "MeasuredSpectra", "known_spectra"]

SIMULATED_UNCERTAINTY = 4.0
"""Compositions are about right, and so is the physics: slow changes of 10 %."""


@dataclass(frozen=True, eq=False)
class MeasuredSpectra:
    """Spectra of which it is known what they are of.

    Parameters
    ----------
    names : tuple of str
    counts : Counts
        n_spectra by all channels of the signal.
    labels : ndarray of int, shape (n_spectra,)
        From 1.
    notes : tuple of str
        Where they come from.
    of_this_map : bool
        Whether they are pixels of the signal itself.
    """

    names: tuple[str, ...]
    counts: Counts
    labels: np.ndarray
    notes: tuple[str, ...] = ()
    of_this_map: bool = False
    elements: ClassVar[tuple[str, ...]] = ()  # that they hold: nobody says


@dataclass(frozen=True, eq=False)
class ExpectedSpectra:
    """What phases let expect.

    Parameters
    ----------
    names : tuple of str
    shapes : ndarray, shape (n_phases, n_channels)
        In all channels of the signal, in any unit.
    notes : tuple of str
        Where they come from.
    elements : tuple of str
        That the phases hold; empty where nobody says.
    uncertainty : float
        How much further measured spectra may be from them than spots of a specimen
        scatter.
    """

    names: tuple[str, ...]
    shapes: np.ndarray
    notes: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    uncertainty: float = 1.0


def known_spectra(
    s: Any,
    references: Any,
    conditions: SpectrumConditions,
    counts: Counts,
    detector: Any = "auto",
) -> MeasuredSpectra | ExpectedSpectra:
    """Read what the user gave as `references`.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
        The signal whose phases are asked for.
    references : mapping or PhysicsNMFResult
        By name: spectra (signals, or arrays of the channels of `s`) or compositions
        (formulas or mappings of symbols to atoms); or a result of ``s.physics_nmf``.
    conditions : SpectrumConditions
        Of `s`.
    counts : Counts
        Of `s`, for what simulated spectra take from it.
    detector : Detector or str, default "auto"
        For simulated spectra.

    Returns
    -------
    MeasuredSpectra or ExpectedSpectra

    Raises
    ------
    TypeError
        If it is something else, or spectra and compositions are mixed.
    ValueError
        If there are fewer than two phases, or a spectrum or composition cannot be
        used.
    """
    if isinstance(references, PhysicsNMFResult):
        return _of_factorization(references, conditions)
    if not isinstance(references, Mapping):
        raise TypeError(
            f"`references` is a {type(references).__name__}; give spectra or "
            'compositions by name, such as {"olivine": "Mg1.8Fe0.2SiO4", ...}, or a '
            "result of `s.physics_nmf`."
        )
    _check_number(len(references))
    given = {str(name): value for name, value in references.items()}
    composed = {name: _is_composition(value) for name, value in given.items()}
    if all(composed.values()):
        return _of_compositions(s, given, conditions, counts, detector)
    if any(composed.values()):
        raise TypeError(
            "`references` mixes compositions ("
            f"{', '.join(n for n, c in composed.items() if c)}) with spectra; give "
            "all as compositions or all as spectra."
        )
    return _of_spectra(given, conditions)


def _check_number(n_phases: int) -> None:
    if n_phases < 2:
        raise ValueError(
            f"`references` names {n_phases} phase(s); two or more can be told apart. "
            "To find where one material is not, name what else there may be."
        )


def _is_composition(value: Any) -> bool:
    return isinstance(value, (str, Mapping))


def _of_factorization(
    result: PhysicsNMFResult, conditions: SpectrumConditions
) -> ExpectedSpectra:
    _check_number(result.n_phases)
    spectra = result.spectra
    shapes = on_the_axis(
        np.asarray(spectra.data, dtype=float),
        conditions_of(spectra),
        conditions,
        "The result in `references`",
    )
    names = tuple(f"phase {index}" for index in range(result.n_phases))
    notes = ("References are those of `physics_nmf`.",)
    return ExpectedSpectra(names, shapes, notes, result.elements)


def _of_compositions(
    s: Any,
    compositions: Mapping[str, Any],
    conditions: SpectrumConditions,
    counts: Counts,
    detector: Any,
) -> ExpectedSpectra:
    from ...simulation.spectra import read_phases
    from .simulated import simulated_xray_shapes
    from .simulated_eels import simulated_edge_shapes

    phases = read_phases(compositions)
    total = counts.channel_totals
    if conditions.technique == "EELS":
        shapes, notes = simulated_edge_shapes(s, phases, total)
    else:
        shapes, notes = simulated_xray_shapes(
            s, phases, total, conditions.used_channels, detector
        )
    return ExpectedSpectra(
        phases.names, shapes, tuple(notes), phases.elements, SIMULATED_UNCERTAINTY
    )


def _of_spectra(
    spectra: Mapping[str, Any], conditions: SpectrumConditions
) -> MeasuredSpectra:
    from ...counts.building import counts_from_array

    found = [_spectra_of(name, value, conditions) for name, value in spectra.items()]
    labels = np.repeat(np.arange(1, len(found) + 1), [len(f) for f in found])
    counts = counts_from_array(np.concatenate(found))
    sizes = ", ".join(
        f"{name} {len(f)}" for name, f in zip(spectra, found, strict=True)
    )
    notes = (f"References are measured spectra ({sizes}).",)
    return MeasuredSpectra(tuple(spectra), counts, labels, notes)


def _spectra_of(name: str, value: Any, conditions: SpectrumConditions) -> np.ndarray:
    """Counts of one reference, shape (n_spectra, n_channels of the signal)."""
    where = f"`references[{name!r}]`"
    if hasattr(value, "axes_manager"):
        spectra = np.asarray(signal_array(value))
        _check_counts(spectra, where)
        return on_the_axis(spectra, conditions_of(value), conditions, where)
    spectra = np.atleast_2d(real_numbers(value, f"references[{name!r}]"))
    if spectra.ndim != 2 or spectra.shape[1] != conditions.n_channels:
        raise ValueError(
            f"{where} has the shape {spectra.shape}; give a signal, or an array of the "
            f"{conditions.n_channels} channels of `s`."
        )
    _check_counts(spectra, where)
    return spectra


def _check_counts(spectra: np.ndarray, where: str) -> None:
    if not (np.isfinite(spectra).all() and (spectra >= 0).all() and spectra.any()):
        raise ValueError(
            f"{where} holds counts that are negative or not finite, or none at all; "
            "give it as it was measured."
        )
