# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of elements that nobody named: contamination, support, anything else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.composition import symbol
from ..physics.gmatrix import Column, build_g_matrix
from ..physics.specimen import Specimen

__all__ = ["ANYTHING_ELSE", "unnamed_column", "unnamed_spectra", "with_unnamed"]

#: Stands for a random element among those that are not named.
ANYTHING_ELSE = "anything else"
LIGHTEST, HEAVIEST = 4, 92
SHARES = (1e-3, 0.3)  # of the counts of all else
CONTAMINATION_THERE = 0.5
ANYTHING_ELSE_THERE = 0.2


def unnamed_column(element: str) -> Column:
    """The column of an element that is not named.

    Parameters
    ----------
    element : str
        Symbol, or `ANYTHING_ELSE`.

    Returns
    -------
    Column
    """
    return Column(f"{element} (not named)", "element", quantitative=False)


def unnamed_spectra(
    acquisitions: Sequence[Acquisition],
    named: Sequence[str],
    unnamed: Sequence[str],
    rng: np.random.Generator,
) -> np.ndarray:
    """All lines of each element that is not named, as each instrument counts them.

    Parameters
    ----------
    acquisitions : sequence of Acquisition, length n_instruments
    named : sequence of str
    unnamed : sequence of str, length n_unnamed
        For `ANYTHING_ELSE`, every instrument gets another element.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_instruments, n_unnamed, n_channels)
    """
    spectra = np.zeros((len(acquisitions), len(unnamed), acquisitions[0].energy.size))
    for row, acquisition in enumerate(acquisitions):
        for column, element in enumerate(unnamed):
            if element == ANYTHING_ELSE:
                spectra[row, column] = _something_else(acquisition, named, rng)
            else:
                spectra[row, column] = _lines(element, acquisition)
    return spectra


def with_unnamed(
    named: np.ndarray, unnamed: Sequence[str], rng: np.random.Generator
) -> np.ndarray:
    """Shares of the counts with those of elements that are there or not.

    Parameters
    ----------
    named : ndarray, shape (n, n_named)
        Rows sum to one.
    unnamed : sequence of str
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, n_named + n_unnamed)
        Rows sum to one.
    """
    shape = (named.shape[0], len(unnamed))
    low, high = np.log(SHARES)
    there = [
        ANYTHING_ELSE_THERE if e == ANYTHING_ELSE else CONTAMINATION_THERE
        for e in unnamed
    ]
    share = np.exp(rng.uniform(low, high, shape)) * (rng.random(shape) < there)
    whole = np.hstack([named, share])
    return whole / whole.sum(axis=1, keepdims=True)


def _something_else(
    acquisition: Acquisition, named: Sequence[str], rng: np.random.Generator
) -> np.ndarray:
    """Lines of the first element in a random order that has any and is not named."""
    for number in rng.permutation(np.arange(LIGHTEST, HEAVIEST + 1)):
        element = symbol(int(number))
        if element in named:
            continue
        try:
            return _lines(element, acquisition)
        except ValueError:  # no line on the axis
            continue
    return np.zeros(acquisition.energy.size)


def _lines(element: str, acquisition: Acquisition) -> np.ndarray:
    g_matrix = build_g_matrix(
        acquisition, [element], Specimen({}), continuum_degree=None
    )
    return g_matrix.matrix.sum(axis=1)
