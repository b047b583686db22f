# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of low-loss scenes: which lines a specimen of each kind has.

Each function takes a generator, the number of scenes and the axis, and gives a table of
lines (`low_loss_lines.LINE`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .low_loss_lines import LINE, line_table

__all__ = ["KINDS", "Axis", "SceneKind"]


class Axis(NamedTuple):
    """Last energy of the padded axis and width of a channel, eV."""

    last: float
    width: float


@dataclass(frozen=True)
class SceneKind:
    """How scenes of a kind are drawn, and the axis they usually have.

    Parameters
    ----------
    lines : callable
        Generator, number of scenes and `Axis` to a table of lines.
    channel_width_eV, first_energy_eV : float
    """

    lines: Callable[[np.random.Generator, int, Axis], np.ndarray]
    channel_width_eV: float = 1e-3
    first_energy_eV: float = -0.3


def _log_uniform(
    rng: np.random.Generator, low: float, high: float, size: int
) -> np.ndarray:
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def _owners(
    rng: np.random.Generator, n_scenes: int, fewest: int, most: int
) -> np.ndarray:
    """The scene of each of `fewest` to `most` lines a scene."""
    return np.repeat(np.arange(n_scenes), rng.integers(fewest, most + 1, n_scenes))


def _some(rng: np.random.Generator, n_scenes: int, share: float) -> np.ndarray:
    return np.flatnonzero(rng.random(n_scenes) < share)


def _either(rng: np.random.Generator, *columns: np.ndarray) -> np.ndarray:
    """Lines that are Lorentzian or Gaussian, at even odds."""
    lorentzian = rng.random(columns[0].size) < 0.5
    return np.concatenate(
        [
            line_table("lorentzian", *(c[lorentzian] for c in columns)),
            line_table("gaussian", *(c[~lorentzian] for c in columns)),
        ]
    )


def _vibrations(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """Phonons at 25 to 200 meV, bands up to the end, at times a gap."""
    phonon = _owners(rng, n_scenes, 1, 4)
    band = _owners(rng, n_scenes, 0, 5)
    gap = _some(rng, n_scenes, 0.3)
    temperature = rng.uniform(100.0, 400.0, n_scenes)
    phonons = line_table(
        "oscillator",
        phonon,
        rng.uniform(0.025, 0.2, phonon.size),
        _log_uniform(rng, 4e-3, 20e-3, phonon.size),
        _log_uniform(rng, 10**-3.5, 1e-2, phonon.size),
        temperature[phonon],
    )
    bands = _either(
        rng,
        band,
        rng.uniform(0.2, axis.last, band.size),
        _log_uniform(rng, 30e-3, 200e-3, band.size),
        _log_uniform(rng, 10**-3.5, 1e-2, band.size),
    )
    gaps = line_table(
        "threshold",
        gap,
        rng.uniform(0.4, 1.5, gap.size),
        _log_uniform(rng, 0.2, 1.0, gap.size),
        _log_uniform(rng, 3e-3, 3e-2, gap.size),
    )
    return np.concatenate([phonons, bands, gaps])


def _plasmons(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """A bulk plasmon of t/lambda 0.1 to 1.5, and what else is at its energies."""
    every = np.arange(n_scenes)
    thickness = rng.uniform(0.1, 1.5, n_scenes)  # t / lambda
    bulk_eV = rng.uniform(6.0, 33.0, n_scenes)
    damping = _log_uniform(rng, 0.08, 0.4, n_scenes)
    room = 293.0
    bulk = line_table("oscillator", every, bulk_eV, damping * bulk_eV, thickness, room)
    on = _some(rng, n_scenes, 0.7)
    surface = line_table(
        "oscillator",
        on,
        bulk_eV[on] / np.sqrt(2) * rng.uniform(0.9, 1.05, on.size),
        bulk_eV[on] * _log_uniform(rng, 0.05, 0.3, on.size),
        _log_uniform(rng, 0.01, 0.15, on.size),
        room,
    )
    between = _owners(rng, n_scenes, 0, 4)
    peaks = _either(
        rng,
        between,
        rng.uniform(2.0, np.maximum(3.0, 1.5 * bulk_eV[between])),
        _log_uniform(rng, 0.4, 4.0, between.size),
        _log_uniform(rng, 3e-3, 6e-2, between.size) * thickness[between],
    )
    edge = _some(rng, n_scenes, 0.4)
    edges = line_table(
        "step",
        edge,
        rng.uniform(25.0, 80.0, edge.size),
        _log_uniform(rng, 0.1, 1.0, edge.size),
        _log_uniform(rng, 0.01, 0.1, edge.size) * thickness[edge],
        rng.uniform(2.5, 4.5, edge.size),
    )
    return np.concatenate([bulk, surface, peaks, edges])


def _interband(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """A gap of 1 to 8 eV with excitons below it, transitions, a plasmon."""
    every = np.arange(n_scenes)
    gap_eV = rng.uniform(1.0, 8.0, n_scenes)
    strength = _log_uniform(rng, 0.02, 0.3, n_scenes)
    scale = _log_uniform(rng, 0.5, 5.0, n_scenes)
    gaps = line_table("threshold", every, gap_eV, scale, strength)
    exciton = _owners(rng, n_scenes, 0, 3)
    binding = _log_uniform(rng, 0.02, 0.6, exciton.size)
    excitons = _either(
        rng,
        exciton,
        gap_eV[exciton] - binding,
        _log_uniform(rng, 0.03, 0.4, exciton.size),
        _log_uniform(rng, 1e-3, 1e-1, exciton.size) * strength[exciton],
    )
    transition = _owners(rng, n_scenes, 0, 5)
    transitions = _either(
        rng,
        transition,
        gap_eV[transition] + _log_uniform(rng, 0.2, 12.0, transition.size),
        _log_uniform(rng, 0.05, 2.0, transition.size),
        _log_uniform(rng, 1e-2, 0.5, transition.size) * strength[transition],
    )
    bulk_eV = rng.uniform(12.0, 25.0, n_scenes)
    width_eV = bulk_eV * rng.uniform(0.1, 0.4, n_scenes)
    amount = _log_uniform(rng, 0.05, 1.0, n_scenes)
    bulk = line_table("oscillator", every, bulk_eV, width_eV, amount, 293.0)
    return np.concatenate([gaps, excitons, transitions, bulk])


def _vacuum(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """No loss at all."""
    return np.empty(0, LINE)


def _energies(rng: np.random.Generator, axis: Axis, size: int) -> np.ndarray:
    """Anywhere from a twentieth of the range to near the spectrometer's end."""
    return rng.uniform(axis.last / 20, 0.85 * axis.last, size)


def _doublets(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """Pairs of Gaussians, 0.5 to 1.6 of their width from each other."""
    pair = _owners(rng, n_scenes, 1, 4)
    centre = _energies(rng, axis, pair.size)
    fwhm = axis.width * _log_uniform(rng, 8.0, 40.0, pair.size)
    area = _log_uniform(rng, 1e-3, 1e-2, pair.size)
    distance = fwhm * rng.uniform(0.5, 1.6, pair.size)
    second = area * _log_uniform(rng, 0.4, 2.5, pair.size)
    return np.concatenate(
        [
            line_table("gaussian", pair, centre - distance / 2, fwhm, area),
            line_table("gaussian", pair, centre + distance / 2, fwhm, second),
        ]
    )


def _broad(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """Bands 100 to 600 channels wide."""
    band = _owners(rng, n_scenes, 1, 4)
    return _either(
        rng,
        band,
        _energies(rng, axis, band.size),
        axis.width * _log_uniform(rng, 100.0, 600.0, band.size),
        _log_uniform(rng, 3e-3, 1e-1, band.size),
    )


def _fano(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """Resonances 8 to 40 channels wide, in continua."""
    owner = _owners(rng, n_scenes, 1, 3)
    q = rng.choice([-1.0, 1.0], owner.size) * _log_uniform(rng, 0.3, 4.0, owner.size)
    energy = _energies(rng, axis, owner.size)
    fwhm = axis.width * _log_uniform(rng, 8.0, 40.0, owner.size)
    area = _log_uniform(rng, 2e-3, 2e-2, owner.size)
    return line_table("fano", owner, energy, fwhm, area, q)


def _lines(rng: np.random.Generator, n_scenes: int, axis: Axis) -> np.ndarray:
    """Anything: up to 12 lines, 3 to 300 channels wide."""
    owner = _owners(rng, n_scenes, 0, 12)
    return _either(
        rng,
        owner,
        rng.uniform(8 * axis.width, axis.last, owner.size),
        axis.width * _log_uniform(rng, 3.0, 300.0, owner.size),
        _log_uniform(rng, 1e-4, 5e-2, owner.size),
    )


KINDS = {
    "vib": SceneKind(_vibrations),
    "plasmon": SceneKind(_plasmons, 0.05, -10.0),
    "interband": SceneKind(_interband, 0.01, -2.0),
    "vacuum": SceneKind(_vacuum),
    "doublets": SceneKind(_doublets),
    "broad": SceneKind(_broad),
    "fano": SceneKind(_fano),
    "lines": SceneKind(_lines),
}
