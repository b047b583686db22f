# SPDX-License-Identifier: GPL-3.0-or-later
"""What the spectra of a map are made of: sharp, smooth references of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .noise import DetectorNoise, split
from .own_groups import alike, principal_scores
from .response import Response

__all__ = ["References", "find_references"]

MOST_SPECTRA = 4096  # of a map, that are looked at
LINE_REACH = 2  # channels on either side of the zero loss that hold its line
NOISE_WIDTH = 8.0  # channels, over which the noise of a reference is averaged
SHRINK_BELOW = 4.0  # standard deviations


@dataclass(frozen=True, eq=False)
class References:
    """Losses of groups of spectra, as sharp as their noise allows.

    Parameters
    ----------
    loss : ndarray, shape (n_references, n_channels + 2 margin)
        Share of a group's electrons in each channel, without those that lost nothing;
        `margin` channels go on past either end of the spectra.
    zero_loss : ndarray, shape (n_references,)
        Share of the electrons that lost nothing.
    margin : int
    zero_channel : int
        Of the spectra's axis, where the zero loss is.
    n_components : int
        Ways in which the spectra differ by more than their noise.
    """

    loss: np.ndarray
    zero_loss: np.ndarray
    margin: int
    zero_channel: int
    n_components: int

    @property
    def n_channels(self) -> int:
        """Channels of the spectra."""
        return self.loss.shape[1] - 2 * self.margin


def find_references(
    electrons: np.ndarray,
    response: Response,
    noise: DetectorNoise,
    zero_channel: float,
    random_state: int = 0,
) -> References:
    """Group spectra that are alike, and sharpen the sum of each group.

    Sums are deconvolved by Richardson-Lucy iterations, as many as explain held-out
    electrons best. What differs between two halves of a group's electrons is noise,
    and smoothed away.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Aligned; gain and offset taken off.
    response : Response
    noise : DetectorNoise
        Of reading out.
    zero_channel : float
        Of the top of the zero-loss peak.
    random_state : int, default 0
        Makes it repeat exactly.

    Returns
    -------
    References
    """
    rng = np.random.default_rng(random_state)
    n = len(electrons)
    rows = np.sort(rng.permutation(n)[:MOST_SPECTRA])
    electrons = np.asarray(electrons[rows], dtype=float)
    read = np.broadcast_to(noise.read_electrons, n)[rows]
    scores = principal_scores(electrons, read, random_state)
    groups = alike(scores, random_state)
    sums = np.zeros((groups.max() + 1, electrons.shape[1]))
    np.add.at(sums, groups, electrons)
    # noise of a sum, in which electrons are the unit
    summed = DetectorNoise(1.0, np.bincount(groups, read), 0.0)
    loss, zero_loss, margin = _sharpened(
        sums, summed, _mean_response(response, rows), zero_channel, rng
    )
    total = zero_loss + loss.sum(axis=1)
    return References(
        loss / total[:, None],
        zero_loss / total,
        margin,
        round(zero_channel),
        scores.shape[1],
    )


def _mean_response(response: Response, rows: np.ndarray) -> Response:
    if len(response) == 1:
        return response
    return Response(response.select(rows).kernel.mean(axis=0))


def _sharpened(
    sums: np.ndarray,
    noise: DetectorNoise,
    response: Response,
    zero_channel: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Losses, electrons without one, and the margin of the former."""
    from .stopping import best_iterations, held_out_curves
    from .transfer import Transfer

    at = round(zero_channel)
    shifts = np.full(1, zero_channel - at)
    transfer = Transfer(response, sums.shape[1], shifts=shifts)
    curves = held_out_curves(sums, noise, transfer, at, random_state=rng)
    n_iterations = best_iterations(curves)
    halves = split(sums, noise, 0.5, rng)
    found = [
        _without_line(_scene(half, noise, transfer, at, n_iterations), transfer, at)
        for half in halves
    ]
    (first, line_1), (second, line_2) = found
    loss = _smoothed(first, second)
    return loss, np.maximum(line_1 + line_2, 0), transfer.margin


def _scene(half, noise, transfer, at, n_iterations) -> np.ndarray:
    """Of half of the electrons, each row after its own number of iterations."""
    import torch

    from .richardson_lucy import likelihood_steps, start_with_zero_loss

    measured = torch.from_numpy(half)
    read = np.broadcast_to(0.5 * noise.read_electrons, len(half)).astype(np.float32)
    read = torch.from_numpy(read.copy())[:, None]
    scene = start_with_zero_loss(measured, transfer, at, read)
    found, done = np.empty(tuple(scene.shape)), 0
    for n_now in np.unique(n_iterations):
        likelihood_steps(measured, transfer, scene, int(n_now) - done, read)
        found[n_iterations == n_now] = scene[torch.from_numpy(n_iterations == n_now)]
        done = int(n_now)
    return found


def _without_line(scene, transfer, at) -> tuple[np.ndarray, np.ndarray]:
    """Losses that run on beneath the zero-loss line, and what the line holds."""
    at = at + transfer.margin
    left, right = at - LINE_REACH - 1, at + LINE_REACH + 1
    inside = np.arange(left + 1, right)
    beneath = np.minimum(scene[:, left], scene[:, right])[:, None]
    loss = scene.copy()
    loss[:, inside] = np.minimum(beneath, scene[:, inside])
    return loss, (scene - loss).sum(axis=1)


def _smoothed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The sum of two halves, without the details in which they differ."""
    import torch
    from scipy.ndimage import gaussian_filter1d

    from .shrinkage import shrink_noise

    variance = gaussian_filter1d((first - second) ** 2, NOISE_WIDTH, axis=1)
    both = torch.from_numpy(first + second)
    found = shrink_noise(both, torch.from_numpy(variance), SHRINK_BELOW)
    return found.clamp(min=0).numpy()
