# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts in edges, without the background below them.

In core-loss EELS the background holds most of the counts and tells little. Phases
differ by a percent of the counts then, and what separates spectra into phases by
expectation and maximisation hardly moves. So each pixel is first fitted by itself, and
the counts that the fit gives to each column of an element go on. They scatter more
than counts do, as the background below them does too; divided by the ratio of variance
and mean, they again scatter as counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.counts import Counts, DenseCounts
from hspy_ml.physics.gmatrix import GMatrix
from hspy_ml.quantification.weights import fit_weights

__all__ = ["EdgeCounts", "edge_counts"]


@dataclass(frozen=True, eq=False)
class EdgeCounts:
    """What each column of an element has of the counts of each pixel.

    Parameters
    ----------
    values : ndarray, shape (n_pixels, n_edges)
        Counts divided by `gain`, whole numbers if the counts were.
    gain : ndarray, shape (n_edges,)
        Variance of the fitted counts over their mean, at least one.
    columns : ndarray of int, shape (n_edges,)
        Columns of elements in the G-matrix.
    background : ndarray, shape (n_pixels, n_columns - n_edges)
        Weights of all other columns.
    response : GMatrix
        One channel for each column: what a unit of weight gives of `values`.
    """

    values: np.ndarray
    gain: np.ndarray
    columns: np.ndarray
    background: np.ndarray
    response: GMatrix

    def of_spectrum(self, spectrum: np.ndarray, g_matrix: GMatrix) -> np.ndarray:
        """The same of a spectrum of a known phase.

        Parameters
        ----------
        spectrum : ndarray, shape (n_channels,)
            Counts of any number.
        g_matrix : GMatrix
            The matrix that was used.

        Returns
        -------
        ndarray, shape (n_edges,)
        """
        fit = fit_weights(DenseCounts(spectrum[None]), g_matrix.matrix, reported=[])
        return fit.weights[0, self.columns] * self.response.matrix.diagonal()

    def with_background(self, weights: np.ndarray, loadings: np.ndarray) -> np.ndarray:
        """Weights of all columns of phases, from those of the elements.

        Parameters
        ----------
        weights : ndarray, shape (n_edges, n_phases)
            What the phases hold of the elements' columns.
        loadings : ndarray, shape (n_pixels, n_phases)
            What the pixels hold of the phases.

        Returns
        -------
        ndarray, shape (n_columns, n_phases)
            With the background of the phases that, mixed by the loadings, is nearest
            to that of the pixels.
        """
        from scipy.optimize import nnls

        others = [nnls(loadings, column)[0] for column in self.background.T]
        whole = np.empty((self.columns.size + len(others), weights.shape[1]))
        whole[self.columns] = weights
        rest = np.setdiff1d(np.arange(len(whole)), self.columns)
        whole[rest] = np.reshape(others, (rest.size, weights.shape[1]))
        return whole


def edge_counts(
    counts: Counts,
    g_matrix: GMatrix,
    *,
    num_workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> EdgeCounts:
    """Fit every pixel, and keep what belongs to elements.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data.
    g_matrix : GMatrix
        The response, with the background.
    num_workers, progress
        See :func:`~hspy_ml.quantification.weights.fit_weights`.

    Returns
    -------
    EdgeCounts
    """
    kinds = np.array([column.element is not None for column in g_matrix.columns])
    columns = np.flatnonzero(kinds)
    options = {"num_workers": num_workers, "progress": progress}
    fit = fit_weights(counts, g_matrix.matrix, reported=columns, **options)
    totals = g_matrix.matrix.sum(axis=0)[columns]
    fitted = fit.weights[:, columns] * totals
    gain = _gain(fitted, fit.standard_errors * totals)
    values = fitted / gain
    if np.issubdtype(counts.values.dtype, np.integer):
        values = np.rint(values)
    kept = tuple(g_matrix.columns[i] for i in columns)
    response = replace(
        g_matrix, matrix=np.diag(totals / gain), columns=kept, acquisition=None
    )
    return EdgeCounts(values, gain, columns, fit.weights[:, ~kinds], response)


def _gain(fitted: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Variance over mean; where nothing is, as if the mean were one error."""
    variance = np.nanmean(errors**2, axis=0)
    mean = np.maximum(fitted.mean(axis=0), np.sqrt(variance))
    return np.maximum(variance / mean, 1.0)
