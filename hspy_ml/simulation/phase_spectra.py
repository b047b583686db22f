# SPDX-License-Identifier: GPL-3.0-or-later
"""The expected spectra of phases, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..physics.gmatrix import GMatrix

__all__ = ["PhaseSpectra"]


@dataclass(frozen=True, eq=False)
class PhaseSpectra:
    """Spectra of a pixel that a phase fills.

    Parameters
    ----------
    columns : tuple of str
        Names of lines, edges and background.
    weights : ndarray, shape (n_columns, n_phases)
        Of the columns in each phase.
    spectra : ndarray, shape (n_phases, n_channels)
        Expected counts.
    mass : ndarray, shape (n_phases,)
        Of what gives these counts, in any unit.
    """

    columns: tuple[str, ...]
    weights: np.ndarray
    spectra: np.ndarray
    mass: np.ndarray

    @classmethod
    def of_one_matrix(cls, g_matrix: GMatrix, weights: np.ndarray) -> PhaseSpectra:
        """Spectra of phases of equal mass that share a G-matrix.

        Parameters
        ----------
        g_matrix : GMatrix
        weights : ndarray, shape (n_columns, n_phases)

        Returns
        -------
        PhaseSpectra
        """
        spectra = (g_matrix.matrix @ weights).T
        return cls(g_matrix.names, weights, spectra, np.ones(weights.shape[1]))

    def times(self, factors: float | np.ndarray) -> PhaseSpectra:
        """More or less of each phase.

        Parameters
        ----------
        factors : float or ndarray, shape (n_phases,)

        Returns
        -------
        PhaseSpectra
        """
        factors = np.broadcast_to(factors, self.mass.shape)
        return PhaseSpectra(
            self.columns,
            self.weights * factors,
            self.spectra * factors[:, None],
            self.mass * factors,
        )

    def equally_bright(self) -> PhaseSpectra:
        """As much of each phase as gives one count."""
        return self.times(1 / self.spectra.sum(axis=1))
