# SPDX-License-Identifier: GPL-3.0-or-later
"""What a factorisation gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Factorization:
    """Phases and abundances: ``Y_p ~ Poisson(scale_p G W h_p)``.

    Parameters
    ----------
    weights : ndarray, shape (n_columns, n_phases)
        W, non-negative: how much of each column of G a phase holds.
    abundances : ndarray, shape (n_pixels, n_phases)
        H, rows that sum to one; NaN in pixels that were excluded and, if the mass
        thickness is free, in those that are empty. With a constant thickness an
        empty pixel holds what its neighbours say.
    pixel_scale : ndarray, shape (n_pixels,)
        Mass thickness times dose of a pixel, relative to the mean; one
        everywhere when it is held constant.
    loss : ndarray, shape (n_checks,)
        Penalised negative log-likelihood per count along the iterations, which
        never rises.
    converged : bool
        Whether the tolerance was met before the iterations ran out.
    n_iterations : int
        Iterations done at full resolution.
    settings : dict
        The settings that made it, as plain values.
    weights_covariance : ndarray, shape (n_phases, n_columns, n_columns), optional
        Covariance of the weights of each phase.
    abundance_covariance : ndarray, shape (n_pixels, n_phases, n_phases), optional
        Covariance of the abundances of each pixel, NaN where they are.
    """

    weights: np.ndarray
    abundances: np.ndarray
    pixel_scale: np.ndarray
    loss: np.ndarray
    converged: bool
    n_iterations: int
    settings: dict[str, Any] = field(default_factory=dict)
    weights_covariance: np.ndarray | None = None
    abundance_covariance: np.ndarray | None = None

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return self.weights.shape[1]
