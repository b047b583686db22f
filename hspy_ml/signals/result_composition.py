# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentages of the elements in phases and pixels, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..physics.fractions import (
    conversion_factors,
    fraction_errors,
    fractions,
    mixture_fraction_errors,
    reference_columns,
)

if TYPE_CHECKING:
    from ..factorization.factorization import Factorization
    from ..physics.gmatrix import GMatrix


@dataclass(frozen=True, eq=False)
class Compositions:
    """Compositions of phases and pixels, in percent.

    Each element is quantified by one column of G; see
    :func:`hspy_ml.physics.fractions.reference_columns`.

    Parameters
    ----------
    factorization : Factorization
        W and H.
    g_matrix : GMatrix
        Says what the rows of W stand for.
    weights_covariance : ndarray, shape (n_phases, n_columns, n_columns), optional
        Covariance of the columns of W.
    abundance_covariance : ndarray, shape (n_pixels, n_phases, n_phases), optional
        Covariance of the rows of H.
    """

    factorization: Factorization
    g_matrix: GMatrix
    weights_covariance: np.ndarray | None = None
    abundance_covariance: np.ndarray | None = None

    @cached_property
    def columns(self) -> list[int]:
        """Index of the column by which each element is quantified."""
        return list(reference_columns(self.g_matrix).values())

    @cached_property
    def amounts(self) -> np.ndarray:
        """Amount of each element in each phase, shape (n_phases, n_elements)."""
        return self.factorization.weights[self.columns].T

    @cached_property
    def amounts_covariance(self) -> np.ndarray | None:
        """Its covariance, shape (n_phases, n_elements, n_elements)."""
        if self.weights_covariance is None:
            return None
        return self.weights_covariance[:, self.columns][:, :, self.columns]

    def phases(self, composition_units: str) -> np.ndarray:
        """Percentages in the phases.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        ndarray, shape (n_phases, n_elements)
        """
        return 100 * fractions(self.amounts, self._factors(composition_units))

    def phase_errors(self, composition_units: str) -> np.ndarray | None:
        """Standard errors of the percentages in the phases.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        ndarray, shape (n_phases, n_elements), or None
            None without a covariance of the weights.
        """
        factors = self._factors(composition_units)
        if self.amounts_covariance is None:
            return None
        return 100 * fraction_errors(self.amounts, self.amounts_covariance, factors)

    def pixels(self, composition_units: str) -> np.ndarray:
        """Percentages in the pixels.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        ndarray, shape (n_pixels, n_elements)
        """
        mixed = self.factorization.abundances @ self.amounts
        return 100 * fractions(mixed, self._factors(composition_units))

    def pixel_errors(self, composition_units: str) -> np.ndarray | None:
        """Standard errors of the percentages in the pixels.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        ndarray, shape (n_pixels, n_elements), or None
            None without both covariances.
        """
        factors = self._factors(composition_units)
        if self.amounts_covariance is None or self.abundance_covariance is None:
            return None
        return 100 * mixture_fraction_errors(
            self.factorization.abundances,
            self.amounts,
            self.amounts_covariance,
            self.abundance_covariance,
            factors,
        )

    def _factors(self, composition_units: str) -> np.ndarray:
        return conversion_factors(
            self.g_matrix.elements, self.g_matrix.concentration, composition_units
        )
