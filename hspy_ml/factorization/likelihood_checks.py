# SPDX-License-Identifier: GPL-3.0-or-later
"""What a likelihood can be maximised from, checked."""

from __future__ import annotations

import numpy as np

from hspy_ml.counts import Counts
from hspy_ml.factorization.penalties import Penalty, PixelGraph, Smoothness, Sparsity


def check_start(
    counts: Counts, g: np.ndarray, weights: np.ndarray, abundances: np.ndarray
) -> None:
    """Check shapes and values.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    g, weights, abundances : ndarray
        G, W and H.

    Raises
    ------
    ValueError
        If shapes do not fit, values are negative or not finite, or there are no
        counts.
    """
    if np.ndim(weights) != 2:
        raise ValueError(
            "`weights` must have the shape (n_columns, n_phases), not "
            f"{np.shape(weights)}."
        )
    n_columns, n_phases = np.shape(weights)
    _check_values("g", g, (counts.n_channels, n_columns), "(n_channels, n_columns)")
    _check_values("weights", weights, (n_columns, n_phases), "(n_columns, n_phases)")
    _check_values(
        "abundances", abundances, (counts.n_pixels, n_phases), "(n_pixels, n_phases)"
    )
    if counts.pixel_totals.sum() == 0:
        raise ValueError("`counts` are all zero: there is nothing to fit.")


def _check_values(
    name: str, values: np.ndarray, shape: tuple[int, ...], axes: str
) -> None:
    if np.shape(values) != shape:
        raise ValueError(
            f"`{name}` has the shape {np.shape(values)}, not {axes} = {shape}."
        )
    if not np.all(np.isfinite(values)) or np.min(values, initial=0.0) < 0:
        raise ValueError(
            f"`{name}` must be finite and non-negative; replace or leave out the "
            "values that are not."
        )
    if not np.any(values):
        raise ValueError(f"`{name}` are all zero: the model has no counts.")


def checked_phases(
    fixed_phases: np.ndarray | None, weights: np.ndarray, fixed_abundances: bool
) -> np.ndarray:
    """Check which phases are fixed.

    Parameters
    ----------
    fixed_phases : ndarray of bool, shape (n_phases,), or None
        Phases whose weights are known.
    weights : ndarray, shape (n_columns, n_phases)
        W.
    fixed_abundances : bool
        Whether the abundances are known.

    Returns
    -------
    ndarray of bool, shape (n_phases,)
        True for phases that are held.

    Raises
    ------
    ValueError
        If it is not one truth value for each phase, or nothing is left to fit.
    """
    n_phases = np.shape(weights)[1]
    held = np.zeros(n_phases, bool) if fixed_phases is None else fixed_phases
    held = np.asarray(held)
    if held.dtype != bool or held.shape != (n_phases,):
        raise ValueError(
            f"`fixed_phases` must hold True or False for each of the {n_phases} "
            f"phases, not {fixed_phases!r}."
        )
    if fixed_abundances and held.all():
        raise ValueError(
            "`fixed_phases` and `fixed_abundances` together leave nothing to fit; "
            "free a phase or the abundances."
        )
    return held


def checked_penalties(
    graph: PixelGraph | None, smoothness: float, sparsity: float, n_pixels: int
) -> tuple[Penalty, ...]:
    """Make the penalties that are asked for.

    Parameters
    ----------
    graph : PixelGraph or None
        Neighbours.
    smoothness, sparsity : float
        Strengths, nats; zero for no penalty.
    n_pixels : int
        Pixels of the data.

    Returns
    -------
    tuple of Penalty
        Those of a strength above zero.

    Raises
    ------
    ValueError
        If a strength is negative or not finite, or the graph is missing or of
        another map.
    """
    for name, value in {"smoothness": smoothness, "sparsity": sparsity}.items():
        if not 0 <= value < np.inf:
            raise ValueError(f"`{name}` is {value}, but must be zero or above.")
    if smoothness > 0 and graph is None:
        raise ValueError(
            "`smoothness` needs `graph`, the neighbours of the pixels; make one "
            "with `PixelGraph.of_map(map_shape, pixels)`."
        )
    if smoothness > 0 and graph.n_pixels != n_pixels:
        raise ValueError(
            f"`graph` has {graph.n_pixels} pixels, but `counts` have {n_pixels}; "
            "give `PixelGraph.of_map` the pixels that are used."
        )
    smooth = (Smoothness(graph, smoothness),) if smoothness > 0 else ()
    return smooth + ((Sparsity(sparsity),) if sparsity > 0 else ())


def check_possible(loss: float) -> None:
    """Check that the start can produce the counts.

    Parameters
    ----------
    loss : float
        Loss of the start.

    Raises
    ------
    ValueError
        If there are counts where the model has none.
    """
    if not np.isfinite(loss):
        raise ValueError(
            "There are counts where the model of the start has none: leave out "
            "channels in which all of `g` is zero, and let every fixed pixel or "
            "phase have some of what is seen."
        )
