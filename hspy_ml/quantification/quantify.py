# SPDX-License-Identifier: GPL-3.0-or-later
"""Composition of every pixel from the weights of a G-matrix's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..counts import Counts
from ..physics.fractions import (
    conversion_factors,
    fraction_errors,
    fractions,
)
from .matrix_effects import MatrixEffects, correct_amounts
from .unmeasured import Completion
from .weights import WeightFit, fit_weights

__all__ = ["Quantification", "quantify"]


@dataclass(frozen=True, eq=False)
class Quantification:
    """Amounts of the elements in every pixel, and how well they explain it.

    Parameters
    ----------
    elements : tuple of str
    amounts : ndarray, shape (n_pixels, n_elements)
        Mass or numbers of atoms (`concentration`) in the unit of the weights.
    covariance : ndarray, shape (n_pixels, n_elements, n_elements)
        Of the amounts, from the counts.
    concentration : {"mass", "atomic"}
    fit : WeightFit
        Weights of all columns, deviance and goodness of the fit.
    converged : ndarray of bool, shape (n_pixels,)
        Whether fit and composition came to an end.
    """

    elements: tuple[str, ...]
    amounts: np.ndarray
    covariance: np.ndarray
    concentration: str
    fit: WeightFit
    converged: np.ndarray

    @property
    def totals(self) -> np.ndarray:
        """Sum of the amounts, shape (n_pixels,)."""
        return self.amounts.sum(axis=1)

    @property
    def total_errors(self) -> np.ndarray:
        """Standard errors of the totals, shape (n_pixels,)."""
        return np.sqrt(np.maximum(self.covariance.sum(axis=(1, 2)), 0.0))

    def fractions(self, composition_units: str) -> np.ndarray:
        """Fractions of the elements, which sum to one.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}

        Returns
        -------
        ndarray, shape (n_pixels, n_elements)
            NaN where a pixel holds nothing.
        """
        return fractions(self.amounts, self._factors(composition_units))

    def standard_errors(self, composition_units: str) -> np.ndarray:
        """Standard errors of the fractions, shape (n_pixels, n_elements)."""
        factors = self._factors(composition_units)
        return fraction_errors(self.amounts, self.covariance, factors)

    def _factors(self, composition_units: str) -> np.ndarray:
        return conversion_factors(self.elements, self.concentration, composition_units)


def quantify(
    counts: Counts,
    matrix: np.ndarray,
    columns: Sequence[int],
    completion: Completion,
    *,
    concentration: str = "mass",
    effects: MatrixEffects | None = None,
    reference: np.ndarray | None = None,
    relative_errors: np.ndarray | None = None,
    num_workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Quantification:
    """Fit every pixel and turn the weights into amounts.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Pixels by channels.
    matrix : ndarray, shape (n_channels, n_columns)
        The G-matrix in the same channels.
    columns : sequence of int, length n_measured
        The column that measures each of the measured elements.
    completion : Completion
        From their amounts to those of all elements.
    concentration : {"mass", "atomic"}
        What weights are proportional to.
    effects : MatrixEffects, optional
        How intensities depend on the composition; by default they do not.
    reference : ndarray, shape (n_elements,), optional
        Mass fractions that the G-matrix was made for; needed with `effects`.
    relative_errors : ndarray, shape (n_measured,), optional
        Standard errors of the sensitivity to each measured element over it.
    num_workers : int, optional
        Threads; all cores by default.
    progress : callable, optional
        Is given the number of pixels just done.

    Returns
    -------
    Quantification
    """
    columns = list(columns)
    fit = fit_weights(
        counts,
        matrix,
        reported=columns,
        num_workers=num_workers,
        progress=progress,
    )
    weights, covariance = fit.weights[:, columns], fit.covariance
    converged = fit.converged
    if effects is not None:
        ratios, settled = correct_amounts(weights, effects, reference)
        weights = weights / ratios
        covariance = covariance / (ratios[:, :, None] * ratios[:, None, :])
        converged = converged & settled
    if relative_errors is not None:
        own = np.arange(weights.shape[1])
        covariance = covariance.copy()
        covariance[:, own, own] += (weights * relative_errors) ** 2
    return Quantification(
        completion.elements,
        completion.amounts(weights),
        completion.covariance(covariance),
        concentration,
        fit,
        converged,
    )
