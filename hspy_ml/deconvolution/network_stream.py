# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra: known losses, spread by a response, counted anew at every step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch

from .exposure import MARGIN
from .scene_bank import SceneBank
from .stream_faults import mistaken_responses
from .zero_loss import half_height_width

__all__ = ["Batch", "LowLossStream"]

FWHM_PER_SIGMA = 2.3548200450309493
USUAL_TARGET = 4.0  # channels
TARGETS = 2.2, 8.0
UNUSUAL_TARGETS = 0.2  # share of the spectra
LARGEST_SHIFT = 3.0  # channels
LARGEST_READ_NOISE = 1.0  # electrons, but for some spectra
NOISY = 0.1  # share of spectra with more
LARGEST_NOISE = 10.0  # electrons
PATTERNED = 0.08  # share of spectra with a fixed pattern
PATTERNS = 10**-3.5, 10**-2.5  # spread of the channels' gains
CENTRE_ERROR = 0.015  # channels, beside what counting makes; and where no doubt is told
TOLD_CENTRE_ERROR = 0.005
NO_DOUBT = np.zeros(1, dtype=np.float32)


class Batch(NamedTuple):
    """What the loss is given, arrays or tensors.

    Attributes
    ----------
    electrons : shape (n, n_channels)
        Measured, with noise.
    read_variance : shape (n,)
        Electrons^2.
    kernels : shape (n, 2 m + 1)
        Responses as somebody knows them.
    centre : shape (n,)
        Channel of the zero loss, likewise.
    fwhm : shape (n,)
        Of the responses, channels.
    target_width : shape (n,)
        FWHM of the target's Gaussian, channels.
    losses : shape (n, n_channels)
        Expected electrons without the zero-loss line, at the target resolution, on
        the axis of the measured spectra.
    doubt : shape (n or 1,)
        What the network is told: 0 where the response is known, 1 where it may be
        mistaken.
    """

    electrons: np.ndarray | torch.Tensor
    read_variance: np.ndarray | torch.Tensor
    kernels: np.ndarray | torch.Tensor
    centre: np.ndarray | torch.Tensor
    fwhm: np.ndarray | torch.Tensor
    target_width: np.ndarray | torch.Tensor
    losses: np.ndarray | torch.Tensor
    doubt: np.ndarray | torch.Tensor = NO_DOUBT


