# SPDX-License-Identifier: GPL-3.0-or-later
r"""Whether a spectrum is one of the phase that it looks most like.

Two statistics. The evidence of the departure that the counts call for most, by scores

.. math:: T_d = \frac{g_d - \sum_r s_r a_{dr} z_r}
          {\sqrt{N \kappa (\sigma_d^2 - \sum_r s_r a_{dr}^2)}}, \quad
          s_r = \frac{N \lambda_r}{\kappa + N \lambda_r}, \quad \kappa = 1 + N \rho

with `g` the sums of the departure's weights over the counts, `z` those of the modes in
which spots scatter, and `a` their scalar products: the part of a departure that the
scatter could have made counts for nothing. Few counts are skewed; the score is read as
that of a Poisson variable of the same skewness, whose signed deviance is nearly normal.
And the sum of squares of the departures in groups of channels of equal counts, likewise
without what the scatter makes, for everything that no departure stands for.

References
----------
C. R. Rao, Proc. Camb. Phil. Soc. 44 (1948) 50.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..counts import Counts
from .count_sums import own_groups, own_sums
from .departures import departure_weights
from .references import References

__all__ = ["UnknownTest", "Variation"]

N_GROUPS = 64
#: The scatter is taken for so much larger in variance, since it is never known well:
#: what it could just have made is no evidence.
CAUTION = 5.0


@dataclass(frozen=True, eq=False)
class Variation:
    """By what the spectra of phases depart, beyond what the scatter lets expect.

    Parameters
    ----------
    departures : ndarray, shape (n_phases, n_departures)
        Variance of a score more than one, for each count of a spectrum.
    squares : ndarray, shape (n_phases,)
        The same of the sum of squares.
    """

    departures: np.ndarray
    squares: np.ndarray


@dataclass(frozen=True, eq=False)
class UnknownTest:
    """Statistics of how little spectra look like the phases that are known.

    Parameters
    ----------
    references : References
    alternatives : ndarray, shape (n_alternatives, n_channels)
        Spectra of what else could be there, each with a sum of one.
    variation : Variation, optional
        What spectra of the phases show of the departures themselves.
    """

    references: References
    alternatives: np.ndarray
    variation: Variation | None = None

    @cached_property
    def _tables(self) -> _Tables:
        return _tables(self.references, self.alternatives)

    def statistics(self, counts: Counts, which: np.ndarray) -> np.ndarray:
        """Compare spectra with a phase each.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels.
        which : ndarray of int, shape (n_spectra,)
            Phase of each from 0; -1 for none.

        Returns
        -------
        ndarray, shape (n_spectra, 2)
            Evidence of the departure that stands out most, and sum of squares.
        """
        from . import unknown_kernels as kernels

        tables, scatter = self._tables, self.references.scatter
        sums = own_sums(counts, tables.weights, which)
        groups = own_groups(counts, tables.group, N_GROUPS, which)
        found = np.zeros((counts.n_pixels, 2))
        kernels.statistics(
            sums,
            groups,
            counts.pixel_totals,
            which,
            CAUTION * scatter.variances,
            scatter.equal,
            tables.overlaps,
            tables.variances,
            tables.skewness,
            tables.penalties,
            tables.group_shares,
            *self._more,
            found,
        )
        return found

    def scores(self, counts: Counts, phase: int) -> np.ndarray:
        """Standardised scores of all departures of spectra of one phase.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels, none of them empty.
        phase : int
            From 0.

        Returns
        -------
        ndarray, shape (n_spectra, n_departures)
            Of either sign; of variance one, if the scatter is what it is taken for.
        """
        from . import unknown_kernels as kernels

        tables, scatter = self._tables, self.references.scatter
        which = np.full(counts.n_pixels, phase)
        sums = own_sums(counts, tables.weights, which)
        found = np.zeros((counts.n_pixels, self.n_departures))
        kernels.scores(
            sums,
            counts.pixel_totals,
            phase,
            CAUTION * scatter.variances,
            scatter.equal,
            tables.overlaps,
            tables.variances,
            found,
        )
        return found

    @property
    def n_departures(self) -> int:
        """Departures that are looked for."""
        return self._tables.variances.shape[1]

    @property
    def _more(self) -> tuple[np.ndarray, np.ndarray]:
        if self.variation is not None:
            return self.variation.departures, self.variation.squares
        n_phases = len(self.references.names)
        return np.zeros((n_phases, self.n_departures)), np.zeros(n_phases)


@dataclass(frozen=True, eq=False)
class _Tables:
    weights: np.ndarray  # (n_phases, n_channels, n_modes + n_departures), float32
    overlaps: np.ndarray  # (n_phases, n_modes, n_departures) with the modes
    variances: np.ndarray  # (n_phases, n_departures) of a count's weight
    skewness: np.ndarray  # (n_phases, n_departures) its third moment over variance^1.5
    penalties: np.ndarray  # (n_departures,) of the evidence
    group: np.ndarray  # (n_phases, n_channels)
    group_shares: np.ndarray  # (n_phases, N_GROUPS)


def _tables(references: References, alternatives: np.ndarray) -> _Tables:
    shapes, modes = references.shapes, references.scatter.modes
    departures, penalties = departure_weights(shapes, alternatives)
    linear = np.concatenate([modes / shapes[:, None, :], departures], axis=1)
    variances = np.einsum("kdc,kc->kd", departures**2, shapes)
    third = np.einsum("kdc,kc->kd", departures**3, shapes)
    group = np.array([_equal_groups(q) for q in shapes])
    return _Tables(
        np.ascontiguousarray(linear.transpose(0, 2, 1), np.float32),
        np.einsum("krc,kdc->krd", modes, departures),
        variances,
        third / np.maximum(variances, 1e-300) ** 1.5,
        penalties,
        group,
        np.array(
            [np.bincount(g, q, N_GROUPS) for g, q in zip(group, shapes, strict=True)]
        ),
    )


def _equal_groups(shape: np.ndarray) -> np.ndarray:
    """Number of the group of each channel; groups expect about equal counts."""
    middle = np.cumsum(shape) - shape / 2
    return np.minimum((middle * N_GROUPS).astype(np.int64), N_GROUPS - 1)
