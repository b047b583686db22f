# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes like those of a map: mixtures of its references, and departures from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..simulation.low_loss_scenes import random_scenes
from .own_references import References

if TYPE_CHECKING:
    from .scene_bank import SceneBank

__all__ = ["OwnScenes"]

MOST_MIXED = 4
STEEPNESS = 0.5  # of the Dirichlet distribution of the shares
BEYOND = 0.4  # of a mixture's distance from the mean, that it may be further off
AMOUNT = 0.4  # standard deviation of the logarithm of the share of losses
SMALLEST_LOSS = 1e-7  # of the electrons: a mixture that holds less is a vacuum
LARGEST_LOSS = 0.95  # of the electrons
STRETCH, GAIN = 0.15, 0.25  # largest spread of local stretch and of log intensity
SMOOTH_OVER = 8.0, 120.0  # channels, shortest and longest
FOREIGN = 0.25  # probability that lines that the map does not have are added
FOREIGN_AMOUNT = 0.03, 0.5  # of the scene's losses


@dataclass(frozen=True, eq=False)
class OwnScenes:
    """Draws scenes that a map might hold.

    Each is a mixture of a few references, also somewhat beyond what lies between them,
    with more or less loss. So that the scenes are not fewer than the truth may be, the
    energies are stretched and the intensities changed smoothly at random, and some get
    lines that no reference has.

    Parameters
    ----------
    references : References
    """

    references: References

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> SceneBank:
        """Draw scenes.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        SceneBank
        """
        from .scene_bank import MARGIN, SceneBank

        rng = np.random.default_rng(random_state)
        found = self.references
        loss = _mixtures(found.loss, n, rng)
        _depart(loss, found.margin + found.zero_channel, rng)
        loss *= np.exp(AMOUNT * rng.standard_normal((n, 1)))
        loss = _repadded(loss, found.margin, MARGIN)
        _add_foreign(loss, MARGIN + found.zero_channel, rng)
        total = loss.sum(axis=1, keepdims=True)
        loss *= np.minimum(1, LARGEST_LOSS / np.maximum(total, SMALLEST_LOSS))
        return SceneBank(
            loss.astype(np.float32),
            1 - loss.sum(axis=1),
            np.full(n, float(found.zero_channel)),
        )


def _mixtures(loss: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    n_references = len(loss)
    n_mixed = min(MOST_MIXED, n_references)
    shares = np.zeros((n, n_references))
    for row in shares:
        chosen = rng.permutation(n_references)[: rng.integers(1, n_mixed + 1)]
        row[chosen] = rng.dirichlet(np.full(chosen.size, STEEPNESS))
    mean = 1 / n_references
    further = 1 + rng.uniform(-BEYOND, BEYOND, (n, 1))
    return ((mean + further * (shares - mean)) @ loss).clip(0)


def _depart(loss: np.ndarray, zero: int, rng: np.random.Generator) -> None:
    """Stretch energies and change intensities beyond the zero loss, in place."""
    n, n_channels = loss.shape
    place = np.arange(n_channels)
    beyond = place > zero
    far = rng.random((2, n, 1))  # none to all of what departures may be
    stretch = np.exp(STRETCH * far[0] * _smooth(n, n_channels, rng))
    change = np.exp(GAIN * far[1] * _smooth(n, n_channels, rng))
    for row, local, factor in zip(loss, stretch, change, strict=True):
        length = np.cumsum(np.where(beyond, local, 1.0))
        length *= place[-1] / length[-1] if rng.random() < 0.5 else 1.0
        length += place[zero] - length[zero]
        row[beyond] = (np.interp(length, place, row) * factor)[beyond]


def _smooth(n: int, n_channels: int, rng: np.random.Generator) -> np.ndarray:
    """Random functions of variance one, each of its own smoothness."""
    low, high = np.log(SMOOTH_OVER)
    sigma = np.exp(rng.uniform(low, high, (n, 1)))
    frequency = 2 * np.pi * np.fft.rfftfreq(2 * n_channels)
    white = np.fft.rfft(rng.standard_normal((n, 2 * n_channels)))
    found = np.fft.irfft(white * np.exp(-0.5 * (sigma * frequency) ** 2))
    return found[:, :n_channels] * np.sqrt(2 * np.sqrt(np.pi) * sigma)


def _repadded(loss: np.ndarray, margin: int, padding: int) -> np.ndarray:
    """The same with another length past either end, which go on as they end."""
    if padding <= margin:
        return loss[:, margin - padding : loss.shape[1] - (margin - padding)].copy()
    more = padding - margin
    return np.pad(loss, ((0, 0), (more, more)), mode="edge")


def _add_foreign(loss: np.ndarray, zero: int, rng: np.random.Generator) -> None:
    """Lines of any kind, in some of the scenes, in place."""
    rows = np.flatnonzero(rng.random(len(loss)) < FOREIGN)
    if rows.size == 0:
        return
    lines = random_scenes(
        "lines", rows.size, loss.shape[1], 1.0, first_energy_eV=-zero, random_state=rng
    )
    other = lines.loss[:, lines.padding : lines.loss.shape[1] - lines.padding]
    share = np.exp(rng.uniform(*np.log(FOREIGN_AMOUNT), (rows.size, 1)))
    own = np.maximum(loss[rows].sum(axis=1, keepdims=True), SMALLEST_LOSS)
    there = np.maximum(other.sum(axis=1, keepdims=True), SMALLEST_LOSS)
    loss[rows] += other * (share * own / there)