@dataclass(frozen=True, eq=False)
class LowLossStream:
    """Draws spectra and their losses, see :class:`Batch`.

    Parameters
    ----------
    bank : SceneBank
        Scenes, at even odds.
    responses : ndarray of float32, shape (n_responses, 2 m + 1)
        At even odds; highest in the middle, rows sum to one.
    electrons : tuple of two floats
        Fewest and most per spectrum; log-uniform in between.
    mistaken : float
        Share of spectra of which the response is known with errors.
    told : bool
        Whether the network is told which those are. The zero loss of the others is
        known better then.
    """

    bank: SceneBank
    responses: np.ndarray
    electrons: tuple[float, float] = (3e4, 2e9)
    mistaken: float = 0.3
    told: bool = True
    fwhm: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        middle = np.full(len(self.responses), self.responses.shape[1] // 2)
        width = half_height_width(self.responses.astype(float), middle)
        object.__setattr__(self, "fwhm", width)

    def draw(self, n: int, random_state: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Draw a batch.

        Parameters
        ----------
        n : int
        random_state : numpy.random.Generator

        Returns
        -------
        Batch of ndarray of float32
        """
        rng = random_state
        scene = rng.integers(0, len(self.bank), n)
        response = rng.integers(0, len(self.responses), n)
        width = self.fwhm[response]
        target = np.minimum(_target_widths(n, rng), width)
        shift = rng.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, n)
        low, high = np.log(self.electrons)
        dose = np.exp(rng.uniform(low, high, n))
        expected, losses = self._expected(scene, response, shift, dose, target)
        read_variance = _read_variances(n, rng)
        measured = _counted(expected, read_variance, rng)
        line = self.bank.zero_loss[scene] * dose
        place = rng.standard_normal(n)
        mistaken = rng.random(n) < self.mistaken
        known_better = ~mistaken if self.told else np.zeros(n, dtype=bool)
        error = np.where(known_better, TOLD_CENTRE_ERROR, CENTRE_ERROR)
        error = np.hypot(error, width / FWHM_PER_SIGMA / np.sqrt(line + 1))
        centre = self.bank.zero_channel[scene] + shift + error * place
        kernels = mistaken_responses(
            self.responses[response], width, np.flatnonzero(mistaken), rng
        )
        doubt = mistaken * float(self.told)
        parts = (measured, read_variance, kernels, centre, width, target, losses, doubt)
        return Batch(*(np.asarray(part, dtype=np.float32) for part in parts))

    def _expected(
        self,
        scene: np.ndarray,
        response: np.ndarray,
        shift: np.ndarray,
        dose: np.ndarray,
        target: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Electrons as the response spreads them, and losses by the target's."""
        bank, kernels = self.bank, self.responses[response]
        half_width = kernels.shape[1] // 2
        length = _even_length(bank.loss.shape[1] + half_width)
        frequency = torch.arange(length // 2 + 1, dtype=torch.float64) / length
        turned = np.zeros((len(kernels), length))
        turned[:, : half_width + 1] = kernels[:, half_width:]
        turned[:, -half_width:] = kernels[:, :half_width]
        spread = torch.fft.rfft(torch.from_numpy(turned))
        loss = torch.fft.rfft(torch.from_numpy(bank.loss[scene]).double(), n=length)
        loss = loss * _turn(frequency, shift - MARGIN)
        share = torch.from_numpy(bank.zero_loss[scene])[:, None]
        line = share * _turn(frequency, bank.zero_channel[scene] + shift)
        sigma = torch.from_numpy(target / FWHM_PER_SIGMA)[:, None]
        sharp = torch.exp(-2 * (math.pi * sigma * frequency) ** 2)
        both = [
            torch.fft.irfft(part, n=length)[:, : bank.n_channels].clamp_(min=0)
            for part in ((loss + line) * spread, loss * sharp)
        ]
        expected, losses = (part.numpy() * dose[:, None] for part in both)
        return expected, losses


def _target_widths(n: int, rng: np.random.Generator) -> np.ndarray:
    targets = np.full(n, USUAL_TARGET)
    unusual = rng.random(n) < UNUSUAL_TARGETS
    targets[unusual] = np.exp(rng.uniform(*np.log(TARGETS), unusual.sum()))
    return targets


def _turn(frequency: torch.Tensor, channels: np.ndarray) -> torch.Tensor:
    """Phases that move a spectrum up by a number of channels."""
    angle = -2 * math.pi * frequency * torch.from_numpy(channels)[:, None]
    return torch.polar(torch.ones_like(angle), angle)


def _even_length(least: int) -> int:
    """The next multiple of 128 channels."""
    return -(-least // 128) * 128


def _read_variances(n: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.uniform(0, LARGEST_READ_NOISE, n)
    noisy = rng.random(n) < NOISY
    noise[noisy] = LARGEST_NOISE ** rng.random(noisy.sum())
    return noise**2


def _counted(
    expected: np.ndarray, read_variance: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    counts = rng.poisson(expected).astype(np.float32)
    patterned = np.flatnonzero(rng.random(len(counts)) < PATTERNED)
    spread = np.exp(rng.uniform(*np.log(PATTERNS), (patterned.size, 1)))
    pattern = rng.standard_normal((patterned.size, counts.shape[1]), np.float32)
    counts[patterned] *= 1 + pattern * spread.astype(np.float32)
    noise = rng.standard_normal(counts.shape, np.float32)
    counts += noise * np.sqrt(read_variance).astype(np.float32)[:, None]
    return counts
