# SPDX-License-Identifier: GPL-3.0-or-later
"""When to stop iterating: where counts that were held out are explained best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .noise import split

if TYPE_CHECKING:
    import torch

    from .noise import DetectorNoise
    from .transfer import Transfer

__all__ = ["CHECKPOINTS", "best_iterations", "held_out_curves", "held_out_likelihood"]

CHECKPOINTS = (5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320, 453, 640)
KEPT = 0.8  # of the electrons
_PATIENCE = 3  # checkpoints without a better one, for all spectra, before the end
_POOLED_WEIGHT = 1.0  # of the mean curve of all spectra beside a spectrum's own


def held_out_curves(
    spectra: np.ndarray,
    noise: DetectorNoise,
    transfer: Transfer,
    zero_channel: int,
    *,
    n_splits: int = 1,
    checkpoints: tuple[int, ...] = CHECKPOINTS,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Likelihood of held-out counts after numbers of Richardson-Lucy iterations.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts.
    noise : DetectorNoise
    transfer : Transfer
    zero_channel : int
        Channel of the zero loss in the scene.
    n_splits : int, default 1
        Random splits to sum over.
    checkpoints : tuple of int
        Numbers of iterations, increasing.
    random_state : int or numpy.random.Generator, optional
        Makes the splits repeat exactly.

    Returns
    -------
    ndarray, shape (n, n_checkpoints)
        Log-likelihood, up to a constant per spectrum; minus infinity where the
        iterations were ended because all spectra had become worse.
    """
    rng = np.random.default_rng(random_state)
    curves = np.zeros((len(spectra), len(checkpoints)))
    for _ in range(n_splits):
        kept, held = split(spectra, noise, KEPT, rng)
        curves += _curves(kept, held, noise, transfer, zero_channel, checkpoints)
    return curves


def _curves(kept, held, noise, transfer, zero_channel, checkpoints) -> np.ndarray:
    import torch

    from .richardson_lucy import likelihood_steps, start_with_zero_loss

    read = np.broadcast_to(noise.read_electrons, len(kept)).astype(np.float32)
    read = torch.from_numpy(read.copy())[:, None]
    kept, held = torch.from_numpy(kept), torch.from_numpy(held)
    scene = start_with_zero_loss(kept, transfer, zero_channel, KEPT * read)
    curves = np.full((len(kept), len(checkpoints)), -np.inf)
    done = 0
    for k, n_iterations in enumerate(checkpoints):
        likelihood_steps(kept, transfer, scene, n_iterations - done, KEPT * read)
        done = n_iterations
        expected = transfer.forward(scene).mul_((1 - KEPT) / KEPT)
        curves[:, k] = held_out_likelihood(held, expected, (1 - KEPT) * read)
        if (
            k >= _PATIENCE
            and (curves[:, : k + 1].argmax(axis=1) <= k - _PATIENCE).all()
        ):
            break
    return curves


def held_out_likelihood(
    held: torch.Tensor,
    expected: torch.Tensor,
    read_variance: torch.Tensor,
    weight: torch.Tensor | None = None,
) -> np.ndarray:
    """Log-likelihood of counts, with read-out noise, up to a constant.

    Parameters
    ----------
    held, expected : torch.Tensor, shape (n, n_channels)
        Electrons measured and expected.
    read_variance : torch.Tensor, shape (n, 1)
        Electrons^2; added to both, which makes them Poisson to second order.
    weight : torch.Tensor, shape (n, n_channels), optional
        Of channels.

    Returns
    -------
    ndarray, shape (n,)
    """
    mean = held.mean(dim=1, keepdim=True).clamp_(min=1e-6)
    level = expected.clamp(min=0).add_(read_variance + 1e-6 * mean)
    counts = held + read_variance
    terms = (counts * (level / mean).log_()).sub_(level)
    if weight is not None:
        terms.mul_(weight)
    return terms.double().sum(dim=1).numpy()


def best_iterations(
    curves: np.ndarray, checkpoints: tuple[int, ...] = CHECKPOINTS
) -> np.ndarray:
    """The number of iterations for each spectrum.

    Parameters
    ----------
    curves : ndarray, shape (n, n_checkpoints)
        Of `held_out_curves`.
    checkpoints : tuple of int

    Returns
    -------
    ndarray of int, shape (n,)
        Where the spectrum's own curve and the mean of all, together, are highest: what
        few counts leave open is decided by the others.
    """
    reached = np.isfinite(curves).all(axis=0)
    own = curves[:, reached] - curves[:, reached].max(axis=1, keepdims=True)
    together = own + _POOLED_WEIGHT * own.mean(axis=0)
    return np.asarray(checkpoints)[reached][together.argmax(axis=1)]
