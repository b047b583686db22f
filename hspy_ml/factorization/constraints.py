# SPDX-License-Identifier: GPL-3.0-or-later
"""What abundances and weights may be, and their exact updates.

Given the expected counts ``a_k`` of each phase in a pixel (and the pseudo-counts
of a prior), the update of the pixel's abundances is the minimum of

    sum_k [q/2 h_k^2 + b_k h_k - a_k log h_k]                                (1)

where ``b_k`` is the brightness ``d_k = sum_e D_ek`` of the phase plus the slopes,
and q the curvature, of penalties (:mod:`hspy_ml.factorization.penalties`).

Where the pixel's mass thickness is constant, its abundances sum to one. With the
multiplier nu of that constraint every entry is the positive root of a quadratic,

    h_k(nu) = [sqrt((b_k + nu)^2 + 4 q a_k) - (b_k + nu)] / (2 q),           (2)

or ``a_k / (b_k + nu)`` without curvature, and nu follows from

    sum_k h_k(nu) = 1.                                                       (3)

The sum falls with nu and is convex, from above one at ``nu = max_k (a_k - q -
b_k)``, where the largest entry alone is one, to zero: there is exactly one root.
An entry without counts is zero for ``b_k + nu >= 0``; if (1) would still gain by
raising it (q = 0 and the sum is below one at ``nu = -b_k``), it takes what is
left. So a pixel without any counts becomes the vertex of the smallest ``b_k``, the
limit of ever fewer counts; the first one of equals.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

Bound = np.ndarray | float

_FADED = 1e-280


def minimise_on_simplex(
    allocated: np.ndarray, slope: np.ndarray, curvature: Bound = 0.0
) -> np.ndarray:
    """Minimise (1) in each row, under the constraint that the row sums to one.

    Parameters
    ----------
    allocated : ndarray, shape (n_pixels, n_phases)
        Expected counts a >= 0; float32 or float64, as the result.
    slope : ndarray, shape (n_pixels, n_phases) or (n_phases,)
        b, counts per unit of abundance.
    curvature : ndarray, shape (n_pixels,), or float
        q >= 0, one for all phases of a pixel.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases)
        The minimum, to the precision of its type.
    """
    from hspy_ml.factorization.simplex_kernels import minimise_rows_on_simplex

    out = np.empty_like(allocated, order="C")
    slope = np.broadcast_to(slope, allocated.shape)
    curvature = np.broadcast_to(np.asarray(curvature, float), allocated.shape[:1])
    minimise_rows_on_simplex(0, len(allocated), allocated, slope, curvature, out)
    return out


def minimise_non_negative(
    allocated: np.ndarray, slope: np.ndarray, curvature: Bound = 0.0
) -> np.ndarray:
    """Minimise (1) in each entry: equation (2) with nu = 0.

    Parameters
    ----------
    allocated, slope, curvature
        As in :func:`minimise_on_simplex`.

    Returns
    -------
    ndarray, shape (n_pixels, n_phases)
        The minimum; 0 where there is neither a count nor a slope.
    """
    curvature = np.broadcast_to(np.asarray(curvature, float), allocated.shape[:1])
    double = 2.0 * curvature[:, None]
    slope = np.broadcast_to(slope, allocated.shape)
    width = np.sqrt(slope**2 + 2.0 * double * allocated)
    rising = slope > 0
    top = np.where(rising, 2.0 * allocated, width - slope)
    bottom = np.where(rising, slope + width, double)
    return _ratio(top, bottom, np.zeros_like(top)).astype(allocated.dtype)


def _ratio(top: np.ndarray, bottom: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=otherwise.astype(float), where=bottom > _FADED)


class Constraint(Protocol):
    """What abundances and weights may be, as updates that keep to it."""

    def abundances(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        slope: np.ndarray,
        curvature: Bound,
    ) -> np.ndarray:
        """Minimise (1) at the old weights; all n_pixels by n_phases."""

    def weights(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        column_totals: np.ndarray,
        abundance_totals: np.ndarray,
    ) -> np.ndarray:
        """Minimise the same in the weights, at the new abundances.

        ``previous`` and ``allocated``, the weights and the expected counts of
        each column in each phase, are n_columns by n_phases; the totals are
        those of G over channels and of the abundances over pixels.
        """

    def allowed_abundances(self, abundances: np.ndarray) -> np.ndarray:
        """Bring non-negative abundances back to what is allowed."""

    def allowed_weights(
        self, weights: np.ndarray, previous: np.ndarray, column_totals: np.ndarray
    ) -> np.ndarray:
        """Bring non-negative weights back to what is allowed."""

    def mass_thickness(self, abundances: np.ndarray) -> np.ndarray:
        """Relative mass thickness of each pixel, shape (n_pixels,)."""


class ConstantThickness:
    """Abundances of a pixel sum to one; weights are free.

    Dose and mass thickness are the same everywhere.
    """

    def abundances(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        slope: np.ndarray,
        curvature: Bound,
    ) -> np.ndarray:
        """Solve (3) in each pixel."""
        return minimise_on_simplex(allocated, slope, curvature)

    def weights(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        column_totals: np.ndarray,
        abundance_totals: np.ndarray,
    ) -> np.ndarray:
        """Divide expected counts by what a unit of the weight gives."""
        return _ratio(allocated, np.outer(column_totals, abundance_totals), previous)

    def allowed_abundances(self, abundances: np.ndarray) -> np.ndarray:
        """Divide each row by its sum; a row of zeros becomes uniform."""
        total = abundances.sum(axis=1, keepdims=True)
        uniform = np.full_like(abundances, 1.0 / abundances.shape[1])
        return np.divide(abundances, total, out=uniform, where=total > 0)

    def allowed_weights(
        self, weights: np.ndarray, previous: np.ndarray, column_totals: np.ndarray
    ) -> np.ndarray:
        """Return the weights as they are."""
        return weights

    def mass_thickness(self, abundances: np.ndarray) -> np.ndarray:
        """Return one everywhere."""
        return np.ones(len(abundances))


class FreeThickness:
    """Abundances are free; each phase keeps its brightness.

    The sum of a pixel's abundances is its relative mass thickness. The
    likelihood does not know whether a phase is bright or abundant, so what a unit
    of abundance counts, ``sum_j w_jk sum_e G_ej``, stays that of the start.
    """

    def abundances(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        slope: np.ndarray,
        curvature: Bound,
    ) -> np.ndarray:
        """Solve (2) in each entry, with nu = 0."""
        return minimise_non_negative(allocated, slope, curvature)

    def weights(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        column_totals: np.ndarray,
        abundance_totals: np.ndarray,
    ) -> np.ndarray:
        """Share the brightness of the phase out as the expected counts are."""
        weights = _ratio(allocated, column_totals[:, None], previous)
        return self.allowed_weights(weights, previous, column_totals)

    def allowed_abundances(self, abundances: np.ndarray) -> np.ndarray:
        """Return the abundances as they are."""
        return abundances

    def allowed_weights(
        self, weights: np.ndarray, previous: np.ndarray, column_totals: np.ndarray
    ) -> np.ndarray:
        """Scale each phase to the brightness that it had."""
        brightness = column_totals @ weights
        scale = _ratio(column_totals @ previous, brightness, np.ones_like(brightness))
        seen = np.outer(column_totals > 0, brightness > _FADED)
        return np.where(seen, weights * scale, previous)

    def mass_thickness(self, abundances: np.ndarray) -> np.ndarray:
        """Return the sum of each pixel's abundances."""
        return abundances.sum(axis=1, dtype=np.float64)


class HeldAbundances(ConstantThickness):
    """Abundances are known; weights are free."""

    def abundances(
        self,
        previous: np.ndarray,
        allocated: np.ndarray,
        slope: np.ndarray,
        curvature: Bound,
    ) -> np.ndarray:
        """Return the abundances that were."""
        return previous

    def allowed_abundances(self, abundances: np.ndarray) -> np.ndarray:
        """Return the abundances as they are."""
        return abundances

    def mass_thickness(self, abundances: np.ndarray) -> np.ndarray:
        """Return the sum of each pixel's abundances."""
        return abundances.sum(axis=1, dtype=np.float64)
