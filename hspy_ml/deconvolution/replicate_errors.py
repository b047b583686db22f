# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard errors of likelihood results, learnt from simulated repetitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .candidates import Begun
    from .measured import Measured

__all__ = ["ErrorScale", "learn_error_scale"]

_N_ITERATIONS = 20
_OUTLYING = 16.0  # squares over the variance, above which they count as this
_CORE = 2.0  # target widths around the zero loss, which are left out
_USUAL_SHARE = 0.68
_LIMITS = 1.1, 3.0  # of the widening of a network's errors
_LEAST_SHARE = 1e-8


@dataclass(frozen=True)
class ErrorScale:
    """Variance of a result as a sum of two parts.

    Parameters
    ----------
    noise : float
        Standard error over the noise of the measured counts in the same channel.
    signal : float
        Over the result itself: lines that are not quite resolved.
    network : float
        By which the errors that a network gives are multiplied.
    """

    noise: float = 1.0
    signal: float = 0.0
    network: float = 1.0

    def errors(
        self,
        result: np.ndarray,
        noise_variance: np.ndarray,
        given: np.ndarray | None = None,
        stepped: np.ndarray | None = None,
    ) -> np.ndarray:
        """Standard errors.

        Parameters
        ----------
        result, noise_variance : ndarray, shape (n, n_channels)
            Electrons, and the variance of the measured ones.
        given : ndarray, shape (n, n_channels), optional
            By a network; NaN where there are none.
        stepped : ndarray of bool, shape (n,), optional
            Which results have had likelihood steps from the network's: these have the
            larger of both errors.

        Returns
        -------
        ndarray, shape (n, n_channels)
        """
        variance = self.noise**2 * noise_variance + (self.signal * result) ** 2
        errors = np.sqrt(variance)
        if given is None:
            return errors
        widened = self.network * given
        if stepped is not None:
            larger = np.maximum(widened, errors)
            widened = np.where(stepped[:, None], larger, widened)
        return np.where(np.isfinite(given), widened, errors)


def learn_error_scale(
    spectra: Measured,
    again: Callable[[Measured], Begun],
    target_width: np.ndarray,
    random_state: int,
) -> ErrorScale:
    """Simulate the measurement of results, deconvolve again, and compare.

    Parameters
    ----------
    spectra : Measured
    again : callable
        From measured spectra to scenes; done with these, and with counts drawn from
        what it finds.
    target_width : ndarray, shape (n,)
    random_state : int

    Returns
    -------
    ErrorScale
    """
    import torch

    rng = np.random.default_rng(random_state)
    found = again(spectra)
    expected = spectra.transfer.forward(found.scene).clamp_(min=0).numpy()
    counts = rng.poisson(expected).astype(np.float32)
    read = spectra.read_variance.sqrt().numpy()
    counts += read * rng.standard_normal(counts.shape, dtype=np.float32)
    repeated = again(spectra.with_electrons(torch.from_numpy(counts)))
    result = spectra.result(found.scene, target_width).numpy()
    difference = spectra.result(repeated.scene, target_width).numpy() - result
    variance = expected + spectra.read_variance.numpy()
    channels = np.arange(result.shape[1]) - spectra.zero
    used = np.abs(channels) > _CORE * target_width[:, None]
    scale = _fitted(difference[used], variance[used], result[used])
    given = repeated.errors
    if given is None or not np.isfinite(given[used]).any():
        return scale
    return replace(scale, network=_widening(difference[used], given[used]))


def _widening(difference: np.ndarray, given: np.ndarray) -> float:
    """So that the errors given hold the usual share of the differences."""
    known = np.isfinite(given) & (given > 0)
    ratio = np.abs(difference[known]) / given[known]
    return float(np.clip(np.quantile(ratio, _USUAL_SHARE), *_LIMITS))


def _fitted(
    difference: np.ndarray, variance: np.ndarray, result: np.ndarray
) -> ErrorScale:
    """Two non-negative shares of squares, by weighted least squares."""
    from scipy.optimize import nnls

    parts = np.stack([variance, result**2], axis=1).astype(float) + 1e-30
    square = difference.astype(float) ** 2
    shares = np.array([np.median(square / parts[:, 0]) + _LEAST_SHARE, 0.0])
    for _ in range(_N_ITERATIONS):
        model = parts @ shares
        clipped = np.minimum(square, _OUTLYING * model) / model
        shares = nnls(parts / model[:, None], clipped)[0]
        shares[0] = max(shares[0], _LEAST_SHARE)
    return ErrorScale(*np.sqrt(shares))
