# SPDX-License-Identifier: GPL-3.0-or-later
"""Random strengths of edges, white lines and backgrounds in core-loss spectra."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from ..physics.fractions import reference_columns
from ..physics.gmatrix import GMatrix

__all__ = ["JUMP_RATIOS", "background_mixes", "core_loss_intensities", "jump_window"]

JUMP_RATIOS = (1.05, 6.0)
JUMP_WINDOW_EV = 50.0
ONSET = 0.1  # of a column's maximum
UNCERTAIN_EDGE = 0.25  # of the logarithm of its intensity
WITHOUT_WHITE_LINES = 0.25  # share of the edges
WHITE_LINES = 0.2  # of the counts in the 50 eV from the onset, median
WHITE_LINES_SPREAD = 1.0  # of its logarithm
EVENNESS = 0.5  # of an edge's white lines: Dirichlet
N_EXPONENTS = 64


def core_loss_intensities(
    g_matrix: GMatrix,
    atomic_fractions: np.ndarray,
    jump_ratios: tuple[float, float] = JUMP_RATIOS,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    r"""Draw how the counts of specimens are shared by the columns of G.

    The edge that measures an element counts in proportion to its atoms; its other
    edges differ from that by a log-normal factor of 25 %, and its white lines are
    anything from none to as much as the continuum. The background goes with the number
    of atoms, not with what they are: where an even mixture of the elements has the
    jump ratio J, any other specimen of as many atoms has the same background.
    :math:`\ln(J - 1)` is uniform.

    Parameters
    ----------
    g_matrix : GMatrix
        Of core losses, per atom, in eV.
    atomic_fractions : ndarray, shape (n_specimens, n_elements)
        Of ``g_matrix.elements``.
    jump_ratios : tuple of float
        Smallest and largest ratio of edge and background together to the background,
        in the 50 eV from the onset of the first edge that measures.
    random_state : int or numpy.random.Generator, optional
        Makes the draw repeat exactly.

    Returns
    -------
    ndarray, shape (n_specimens, n_columns)
        Rows sum to one.
    """
    rng = np.random.default_rng(random_state)
    atoms = np.zeros((atomic_fractions.shape[0], len(g_matrix.columns)))
    for element, fraction in zip(g_matrix.elements, atomic_fractions.T, strict=True):
        atoms[:, g_matrix.column_indices(element)] = fraction[:, None]
    sums = g_matrix.matrix.sum(axis=0)
    edges = _edges(g_matrix)
    counts = atoms * sums * edges
    counts *= np.where(
        _well_known(g_matrix),
        1.0,
        np.exp(UNCERTAIN_EDGE * rng.standard_normal(counts.shape)),
    )
    for edge, bumps in _white_lines(g_matrix).items():
        near = counts[:, edge] * _part_near_onset(g_matrix, edge)
        counts[:, bumps] = near[:, None] * _bumps(near.size, len(bumps), rng)
    counts += _background(g_matrix, counts.shape[0], jump_ratios, rng)
    return counts / counts.sum(axis=1, keepdims=True)


def background_mixes(
    g_matrix: GMatrix, n: int, random_state: int | np.random.Generator | None = None
) -> np.ndarray:
    """Draw shares of the background's columns.

    Two power laws in any mixture, each with an exponent within the range of those of
    the columns, as the columns describe them.

    Parameters
    ----------
    g_matrix : GMatrix
        Of core losses, in eV, with a background.
    n : int
    random_state : int or numpy.random.Generator, optional
        Makes the draw repeat exactly.

    Returns
    -------
    ndarray, shape (n, n_background_columns)
        Rows sum to one.
    """
    rng = np.random.default_rng(random_state)
    inside = _inside(g_matrix)
    columns = g_matrix.matrix[np.ix_(inside, _of_background(g_matrix))]
    logarithm = np.log(g_matrix.acquisition.energy[inside])
    slopes = np.polyfit(logarithm, np.log(np.maximum(columns, 1e-300)), 1)[0]
    exponents = np.linspace(slopes.min(), slopes.max(), N_EXPONENTS)
    powers = np.exp(np.multiply.outer(exponents, logarithm - logarithm[0]))
    weights = np.stack([_relative_fit(columns, power) for power in powers])
    shares = weights * columns.sum(axis=0)
    shares /= shares.sum(axis=1, keepdims=True)
    one, other = rng.integers(N_EXPONENTS, size=(2, n))
    part = rng.random((n, 1))
    return part * shares[one] + (1 - part) * shares[other]


def jump_window(g_matrix: GMatrix) -> np.ndarray:
    """The channels within 50 eV of the onset of the first edge that measures.

    Parameters
    ----------
    g_matrix : GMatrix

    Returns
    -------
    ndarray of bool, shape (n_channels,)
    """
    onsets = [_onset(g_matrix, i) for i in reference_columns(g_matrix).values()]
    return _from_onset(g_matrix, min(onsets))


def _relative_fit(columns: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Weights of zero or more, for the same relative error everywhere."""
    scale = columns.sum(axis=0)
    relative = columns / scale / wanted[:, None]
    size = relative.mean()
    return nnls(relative / size, np.ones(wanted.size))[0] / size / scale


