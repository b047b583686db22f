# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of a measured signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..physics.composition import atomic_to_mass_fractions
from ..physics.specimen import Specimen
from .acquisition import acquisition_from_signal, technique_of
from .eels_gmatrix import eels_g_matrix
from .elements import elements_from_signal
from .quantification.specimen import bulk_g_matrix

if TYPE_CHECKING:
    from ..physics.acquisition import Detector
    from ..physics.gmatrix import GMatrix

_GEOMETRY = {"EDS_TEM": "film", "EDS_SEM": "bulk"}


def g_matrix(
    s: Any,
    elements: Iterable[str] | None = None,
    *,
    geometry: str | None = None,
    composition: Mapping[str, float] | None = None,
    composition_units: str = "weight",
    mass_thickness: float = 0.0,
    specimen: Specimen | None = None,
    detector: Detector | str = "auto",
    continuum_degree: int | None = 3,
    low_loss: Any = None,
    gos: str | PathLike[str] = "hydrogenic",
    white_lines: bool = True,
    fit_window: tuple[float, float] | None = None,
) -> GMatrix:
    """Return what each element would add to the spectra of a signal.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
        The signal. Beam energy, take-off angle and resolution, or the angles of EELS,
        are read from its metadata, the channels from its energy axis. Of EELS, the sum
        over all pixels tells the exponent of the background and the white lines.
    elements : sequence of str, optional
        Symbols. By default those of the metadata.
    geometry : {"film", "bulk"}, optional
        A film so thin that the beam loses no energy in it, the default for EDS_TEM;
        or a flat bulk, the default for EDS_SEM.
    composition : mapping of str to float, optional
        Mean composition of the specimen, which absorbs the X-rays; its sum does
        not matter. Needed if ``mass_thickness`` is not zero. That of a bulk is found
        from the sum of all spectra, with the energy scale, if it is not given.
    composition_units : {"weight", "atomic"}
        What ``composition`` counts.
    mass_thickness : float, default 0
        Density times thickness of the film in g/cm2 (100 nm of iron are 7.9e-5).
        0 means that nothing is absorbed in the specimen.
    specimen : Specimen, optional
        Instead of the four parameters above.
    detector : Detector or str, default "auto"
        A name is one of :func:`hspy_ml.physics.detector.make_detector`, and takes
        the resolution of the metadata.
    continuum_degree : int or None, default 3
        Degree of the polynomials that describe the bremsstrahlung; None leaves it
        out.
    low_loss : EELSSpectrum, optional
        EELS: the low-loss spectrum, or an image of which the mean is taken, that edges
        are convolved with.
    gos : {"hydrogenic", "dipole", "dft", "dirac"} or path, default "hydrogenic"
        EELS: where cross sections come from. "hydrogenic" is exspy's model for K and L
        edges, and the dipole approximation for M and N edges; "dft" and "dirac" are
        exspy's tables, if it has downloaded them, as is the path of a ``.gosh`` file.
    white_lines : bool, default True
        EELS: whether bumps on the onsets stand for what a continuum edge lacks.
    fit_window : tuple of float, optional
        EELS: lowest and highest energy loss to fit, eV; by default from 15 % below the
        first edge to 30 %, at least 100 eV, above the last.

    Returns
    -------
    GMatrix
        Channels by columns. What weights count is described at
        :func:`~hspy_ml.physics.gmatrix.build_g_matrix` and, for EELS, at
        :func:`~hspy_ml.physics.eels_gmatrix.build_eels_g_matrix`.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.
    """
    from ..physics.gmatrix import build_g_matrix

    if technique_of(s) == "EELS":
        if not (geometry is composition is specimen is None and mass_thickness == 0):
            raise ValueError(
                "`geometry`, `composition`, `mass_thickness` and `specimen` describe "
                "what absorbs X-rays; leave them out for EELS."
            )
        return eels_g_matrix(
            s,
            elements,
            low_loss=low_loss,
            gos=gos,
            white_lines=white_lines,
            fit_window=fit_window,
        )
    if low_loss is not None or fit_window is not None:
        raise ValueError(
            "`low_loss` and `fit_window` are for EELS, but `s` is an EDS signal; leave "
            "them out, and channels with `signal_mask`."
        )
    if specimen is None and composition is None:
        geometry = geometry or _GEOMETRY[technique_of(s)]
        if geometry == "bulk":
            return bulk_g_matrix(
                s, elements, detector=detector, continuum_degree=continuum_degree
            )
    acquisition = acquisition_from_signal(s, detector)
    symbols = elements_from_signal(s, elements)
    if specimen is None:
        specimen = specimen_from(
            geometry or _GEOMETRY[acquisition.technique],
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
