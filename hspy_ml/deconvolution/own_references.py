# SPDX-License-Identifier: GPL-3.0-or-later
"""What the spectra of a map are made of: sharp, smooth references of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .noise import DetectorNoise
from .own_groups import alike, principal_scores
from .response import Response

if TYPE_CHECKING:
    from .deconvolver_model import DeconvolverModel

__all__ = ["References", "find_references"]

MOST_SPECTRA = 4096  # of a map, that are looked at
LINE_REACH = 2  # channels on either side of the zero loss that hold its line
LIKELIHOOD_STEPS = 100
NOISE_THRESHOLD = 1.5  # standard errors: details that the steps do not follow


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
    model: DeconvolverModel | None = None,
) -> References:
    """Group spectra that are alike, and sharpen the sum of each group.

    What the network makes of a sum is brought into agreement with it by
    Richardson-Lucy iterations that follow only what stands out of the noise. So a
    reference is as smooth as the noise of its group demands, and explains the group
    also where it is unlike anything that the network was trained on.

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
    model : DeconvolverModel, optional
        The network; that of the package if not given.

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
        sums, summed, _mean_response(response, rows), zero_channel, model
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
    model: DeconvolverModel | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Losses, electrons without one, and the margin of the former."""
    import torch

    from .network_start import without_gaussian
    from .restore import restore
    from .richardson_lucy import likelihood_steps
    from .target import target_widths
    from .transfer import Transfer

    at = round(zero_channel)
    transfer = Transfer(response, sums.shape[1], shifts=np.full(1, zero_channel - at))
    centre = np.full(len(sums), zero_channel)
    found = restore(sums, response, noise, model, zero_channel=float(at), centre=centre)
    losses = transfer.with_margins(torch.from_numpy(found.losses))
    scene = without_gaussian(losses, target_widths(response, None))
    scene[:, at + transfer.margin] += torch.from_numpy(found.area.astype(np.float32))
    measured = torch.from_numpy(sums.astype(np.float32))
    read = torch.from_numpy(noise.read_electrons.astype(np.float32))[:, None]
    likelihood_steps(measured, transfer, scene, LIKELIHOOD_STEPS, read, NOISE_THRESHOLD)
    loss, line = _without_line(scene.numpy().astype(float), transfer, at)
    return loss, line, transfer.margin


def _without_line(scene, transfer, at) -> tuple[np.ndarray, np.ndarray]:
    """Losses that run on beneath the zero-loss line, and what the line holds."""
    at = at + transfer.margin
    left, right = at - LINE_REACH - 1, at + LINE_REACH + 1
    inside = np.arange(left + 1, right)
    beneath = np.minimum(scene[:, left], scene[:, right])[:, None]
    loss = scene.copy()
    loss[:, inside] = np.minimum(beneath, scene[:, inside])
    return loss, (scene - loss).sum(axis=1)
