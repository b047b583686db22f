# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reader of a composition has to be told before trusting it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ...physics.composition import atomic_number
from ...physics.ionisation import edge_energy, subshells

if TYPE_CHECKING:
    from ...physics.acquisition import Acquisition
    from ...physics.gmatrix import GMatrix

_LOWEST_OVERVOLTAGE = 2.0
_COINCIDENT = 0.8


def low_overvoltage(
    g_matrix: GMatrix, columns: list[int], acquisition: Acquisition
) -> list[str]:
    """Lines that the beam hardly excites.

    Parameters
    ----------
    g_matrix : GMatrix
    columns : list of int
        Columns that measure.
    acquisition : Acquisition

    Returns
    -------
    list of str
        Notes; empty if the beam has twice the energy of every edge.
    """
    notes = []
    for column in (g_matrix.columns[i] for i in columns):
        number = atomic_number(column.element)
        edge = edge_energy(number, subshells(number, column.family)[-1])
        overvoltage = acquisition.beam_energy_keV / edge
        if overvoltage < _LOWEST_OVERVOLTAGE:
            notes.append(
                f"{column.name} is measured at {overvoltage:.2f} times its edge "
                f"({edge:.3g} keV), below twice, where intensities are less certain: "
                "use a higher beam energy or another family of lines."
            )
    return notes


def coincidences(g_matrix: GMatrix, columns: list[int], total: np.ndarray) -> list[str]:
    """Pairs of elements whose lines cannot be told apart.

    Parameters
    ----------
    g_matrix : GMatrix
        In the channels that are fitted.
    columns : list of int
        Columns that measure.
    total : ndarray, shape (n_channels,)
        The fitted spectrum.

    Returns
    -------
    list of str
        Notes on pairs whose weights are anticorrelated by more than 0.8.
    """
    reached = total > 1e-9 * total.max()
    scaled = g_matrix.matrix[reached] / np.sqrt(total[reached])[:, None]
    norms = np.sqrt(np.sum(scaled**2, axis=0))
    scaled = scaled / np.where(norms > 0, norms, 1.0)
    inverse = np.linalg.pinv(scaled.T @ scaled, hermitian=True, rcond=1e-12)
    errors = np.sqrt(np.maximum(np.diag(inverse), 1e-300))
    correlation = inverse / (errors[:, None] * errors[None, :])
    notes = []
    for place, first in enumerate(columns):
        for second in columns[place + 1 :]:
            if correlation[first, second] < -_COINCIDENT:
                one, two = g_matrix.columns[first], g_matrix.columns[second]
                notes.append(
                    f"{one.name} and {two.name} coincide within the resolution: only "
                    "their sum is well known, and their errors are large."
                )
    return notes


def warn_of(notes: list[str], stacklevel: int = 4) -> None:
    """Say it once, as one warning.

    Parameters
    ----------
    notes : list of str
    stacklevel : int
        As for ``warnings.warn``.
    """
    if notes:
        warnings.warn(" ".join(notes), UserWarning, stacklevel=stacklevel)
