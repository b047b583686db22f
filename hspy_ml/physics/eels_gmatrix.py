# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of core-loss EELS: edges, white lines and background as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import numpy as np

from .acquisition import Acquisition
from .edges import Edge, edges_of
from .edges_exspy import HYDROGENIC
from .eels_background import (
    EXPONENTS,
    exponents_around,
    measured_exponent,
    power_law_columns,
)
from .eels_checks import check_eels_acquisition, checked_exponents, checked_spectrum
from .eels_columns import edge_column, white_line_centres, white_line_columns
from .eels_white_lines import needed_columns
from .eels_window import checked_window, choose_edges, default_window, edges_inside
from .gmatrix import Column, GMatrix
from .gmatrix_checks import checked_elements
from .low_loss import LowLoss

__all__ = ["build_eels_g_matrix"]

_GAP_BEFORE_ONSET_EV = 10.0
_FEWEST_CHANNELS = 10


def build_eels_g_matrix(
    acquisition: Acquisition,
    elements: Sequence[str],
    *,
    low_loss: LowLoss | None = None,
    spectrum: np.ndarray | None = None,
    gos: str | PathLike[str] = HYDROGENIC,
    white_lines: bool = True,
    fit_window: tuple[float, float] | None = None,
    exponents: Sequence[float] | None = None,
) -> GMatrix:
    r"""The G-matrix of a core-loss measurement.

    A column of an edge is in nm2, the cross section into the aperture times the width
    of a channel:

    .. math:: \mathrm{counts} = I_0 \sum_Z N_Z G_Z

    with :math:`N_Z` in atoms/nm2 and :math:`I_0` the electrons of the whole low-loss
    spectrum, in the exposure of the core-loss spectrum. So weights are proportional to
    numbers of atoms, and weights divided by :math:`I_0` are atoms/nm2.

    Parameters
    ----------
    acquisition : Acquisition
        Technique "EELS", energies in eV, with beam energy and both semi-angles.
    elements : sequence of str
        Symbols.
    low_loss : LowLoss, optional
        What edges and white lines are convolved with: plural scattering and the
        energy resolution.
    spectrum : ndarray, shape (n_channels,), optional
        A measured spectrum, such as the mean of an image. The exponent of its
        background before the first edge narrows the choice of exponents, and only
        the white lines that it has are kept. It should have many counts.
    gos : {"hydrogenic", "dipole", "dft", "dirac"} or path, default "hydrogenic"
        Where cross sections come from, see
        :func:`~hspy_ml.physics.edges.edge_cross_section`.
    white_lines : bool, default True
        Whether each edge has bumps from 8 eV before to 40 eV after its onset, for what
        a continuum edge lacks. They belong to the element, but do not count for its
        concentration (``Column.quantitative`` is False); what is there of a continuum
        is found further above the onset.
    fit_window : tuple of float, optional
        Lowest and highest energy loss to describe, eV. By default from 15 % below the
        first edge to 30 %, at least 100 eV, above the last. Outside, all columns are
        zero, which leaves those channels out of every fit.
    exponents : sequence of float, optional
        Exponents r of the background's columns ``E**-r``. By default 0.3 to both
        sides of what the spectrum has, in steps of 0.15; without a spectrum from 2 to
        5 in steps of 0.25.

    Returns
    -------
    GMatrix
        For each element in the order given its edge, other edges in the window, and
        its white lines; then the background. ``concentration`` is "atomic". Columns of
        white lines and background have no absolute scale.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If elements, axis, beam energy, angles or a parameter do not allow it; the
        message says what to do.

    Warns
    -----
    UserWarning
        If edges coincide, or range over more than a factor of 4 in energy.
    """
    symbols = checked_elements(elements)
    check_eels_acquisition(acquisition)
    energy = acquisition.energy
    spectrum = checked_spectrum(spectrum, energy.size)
    chosen, (low, high) = _edges_and_window(symbols, energy, fit_window)
    inside = (energy >= low) & (energy <= high)
    if exponents is None:
        exponents = _exponents(spectrum, energy, low, chosen)
    edges = _edge_spectra(chosen, (low, high), acquisition, gos, low_loss)
    scale = float(np.mean([values[inside].sum() for values in edges.values()]))
    background = _background(checked_exponents(exponents), energy, inside, scale)
    bumps: dict[Column, np.ndarray] = {}
    if white_lines:
        for column in edges:
            bumps |= _white_lines(column, acquisition, low_loss, inside, scale)
    if spectrum is not None:
        bumps = _needed(bumps, edges | background, spectrum, inside)
    spectra = _by_element(edges | bumps, symbols) | background
    matrix = np.column_stack(list(spectra.values()))
    matrix[~inside] = 0.0
    return GMatrix(matrix, tuple(spectra), acquisition, None, "atomic")


