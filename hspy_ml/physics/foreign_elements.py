# SPDX-License-Identifier: GPL-3.0-or-later
"""X-ray spectra of elements that nobody named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acquisition import Acquisition
from .composition import atomic_number, symbol
from .gmatrix import build_g_matrix
from .specimen import Specimen

__all__ = ["foreign_element_spectra", "foreign_lines"]

LIGHTEST, HEAVIEST = 4, 92


def foreign_element_spectra(
    acquisition: Acquisition, known: Sequence[str]
) -> np.ndarray:
    """Lines of all elements but those that are known, as they are counted.

    Parameters
    ----------
    acquisition : Acquisition
        Of EDS.
    known : sequence of str
        Symbols of the elements that are left out.

    Returns
    -------
    ndarray, shape (n_elements, n_channels)
        Each sums to one; elements without a line on the axis are left out.

    Raises
    ------
    ValueError
        If a symbol is of no element.
    """
    spectra = foreign_lines(acquisition, known)
    return spectra / spectra.sum(axis=1, keepdims=True)


def foreign_lines(acquisition: Acquisition, known: Sequence[str]) -> np.ndarray:
    """As `foreign_element_spectra`, for a gram of each element per square centimetre.

    Parameters
    ----------
    acquisition : Acquisition
        Of EDS.
    known : sequence of str
        Symbols of the elements that are left out.

    Returns
    -------
    ndarray, shape (n_elements, n_channels)
        Elements without a line on the axis are left out.

    Raises
    ------
    ValueError
        If a symbol is of no element.
    """
    left_out = {atomic_number(element) for element in known}
    numbers = [z for z in range(LIGHTEST, HEAVIEST + 1) if z not in left_out]
    found = [_lines(acquisition, symbol(z)) for z in numbers]
    spectra = [spectrum for spectrum in found if spectrum.sum() > 0]
    return np.array(spectra).reshape(-1, acquisition.energy.size)


def _lines(acquisition: Acquisition, element: str) -> np.ndarray:
    try:
        g_matrix = build_g_matrix(
            acquisition, [element], Specimen({}), continuum_degree=None
        )
    except ValueError:  # no line on the axis
        return np.zeros(acquisition.energy.size)
    return g_matrix.matrix.sum(axis=1)
