# SPDX-License-Identifier: GPL-3.0-or-later
"""Richardson-Lucy with everything known, stopped by count splitting: the reference.

Plain iterations from a sharp zero-loss line on what the spectrum holds beside it; the
response, the noise and the alignment are the true ones. Half of the electrons are
deconvolved, the other half say after how many iterations they are explained best, for
each spectrum; then all are deconvolved by as many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from hspy_ml.deconvolution.transfer import Transfer
    from hspy_ml.simulation.low_loss_readout import LowLossSpectra

CHECKPOINTS = (5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320, 453, 640)
KEPT = 0.5
TARGET_WIDTH = 4.0  # channels


def restored_and_refolded(made: LowLossSpectra) -> tuple[np.ndarray, np.ndarray]:
    """Electrons at 0 eV by the target's response, and electrons folded back.

    Parameters
    ----------
    made : LowLossSpectra

    Returns
    -------
    restored, refolded : ndarray, shape (n_spectra, n_channels)
    """
    import torch

    from hspy_ml.deconvolution.noise import DetectorNoise, split
    from hspy_ml.deconvolution.response import Response
    from hspy_ml.deconvolution.transfer import Transfer

    noise = DetectorNoise(made.gain, made.read_noise**2, made.offset)
    transfer = Transfer(
        Response(made.responses), made.counts.shape[1], shifts=made.shifts
    )
    zero = int(round(made.zero_channel))
    read = torch.from_numpy(noise.read_electrons.astype(np.float32))[:, None]
    kept, held = (
        torch.from_numpy(np.asarray(part, np.float32))
        for part in split(made.counts, noise, KEPT, np.random.default_rng(0))
    )
    wanted = _iterations(kept, held, transfer, zero, read)
    electrons = torch.from_numpy(noise.electrons(made.counts).astype(np.float32))
    restored, refolded = np.empty(made.counts.shape), np.empty(made.counts.shape)
    for n_iterations, scene in _scenes(electrons, transfer, zero, read):
        rows = wanted == n_iterations
        if rows.any():
            sharp = transfer.on_axis(transfer.at_target(scene, TARGET_WIDTH))
            restored[rows] = sharp.numpy()[rows]
            refolded[rows] = transfer.forward(scene).numpy()[rows]
    return restored, refolded


def _iterations(
    kept: torch.Tensor,
    held: torch.Tensor,
    transfer: Transfer,
    zero: int,
    read: torch.Tensor,
) -> np.ndarray:
    """The checkpoint at which the held-out electrons of each spectrum are likeliest."""
    share = (1 - KEPT) / KEPT
    counts = held + (1 - KEPT) * read
    curves = []
    for _, scene in _scenes(kept, transfer, zero, KEPT * read):
        level = (share * transfer.forward(scene)).clamp_(min=1e-3) + (1 - KEPT) * read
        curves.append((counts * level.log() - level).double().sum(dim=1).numpy())
    return np.array(CHECKPOINTS)[np.array(curves).argmax(axis=0)]


def _scenes(
    electrons: torch.Tensor, transfer: Transfer, zero: int, read: torch.Tensor
) -> Iterator[tuple[int, torch.Tensor]]:
    """The scenes of the checkpoints; the same tensor each time."""
    from hspy_ml.deconvolution.richardson_lucy import likelihood_steps

    scene = _start(electrons, transfer, zero)
    done = 0
    for n_iterations in CHECKPOINTS:
        likelihood_steps(electrons, transfer, scene, n_iterations - done, read)
        done = n_iterations
        yield n_iterations, scene


def _start(electrons: torch.Tensor, transfer: Transfer, zero: int) -> torch.Tensor:
    """A line as high as the peak's top, and the spectrum where it is higher."""
    import torch

    scene = torch.zeros(len(electrons), transfer.n_scene)
    at = zero + transfer.margin
    scene[:, at] = 1
    line = transfer.forward(scene).clamp_(min=0)
    top = line > 0.5 * line.max(dim=1, keepdim=True).values
    area = ((electrons * top).sum(dim=1) / (line * top).sum(dim=1)).clamp_(min=0)
    rest = (electrons - line * area[:, None]).clamp_(min=0)
    scene = transfer.with_margins(rest + 1e-4 * electrons.mean(dim=1, keepdim=True))
    scene[:, at] += area
    return scene
