# SPDX-License-Identifier: GPL-3.0-or-later
"""Compositions of the pixels of a thin film, by us and by what others do.

Negative amounts are set to zero before percentages are formed, by all but
"windows as is"; a pixel in which a method finds nothing at all gets equal shares. Both
are in favour of the peers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hspy_ml.physics.fractions import (
    conversion_factors,
    fractions,
    reference_columns,
)
from hspy_ml.physics.gmatrix import GMatrix

RANKS = range(2, 9)
LINE = "{}_Ka"


@dataclass(frozen=True, eq=False)
class Estimate:
    """Atomic percent, and standard errors where a method tells them.

    Parameters
    ----------
    percent : ndarray, shape (n_pixels, n_elements)
        In the order of the G-matrix.
    errors : ndarray, shape (n_pixels, n_elements), or None
    note : str
    """

    percent: np.ndarray
    errors: np.ndarray | None = None
    note: str = ""


def ours(s: Any, g_matrix: GMatrix, method: str, **options: Any) -> Estimate:
    """`ml_quantify` by one of its methods; more options are given to it."""
    result = s.ml_quantify(method=method, show_progressbar=False, **options)
    elements = g_matrix.elements
    errors = result.standard_errors
    return Estimate(
        _filled(np.stack([result[e].data.ravel() for e in elements], axis=1)),
        np.stack([errors[e].data.ravel() for e in elements], axis=1),
    )


def windows(s: Any, g_matrix: GMatrix, lowest: float = 0.0) -> Estimate:
    """Cliff-Lorimer from windows of exspy, K lines, backgrounds beside them.

    Windows and their backgrounds are exspy's, two resolutions wide; k-factors are what
    the same windows give of our own columns, so that only the method differs. Counts
    above the background that are below `lowest` are set to it.
    """
    lines = [LINE.format(e) for e in g_matrix.elements]
    background = s.estimate_background_windows(xray_lines=lines)
    found = s.get_lines_intensity(lines, background_windows=background)
    for signal in found:
        signal.data = np.maximum(signal.data, lowest)
    factors = _k_factors(s, g_matrix, lines, background)
    composition = s.quantification(
        found, "CL", factors, composition_units="atomic", navigation_mask=None
    )
    percent = np.stack([c.data.ravel() for c in composition], axis=1)
    return Estimate(_filled(percent))


def windows_as_is(s: Any, g_matrix: GMatrix) -> Estimate:
    """What exspy says of windows where the background may exceed the line."""
    return windows(s, g_matrix, -np.inf)


def windows_after_pca(s: Any, g_matrix: GMatrix, truth: np.ndarray) -> Estimate:
    """The same windows on the spectra that a few principal components leave.

    The number of components is the one with the least errors beside the truth, which
    no user knows.
    """
    best: tuple[float, int, Estimate] | None = None
    decomposed = s.deepcopy()
    decomposed.change_dtype("float64")
    decomposed.decomposition(
        normalize_poissonian_noise=True,
        output_dimension=max(RANKS),
        svd_solver="randomized",
        random_state=0,
        print_info=False,
    )
    for rank in RANKS:
        estimate = windows(decomposed.get_decomposition_model(rank), g_matrix)
        error = np.mean((estimate.percent - truth) ** 2)
        if best is None or error < best[0]:
            best = error, rank, estimate
    return Estimate(best[2].percent, note=f"{best[1]} components")


def least_squares(s: Any, g_matrix: GMatrix) -> Estimate:
    """All channels alike, weights of any sign."""
    matrix, scale = _normalised(g_matrix)
    weights = np.linalg.lstsq(matrix, _spectra(s).T, rcond=None)[0].T / scale
    return _of_weights(np.maximum(weights, 0), g_matrix)


def non_negative_least_squares(s: Any, g_matrix: GMatrix) -> Estimate:
    """All channels alike, no weight below zero."""
    from scipy.optimize import nnls

    matrix, scale = _normalised(g_matrix)
    orthogonal, triangle = np.linalg.qr(matrix)
    projected = _spectra(s) @ orthogonal
    weights = np.array([nnls(triangle, row)[0] for row in projected]) / scale
    return _of_weights(weights, g_matrix)


#: Those that need no more than counts and columns.
PEERS: dict[str, Callable[[Any, GMatrix], Estimate]] = {
    "windows": windows,
    "windows as is": windows_as_is,
    "lstsq": least_squares,
    "nnls": non_negative_least_squares,
}


def _k_factors(
    s: Any, g_matrix: GMatrix, lines: list[str], background: np.ndarray
) -> list[float]:
    """Mass over counts in the window, for each element alone."""
    columns = list(reference_columns(g_matrix).values())
    pure = s.inav[: len(columns), 0].deepcopy()
    pure.change_dtype("float64")
    scale = g_matrix.matrix[:, columns].sum(axis=0).mean()
    pure.data = np.ascontiguousarray(g_matrix.matrix[:, columns].T) / scale
    found = pure.get_lines_intensity(lines, background_windows=background)
    return [1 / float(signal.data[i]) for i, signal in enumerate(found)]


def _normalised(g_matrix: GMatrix) -> tuple[np.ndarray, np.ndarray]:
    scale = g_matrix.matrix.sum(axis=0)
    return g_matrix.matrix / scale, scale


def _spectra(s: Any) -> np.ndarray:
    return s.data.reshape(-1, s.data.shape[-1]).astype(np.float64)


def _of_weights(weights: np.ndarray, g_matrix: GMatrix) -> Estimate:
    columns = list(reference_columns(g_matrix).values())
    factors = conversion_factors(g_matrix.elements, g_matrix.concentration, "atomic")
    return Estimate(_filled(100 * fractions(weights[:, columns], factors)))


def _filled(percent: np.ndarray) -> np.ndarray:
    """Equal shares where nothing was found."""
    nothing = ~(np.isfinite(percent).all(axis=1) & (percent.sum(axis=1) > 0))
    equal = np.full_like(percent, 100 / percent.shape[1])
    return np.where(nothing[:, None], equal, percent)
