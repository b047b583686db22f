# SPDX-License-Identifier: GPL-3.0-or-later
"""A result of `physics_nmf` beside the truth of a simulated image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .result import PhysicsNMFResult
    from .simulation_truth import SimulationTruth


@dataclass(frozen=True, eq=False)
class Comparison:
    """Phases found, in the order of the true ones.

    Parameters
    ----------
    truth : SimulationTruth
        What was simulated.
    abundances : ndarray, shape (n_rows, n_columns, n_phases)
        Maps found.
    spectra : ndarray, shape (n_phases, n_channels)
        Spectra found.
    atomic_percent : ndarray, shape (n_phases, n_elements)
        Compositions found.
    atomic_percent_errors : ndarray, shape (n_phases, n_elements)
        Their standard errors; NaN if not computed.
    """

    truth: SimulationTruth
    abundances: np.ndarray
    spectra: np.ndarray
    atomic_percent: np.ndarray
    atomic_percent_errors: np.ndarray

    @classmethod
    def of(cls, result: PhysicsNMFResult, truth: SimulationTruth) -> Comparison:
        """Match the phases of a result to the true ones.

        Parameters
        ----------
        result : PhysicsNMFResult
            With as many phases as the truth.
        truth : SimulationTruth
            Of the image that the result is of.

        Returns
        -------
        Comparison
            Of the permutation with the least squared difference between the maps.

        Raises
        ------
        ValueError
            If the numbers of phases or the shapes of the maps differ, or the result
            has other elements.
        """
        maps = np.moveaxis(result.abundances.data, 0, -1)
        if maps.shape != truth.abundances.shape:
            raise ValueError(
                f"`result` has maps of the shape {maps.shape}, `truth` of "
                f"{truth.abundances.shape}; compare a result of the whole image, with "
                f"`output_dimension={len(truth.phases)}`."
            )
        if missing := {*truth.elements} - {*result.elements}:
            raise ValueError(f"`result` lacks the elements {sorted(missing)}.")
        order = best_permutation(maps, truth.abundances)
        values = _by_element(result, result.concentrations, truth.elements)
        errors = _by_element(result, result.concentration_errors, truth.elements)
        spectra = result.spectra.data[order]
        return cls(truth, maps[..., order], spectra, values[order], errors[order])

    @cached_property
    def normalised_errors(self) -> np.ndarray:
        """Squared error of each map over its sum of squares, shape (n_phases,)."""
        used = np.isfinite(self.abundances).all(axis=2)
        true = self.truth.abundances[used]
        return ((self.abundances[used] - true) ** 2).sum(axis=0) / (true**2).sum(axis=0)

    @cached_property
    def spectral_angles(self) -> np.ndarray:
        """Angle between each spectrum and the true one, degrees, shape (n_phases,)."""
        found, true = self.spectra, self.truth.spectra
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(true, axis=1)
        cosines = (found * true).sum(axis=1) / lengths
        return np.degrees(np.arccos(np.clip(cosines, -1, 1)))

    @cached_property
    def atomic_percent_deviation(self) -> float:
        """Mean absolute deviation of the compositions from the truth, at.%."""
        return float(np.abs(self.atomic_percent - self.truth.atomic_percent).mean())

    @property
    def table(self) -> str:
        """The compositions beside the truth, to read."""
        from .comparison_table import comparison_table

        return comparison_table(self)


def best_permutation(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Match maps.

    Parameters
    ----------
    found, true : ndarray, shape (n_rows, n_columns, n_phases)
        NaN in pixels that were left out.

    Returns
    -------
    ndarray of int, shape (n_phases,)
        The index in `found` of each true map, so that the squared difference is least.
    """
    from scipy.optimize import linear_sum_assignment

    used = np.isfinite(found).all(axis=2)
    difference = true[used][:, :, None] - found[used][:, None, :]
    return linear_sum_assignment((difference**2).sum(axis=0))[1]


def _by_element(
    result: PhysicsNMFResult, quantities: list | None, elements: list[str]
) -> np.ndarray:
    """Values of phases x elements; NaN for a quantity that was not computed."""
    if quantities is None:
        return np.full((result.n_phases, len(elements)), np.nan)
    of_element = dict(zip(result.elements, quantities, strict=True))
    return np.array([of_element[e].data.ravel() for e in elements]).T
