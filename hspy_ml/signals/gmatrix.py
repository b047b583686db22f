# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of a measured signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..physics.composition import atomic_to_mass_fractions
from ..physics.specimen import Specimen
from .acquisition import acquisition_from_signal
from .elements import elements_from_signal

if TYPE_CHECKING:
    from ..physics.acquisition import Detector
    from ..physics.gmatrix import GMatrix


def g_matrix(
    s: Any,
    elements: Iterable[str] | None = None,
    *,
    geometry: str | None = None,
    composition: Mapping[str, float] | None = None,
    composition_units: str = "weight",
    mass_thickness: float = 0.0,
    specimen: Specimen | None = None,
    detector: Detector | str = "windowless",
    continuum_degree: int | None = 3,
) -> GMatrix:
    """Return what each element would add to the spectra of a signal.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
        The signal. Beam energy, take-off angle and resolution are read from its
        metadata, the channels from its energy axis.
    elements : sequence of str, optional
        Symbols. By default those of the metadata.
    geometry : {"film", "bulk"}, optional
        A film so thin that the beam loses no energy in it, the default for
        EDS_TEM; or a flat bulk. For EDS_SEM it has to be said.
    composition : mapping of str to float, optional
        Mean composition of the specimen, which absorbs the X-rays; its sum does
        not matter. Needed if ``mass_thickness`` is not zero.
    composition_units : {"weight", "atomic"}
        What ``composition`` counts.
    mass_thickness : float, default 0
        Density times thickness of the film in g/cm2 (100 nm of iron are 7.9e-5).
        0 means that nothing is absorbed in the specimen.
    specimen : Specimen, optional
        Instead of the four parameters above.
    detector : Detector or str, default "windowless"
        A name is one of :func:`hspy_ml.physics.detector.make_detector`, and takes
        the resolution of the metadata.
    continuum_degree : int or None, default 3
        Degree of the polynomials that describe the bremsstrahlung; None leaves it
        out.

    Returns
    -------
    GMatrix
        Channels by columns.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.
    """
    from ..physics.gmatrix import build_g_matrix

    acquisition = acquisition_from_signal(s, detector)
    symbols = elements_from_signal(s, elements)
    if specimen is None:
        specimen = specimen_from(
            _geometry(geometry, acquisition.technique),
            composition,
            composition_units,
            mass_thickness,
        )
    elif not (geometry is None and composition is None and mass_thickness == 0):
        raise ValueError(
            "`specimen` was given together with `geometry`, `composition` or "
            "`mass_thickness`, which it already says; give one or the other."
        )
    return build_g_matrix(
        acquisition, symbols, specimen, continuum_degree=continuum_degree
    )


def specimen_from(
    geometry: str,
    composition: Mapping[str, float] | None = None,
    composition_units: str = "weight",
    mass_thickness: float = 0.0,
) -> Specimen:
    """Check what the user says of the specimen.

    Parameters
    ----------
    geometry, composition, composition_units, mass_thickness
        As for :func:`g_matrix`.

    Returns
    -------
    Specimen
        With mass fractions that sum to one, or none.

    Raises
    ------
    ValueError
        If one of them is not allowed, or a mass thickness comes without a
        composition.
    """
    if geometry not in ("film", "bulk"):
        raise ValueError(f"`geometry` is {geometry!r}; it must be 'film' or 'bulk'.")
    if not (np.isfinite(mass_thickness) and mass_thickness >= 0):
        raise ValueError(
            f"`mass_thickness` is {mass_thickness}; it must be zero or more, in g/cm2."
        )
    if composition is None and mass_thickness > 0:
        raise ValueError(
            "`mass_thickness` was given without `composition`, which decides what is "
            "absorbed; give the mean composition, such as {'Fe': 70, 'O': 30}."
        )
    return Specimen(
        _mass_fractions(composition, composition_units),
        geometry,
        float(mass_thickness),
    )


def _geometry(geometry: str | None, technique: str) -> str:
    if geometry is None and technique == "EDS_SEM":
        raise ValueError(
            "`s` is an EDS_SEM signal, most likely of a bulk, for which the response "
            "is not available yet. If the specimen is a thin film, say so: "
            "`hspy_ml.g_matrix(s, geometry='film')`, which `s.physics_nmf` takes as "
            "`g_matrix`; for a bulk the composition would be wrong by tens of percent."
        )
    if technique == "EELS":
        raise NotImplementedError(
            "`s` is an EELS signal, for which the G-matrix is not available yet."
        )
    return geometry or "film"


def _mass_fractions(
    composition: Mapping[str, float] | None, composition_units: str
) -> dict[str, float]:
    if composition_units not in ("weight", "atomic"):
        raise ValueError(
            f"`composition_units` is {composition_units!r}; it must be 'weight' or "
            "'atomic'."
        )
    if composition is None:
        return {}
    amounts = {
        e: float(composition[e]) for e in elements_from_signal(None, composition)
    }
    total = sum(amounts.values())
    if not (0 < total < np.inf and min(amounts.values()) >= 0):
        raise ValueError(
            f"`composition` is {dict(composition)}; give amounts of zero or more, at "
            "least one of them above zero."
        )
    if composition_units == "atomic":
        return atomic_to_mass_fractions(amounts)
    return {element: amount / total for element, amount in amounts.items()}
