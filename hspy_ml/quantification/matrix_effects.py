# SPDX-License-Identifier: GPL-3.0-or-later
"""What a specimen's composition does to its lines, pixel by pixel.

A G-matrix holds for one composition. In a pixel of another, electrons are slowed
down, scattered back and X-rays absorbed differently, so that a weight is the amount
times a ratio of intensities. The amounts are found as the fixed point of: weights
over ratios, composition, ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.intensities import family_intensities
from .unmeasured import Completion

__all__ = ["MatrixEffects", "correct_amounts"]

PIXELS_PER_BLOCK = 2048
SMALLEST_TOTAL = 1e-300


@dataclass(frozen=True, eq=False)
class MatrixEffects:
    """Intensities of the lines that measure, as functions of the composition.

    Parameters
    ----------
    acquisition : Acquisition
    families : mapping of str to str
        The family, "K", "L" or "M", by which each measured element is quantified.
    geometry : {"film", "bulk"}
    mass_thickness : float
        Of a film, on the average, g/cm2.
    completion : Completion
        From measured amounts to those of all elements.
    """

    acquisition: Acquisition
    families: Mapping[str, str]
    geometry: str
    mass_thickness: float
    completion: Completion

    @property
    def matter(self) -> bool:
        """Whether the composition matters at all."""
        return self.geometry == "bulk" or self.mass_thickness > 0

    def intensities(
        self, mass_fractions: np.ndarray, relative_thickness: np.ndarray | float = 1.0
    ) -> np.ndarray:
        """Counts of each measured element per unit of its amount.

        Parameters
        ----------
        mass_fractions : ndarray, shape (..., n_elements)
            Of all elements, as in `completion`.
        relative_thickness : ndarray, shape (...), default 1
            Mass thickness of a film over the average.

        Returns
        -------
        ndarray, shape (..., n_measured)
        """
        return family_intensities(
            list(self.families.items()),
            self.completion.elements,
            mass_fractions,
            self.geometry,
            self.mass_thickness * np.asarray(relative_thickness),
            self.acquisition,
        )


def correct_amounts(
    weights: np.ndarray,
    effects: MatrixEffects,
    reference: np.ndarray,
    *,
    tolerance: float = 1e-5,
    max_iterations: int = 50,
) -> tuple[np.ndarray, np.ndarray]:
    """Turn weights of a G-matrix into amounts.

    Parameters
    ----------
    weights : ndarray, shape (n_pixels, n_measured)
        Weights of the columns that measure.
    effects : MatrixEffects
    reference : ndarray, shape (n_elements,)
        Mass fractions that the G-matrix was made for.
    tolerance : float, default 1e-5
        Largest change of a mass fraction at which the iteration ends.
    max_iterations : int, default 50

    Returns
    -------
    ratios : ndarray, shape (n_pixels, n_measured)
        Weight over amount; one where the composition does not matter.
    converged : ndarray of bool, shape (n_pixels,)
        False also in pixels that hold nothing.
    """
    ratios = np.ones_like(weights)
    totals = effects.completion.amounts(weights).sum(axis=-1)
    converged = totals > SMALLEST_TOTAL
    if not effects.matter or not converged.any():
        return ratios, converged
    at_reference = effects.intensities(reference)
    thickness = totals / totals[converged].mean()
    filled = np.flatnonzero(converged)
    for start in range(0, filled.size, PIXELS_PER_BLOCK):
        block = filled[start : start + PIXELS_PER_BLOCK]
        ratios[block], converged[block] = _fixed_point(
            weights[block],
            thickness[block],
            effects,
            at_reference,
            tolerance,
            max_iterations,
        )
    return ratios, converged


def _fixed_point(
    weights: np.ndarray,
    thickness: np.ndarray,
    effects: MatrixEffects,
    at_reference: np.ndarray,
    tolerance: float,
    max_iterations: int,
) -> tuple[np.ndarray, np.ndarray]:
    ratios = np.ones_like(weights)
    fractions = _fractions(effects.completion.amounts(weights))
    active = np.arange(weights.shape[0])
    for iteration in range(max_iterations):
        now = fractions[active]
        ratios[active] = effects.intensities(now, thickness[active]) / at_reference
        amounts = effects.completion.amounts(weights[active] / ratios[active])
        following = _fractions(amounts)
        change = np.abs(following - now).max(axis=-1)
        damping = 1.0 if iteration < UNDAMPED_ITERATIONS else 0.5
        fractions[active] = now + damping * (following - now)
        active = active[change > tolerance]
        if not active.size:
            break
    converged = np.ones(weights.shape[0], bool)
    converged[active] = False
    return ratios, converged


UNDAMPED_ITERATIONS = 10


def _fractions(amounts: np.ndarray) -> np.ndarray:
    return amounts / np.maximum(amounts.sum(axis=-1, keepdims=True), SMALLEST_TOTAL)