def _background(
    exponents: Sequence[float], energy: np.ndarray, inside: np.ndarray, scale: float
) -> dict[Column, np.ndarray]:
    columns = np.zeros((energy.size, len(exponents)))
    columns[inside] = scale * power_law_columns(energy[inside], exponents)
    names = [f"background E^-{power:.2f}" for power in exponents]
    return {
        Column(name, "continuum"): values
        for name, values in zip(names, columns.T, strict=True)
    }


def _needed(
    bumps: dict[Column, np.ndarray],
    others: dict[Column, np.ndarray],
    spectrum: np.ndarray,
    inside: np.ndarray,
) -> dict[Column, np.ndarray]:
    """The bumps that a spectrum has, if it is one of counts."""
    counts = spectrum[inside]
    if not bumps or counts.min() < 0 or not counts.any():
        return bumps
    matrix = np.column_stack([*others.values(), *bumps.values()])[inside]
    optional = np.arange(matrix.shape[1]) >= len(others)
    kept = needed_columns(counts, matrix, optional)[len(others) :]
    return {c: v for (c, v), keep in zip(bumps.items(), kept, strict=True) if keep}


def _edges_and_window(
    elements: Sequence[str],
    energy: np.ndarray,
    fit_window: tuple[float, float] | None,
) -> tuple[dict[str, Edge], tuple[float, float]]:
    if fit_window is not None:
        low, high = checked_window(fit_window, energy)
        low, high = max(low, energy[0]), min(high, energy[-1])
        return choose_edges(elements, low, high), (low, high)
    chosen = choose_edges(elements, max(energy[0], 0.0), energy[-1])
    return chosen, default_window(list(chosen.values()), energy)


def _edge_spectra(
    chosen: dict[str, Edge],
    window: tuple[float, float],
    acquisition: Acquisition,
    gos: str | PathLike[str],
    low_loss: LowLoss | None,
) -> dict[Column, np.ndarray]:
    """Edges of the elements in the window; only the chosen ones are quantitative."""
    return {
        Column(edge.name, "element", element, edge.shell, edge == best): edge_column(
            edge, acquisition, gos, low_loss
        )
        for element, best in chosen.items()
        for edge in edges_inside(element, *window)
    }


def _white_lines(
    column: Column,
    acquisition: Acquisition,
    low_loss: LowLoss | None,
    inside: np.ndarray,
    scale: float,
) -> dict[Column, np.ndarray]:
    """Bumps on an edge, as far as half of them is in the window."""
    edge = next(e for e in edges_of(column.element) if e.name == column.name)
    centres = white_line_centres(edge)
    bumps = white_line_columns(centres, acquisition, low_loss)
    seen = bumps[inside].sum(axis=0) > 0.5
    return {
        replace(
            column,
            name=f"{column.name} {centre - edge.onset_eV:+.0f} eV",
            quantitative=False,
        ): scale * bump
        for centre, bump in zip(centres[seen], bumps.T[seen], strict=True)
    }


def _by_element(
    spectra: dict[Column, np.ndarray], elements: Sequence[str]
) -> dict[Column, np.ndarray]:
    order = sorted(spectra, key=lambda column: elements.index(column.element))
    return {column: spectra[column] for column in order}


def _exponents(
    spectrum: np.ndarray | None,
    energy: np.ndarray,
    low: float,
    chosen: dict[str, Edge],
) -> Sequence[float]:
    """Exponents around that of the background before the first edge."""
    first = min(edge.onset_eV for edge in chosen.values())
    before = (energy >= low) & (energy <= first - _GAP_BEFORE_ONSET_EV)
    if spectrum is None or np.count_nonzero(before) < _FEWEST_CHANNELS:
        return EXPONENTS
    return exponents_around(*measured_exponent(energy[before], spectrum[before]))
