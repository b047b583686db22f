# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the zero loss of each spectrum is, once the response is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from .transfer import Transfer

__all__ = ["refined_shifts"]

_N_STEPS = 3
_LONGEST_STEP = 1.0  # channel
_FARTHEST = 4.0  # channels from the start, in all
_FROM, _TO = -1.5, 0.4  # FWHM: the side without losses, and the top


def refined_shifts(
    measured: torch.Tensor,
    transfer: Transfer,
    zero_channel: int,
    fwhm: np.ndarray,
    read_variance: torch.Tensor,
    losses: torch.Tensor | None = None,
) -> np.ndarray:
    """Fit height and position of the response to the zero-loss peaks.

    Parameters
    ----------
    measured : torch.Tensor, shape (n, n_channels)
        Electrons.
    transfer : Transfer
        With the shifts to start from.
    zero_channel : int
        Channel of the zero loss in the scene.
    fwhm : ndarray, shape (n or 1,)
        Of the response, in channels.
    read_variance : torch.Tensor, shape (n, 1)
        Electrons^2.
    losses : torch.Tensor, shape (n, n_channels), optional
        Electrons expected besides those of the zero-loss peak. Taken off.

    Returns
    -------
    ndarray, shape (n,)
        Shifts, in channels.

    Notes
    -----
    Gauss-Newton steps of weighted least squares, from one and a half widths before the
    top to 0.4 widths past it.
    """
    n = measured.shape[0]
    line_only = np.zeros((n, transfer.n_scene), np.float32)
    line_only[:, zero_channel + transfer.margin] = 1
    start = np.broadcast_to(transfer.shifts, n).copy()
    shifts = start.copy()
    channels = np.arange(transfer.n_channels) - zero_channel
    width = np.broadcast_to(fwhm, n)[:, None]
    net = measured.numpy() if losses is None else (measured - losses).numpy()
    variance = _variance(measured, read_variance)
    for _ in range(_N_STEPS):
        line = _line(transfer.moved(shifts), line_only)
        distance = (channels - shifts[:, None]) / width
        weight = ((distance > _FROM) & (distance < _TO)) / variance
        step = _step(net, line, weight)
        shifts += np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        shifts = np.clip(shifts, start - _FARTHEST, start + _FARTHEST)
    return shifts


def _line(transfer: Transfer, line_only: np.ndarray) -> np.ndarray:
    import torch

    return transfer.forward(torch.from_numpy(line_only)).numpy()


def _variance(measured: torch.Tensor, read_variance: torch.Tensor) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(measured.numpy(), 5, axis=1, mode="nearest")
    return np.maximum(smooth, 0) + read_variance.numpy() + 1.0


def _step(net: np.ndarray, line: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Position less the current one, with the height free."""
    slope = np.zeros_like(line)
    slope[:, 1:-1] = 0.5 * (line[:, :-2] - line[:, 2:])
    pairs = [(line, line), (line, slope), (slope, slope), (line, net), (slope, net)]
    ll, ls, ss, ln, sn = (np.einsum("ij,ij,ij->i", weight, a, b) for a, b in pairs)
    determinant = np.maximum(ll * ss - ls**2, 1e-300)
    height = (ss * ln - ls * sn) / determinant
    move = (ll * sn - ls * ln) / determinant
    return np.where(height > 0, move / np.where(height > 0, height, 1), 0.0)