def _edges(g_matrix: GMatrix) -> np.ndarray:
    """Whether a column is an edge, and no white line or background.

    White lines bear the family of their edge, and come after it.
    """
    first = {}
    for index, column in enumerate(g_matrix.columns):
        if column.element:
            first.setdefault((column.element, column.family), index)
    edges = np.zeros(len(g_matrix.columns), bool)
    edges[list(first.values())] = True
    return edges | [c.quantitative and bool(c.element) for c in g_matrix.columns]


def _well_known(g_matrix: GMatrix) -> np.ndarray:
    known = np.array([c.quantitative for c in g_matrix.columns])
    known[list(reference_columns(g_matrix).values())] = True
    return known


def _white_lines(g_matrix: GMatrix) -> dict[int, list[int]]:
    """The columns of white lines of each edge that has some."""
    edges = _edges(g_matrix)
    of_edge: dict[int, list[int]] = {}
    last = {}
    for index, column in enumerate(g_matrix.columns):
        if column.element and edges[index]:
            last[column.element, column.family] = index
        elif column.element:
            of_edge.setdefault(last[column.element, column.family], []).append(index)
    return of_edge


def _bumps(n: int, n_bumps: int, rng: np.random.Generator) -> np.ndarray:
    """White lines over the counts of their edge near its onset, shape (n, n_bumps)."""
    strength = WHITE_LINES * np.exp(WHITE_LINES_SPREAD * rng.standard_normal((n, 1)))
    present = rng.random((n, 1)) >= WITHOUT_WHITE_LINES
    return present * strength * rng.dirichlet(np.full(n_bumps, EVENNESS), size=n)


def _background(
    g_matrix: GMatrix,
    n: int,
    jump_ratios: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Counts of the background where atoms sum to one, shape (n, n_columns)."""
    counts = np.zeros((n, len(g_matrix.columns)))
    of_background = _of_background(g_matrix)
    if not of_background.size:
        return counts
    matrix = g_matrix.matrix
    seen = matrix[jump_window(g_matrix)].sum(axis=0)
    of_edges = (seen * _edges(g_matrix)).sum() / len(g_matrix.elements)
    mix = background_mixes(g_matrix, n, rng)
    part = seen[of_background] / matrix[:, of_background].sum(axis=0)
    low, high = np.log(np.asarray(jump_ratios) - 1)
    jump = np.exp(rng.uniform(low, high, size=n))
    counts[:, of_background] = mix * (of_edges / jump / (mix @ part))[:, None]
    return counts


def _of_background(g_matrix: GMatrix) -> np.ndarray:
    return np.flatnonzero([c.element is None for c in g_matrix.columns])


def _inside(g_matrix: GMatrix) -> np.ndarray:
    """The channels that some column reaches."""
    return (g_matrix.matrix > 0).any(axis=1)


def _onset(g_matrix: GMatrix, column: int) -> int:
    values = g_matrix.matrix[:, column]
    return int(np.argmax(values > ONSET * values.max()))


def _from_onset(g_matrix: GMatrix, channel: int) -> np.ndarray:
    above = g_matrix.acquisition.energy - g_matrix.acquisition.energy[channel]
    return _inside(g_matrix) & (above >= 0) & (above <= JUMP_WINDOW_EV)


def _part_near_onset(g_matrix: GMatrix, column: int) -> float:
    values = g_matrix.matrix[:, column]
    return values[_from_onset(g_matrix, _onset(g_matrix, column))].sum() / values.sum()
