# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated spectra with known responses, on the grid of the response network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..simulation.low_loss_readout import LowLossSpectra, measure
from ..simulation.low_loss_scenes import random_scenes
from ..simulation.zero_loss_shapes import random_responses
from .peak_fit import fit_peaks, offset_errors, without_offset
from .profile_grid import ProfileGrid
from .response_inputs import LOG_FLOOR, network_inputs
from .zero_loss import find_zero_loss

__all__ = ["ResponseExamples", "random_examples", "random_spectra"]

KINDS = {
    "vib": 0.3,
    "plasmon": 0.15,
    "interband": 0.1,
    "vacuum": 0.07,
    "doublets": 0.08,
    "broad": 0.08,
    "fano": 0.08,
    "lines": 0.14,
}
FAMILIES = {"family": 0.6, "shoulder": 0.2, "one-sided": 0.2}
WIDTHS = (3.0, 60.0)  # channels
ELECTRONS = (3e4, 1e9)
LARGEST_SHIFT = 3.0  # channels
NOISELESS, READ_NOISE = 0.3, (0.1, 3.0)  # share without; electrons
OFFSET_ERROR = 0.3  # of the read-out noise, at most
TAIL_TAKEN_OFF = (-1.0, 0.6)  # of the first channels, taken for an offset
CHANNELS = (1000, 1400, 2048, 2048, 2048, 3000)
ZERO_LOSS_AT = (0.05, 0.3)  # of the axis
MIXED = 0.25  # share of responses that are two of any family
SPECTRA_AT_A_TIME = 50


@dataclass(frozen=True, eq=False)
class ResponseExamples:
    """What the network is given, and what it should say.

    Parameters
    ----------
    inputs : ndarray of float32, shape (n, n_inputs)
    log_responses : ndarray of float32, shape (n, n_nodes)
    known : ndarray of float32, shape (n, n_nodes)
        1 where the response is known, 0 beyond its ends.
    """

    inputs: np.ndarray
    log_responses: np.ndarray
    known: np.ndarray

    def draw(
        self, n: int, random_state: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw examples with replacement.

        Parameters
        ----------
        n : int
        random_state : numpy.random.Generator

        Returns
        -------
        inputs, log_responses, known : ndarray
        """
        rows = random_state.integers(len(self.inputs), size=n)
        return self.inputs[rows], self.log_responses[rows], self.known[rows]


def random_examples(
    n: int, grid: ProfileGrid, random_state: int | np.random.Generator | None = None
) -> ResponseExamples:
    """Simulate examples.

    Parameters
    ----------
    n : int
        Spectra; those without a peak that can be found are left out.
    grid : ProfileGrid
    random_state : int or numpy.random.Generator, optional
        Makes them repeat exactly.

    Returns
    -------
    ResponseExamples
    """
    rng = np.random.default_rng(random_state)
    blocks = []
    for _ in range(-(-n // SPECTRA_AT_A_TIME)):
        blocks.append(_on_grid(random_spectra(SPECTRA_AT_A_TIME, rng), grid, rng))
    return ResponseExamples(
        *(np.concatenate(parts) for parts in zip(*blocks, strict=True))
    )


def random_spectra(n: int, rng: np.random.Generator) -> LowLossSpectra:
    """Simulate spectra of one kind of specimen on one axis, gain one.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    LowLossSpectra
    """
    from ..simulation.low_loss_kinds import KINDS as ALL_KINDS

    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    n_channels = int(rng.choice(CHANNELS))
    width = ALL_KINDS[kind].channel_width_eV * np.exp(rng.uniform(-0.7, 0.7))
    first = -width * n_channels * rng.uniform(*ZERO_LOSS_AT)
    scenes = random_scenes(
        kind, n, n_channels, width, first_energy_eV=first, random_state=rng
    )
    electrons = np.exp(rng.uniform(*np.log(ELECTRONS), n))
    noise = np.exp(rng.uniform(*np.log(READ_NOISE), n))
    noise[rng.random(n) < NOISELESS] = 0.0
    return measure(
        scenes,
        _responses(n, n_channels, rng),
        electrons,
        rng.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, n),
        read_noise=noise,
        offset=noise * rng.uniform(-OFFSET_ERROR, OFFSET_ERROR, n),
        random_state=rng,
    )


def _responses(n: int, n_channels: int, rng: np.random.Generator) -> np.ndarray:
    """Of one family, some of them mixed with those of another."""
    family, other = rng.choice(list(FAMILIES), 2, p=list(FAMILIES.values()))
    responses = random_responses(family, n, n_channels, fwhm=WIDTHS, random_state=rng)
    mixed = rng.random(n) < MIXED
    more = random_responses(
        other, int(mixed.sum()), n_channels, fwhm=WIDTHS, random_state=rng
    )
    share = rng.uniform(0.0, 0.5, (len(more), 1))
    responses[mixed] = (1 - share) * responses[mixed] + share * more
    return responses


def _on_grid(
    spectra: LowLossSpectra, grid: ProfileGrid, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts = spectra.counts.astype(float) - _taken_off(spectra, rng)
    peaks = find_zero_loss(counts)
    good = (peaks.problem == "") & (
        np.abs(peaks.centre - spectra.zero_channel - spectra.shifts) < peaks.fwhm
    )
    counts, centre = counts[good], peaks.centre[good]
    width, height = peaks.fwhm[good], peaks.height[good]
    profile = grid.measure(counts, spectra.read_noise[good] ** 2, centre, width)
    read = spectra.read_noise[good] ** 2
    parameters = fit_peaks(profile, height, grid, offset_errors(counts, read))
    profile = without_offset(profile, parameters, height)
    inputs = network_inputs(profile, parameters, height, width, grid)
    miss = centre - spectra.zero_channel - spectra.shifts[good]
    return inputs, *_logarithms(spectra.responses[good], miss, width, grid)


def _taken_off(spectra: LowLossSpectra, rng: np.random.Generator) -> np.ndarray:
    """What is taken for an offset but is the tail of the peak, of half the spectra."""
    n_first = max(spectra.energy_eV.size // 50, 4)
    level = spectra.expected[:, :n_first].mean(axis=1, keepdims=True)
    share = rng.uniform(*TAIL_TAKEN_OFF, level.shape)
    return np.where(rng.random(level.shape) < 0.5, share * level, 0.0)


def _logarithms(
    responses: np.ndarray, miss: np.ndarray, width: np.ndarray, grid: ProfileGrid
) -> tuple[np.ndarray, np.ndarray]:
    """Responses at the nodes of grids that miss their tops by some channels."""
    m = responses.shape[1] // 2
    at = m + miss[:, None] + width[:, None] * grid.nodes
    known = (at >= 0) & (at <= 2 * m)
    responses = responses.copy()
    responses[:, 1:-1] -= np.diff(responses, n=2, axis=1) / 24  # in points, not means
    highest = responses.max(axis=1, keepdims=True)
    logs = np.log(np.maximum(responses / highest, np.exp(2 * LOG_FLOOR)))
    left = np.clip(at.astype(int), 1, 2 * m - 2)
    t = np.clip(at - left, 0.0, 1.0)
    rows = np.arange(len(responses))[:, None]
    before, here, there, after = (logs[rows, left + k] for k in (-1, 0, 1, 2))
    slope, next_slope = 0.5 * (there - before), 0.5 * (after - here)
    step = there - here
    cubic = here + t * (
        slope
        + t * (3 * step - 2 * slope - next_slope + t * (slope + next_slope - 2 * step))
    )
    return np.maximum(cubic, LOG_FLOOR).astype(np.float32), known.astype(np.float32)
