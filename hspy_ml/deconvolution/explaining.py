# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result does not explain: offset and place, or losses that it has missed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .alignment import refined_shifts
from .deconvolved import reduced_deviance
from .noise import DetectorNoise
from .richardson_lucy import likelihood_steps

if TYPE_CHECKING:
    import torch

    from .measured import Measured

__all__ = ["explained", "realigned"]

_WORSE_THAN = 4.0  # standard errors of the deviance above one: not explained
_LINE = 2  # channels of a scene on either side that belong to the zero loss
_ADJACENT = 8  # channels whose residuals are compared
_STANDING_OUT = 2.5  # standard errors: what the steps follow
_STEPS = (0, 20, 80)  # further steps before it is looked at again


def explained(
    spectra: Measured, scene: torch.Tensor, rows: np.ndarray | None = None
) -> Measured:
    """Correct offset and alignment, and go on with likelihood steps, where needed.

    Parameters
    ----------
    spectra : Measured
    scene : torch.Tensor, shape (n, n_scene)
        Is changed, where the reduced deviance is four standard errors above one.
    rows : ndarray of int, optional
        The spectra to look at; all if not given.

    Returns
    -------
    Measured
        With better offsets and shifts.
    """
    rows = np.arange(len(spectra)) if rows is None else rows
    for n_steps in _STEPS:
        rows = rows[_unexplained(spectra.select(rows), scene[rows])]
        if not rows.size:
            break
        some = spectra.select(rows)
        if n_steps:
            spectra = _with_shifts(spectra, rows, _better_shifts(some, scene[rows]))
            some = spectra.select(rows)
            scene[rows] = likelihood_steps(
                some.electrons,
                some.transfer,
                scene[rows],
                n_steps,
                some.read_variance,
                _STANDING_OUT,
            )
        spectra = _with_offset(spectra, rows, _left_level(some, scene[rows]))
    return spectra


def realigned(spectra: Measured, scene: torch.Tensor) -> tuple[Measured, np.ndarray]:
    """Find offset and zero loss again where the data are not explained.

    Losses in the flank of the peak pull it; once they are known, it can be placed.

    Parameters
    ----------
    spectra : Measured
    scene : torch.Tensor, shape (n, n_scene)
        With the losses; not changed.

    Returns
    -------
    spectra : Measured
    rows : ndarray of int
        Of the spectra that have changed.
    """
    rows = np.flatnonzero(_unexplained(spectra, scene))
    if rows.size:
        some = spectra.select(rows)
        spectra = _with_shifts(spectra, rows, _better_shifts(some, scene[rows]))
        level = _left_level(spectra.select(rows), scene[rows])
        spectra = _with_offset(spectra, rows, level)
    return spectra, rows


def _unexplained(spectra: Measured, scene: torch.Tensor) -> np.ndarray:
    """Where residuals are larger than the noise, and alike in adjacent channels.

    Noise that was estimated too small makes them larger, but leaves them independent.
    """
    limit = 1 + _WORSE_THAN * np.sqrt(2 / spectra.electrons.shape[1])
    expected = spectra.transfer.forward(scene).clamp_(min=0).numpy()
    read = spectra.read_variance.numpy()
    electrons = spectra.electrons.numpy()
    deviance = reduced_deviance(electrons, expected, read)
    found = (deviance > limit) & (spectra.problem == "")
    if found.any():
        rows = np.flatnonzero(found)
        spread = np.sqrt(expected[rows] + read[rows] + 1e-3)
        found[rows] = _correlated((electrons[rows] - expected[rows]) / spread)
    return found


def _correlated(residuals: np.ndarray) -> np.ndarray:
    """Whether means of adjacent channels vary more than independent ones would."""
    n_groups = residuals.shape[1] // _ADJACENT
    groups = residuals[:, : n_groups * _ADJACENT].reshape(len(residuals), n_groups, -1)
    of_means = np.mean(groups.mean(axis=2) ** 2, axis=1) * _ADJACENT
    excess = of_means / np.mean(groups**2, axis=(1, 2)) - 1
    return excess > _WORSE_THAN * np.sqrt(2 / n_groups)


def _better_shifts(spectra: Measured, scene: torch.Tensor) -> np.ndarray:
    """Places of the zero loss, now that the losses beside it are known."""
    at = spectra.zero + spectra.transfer.margin
    losses = scene.clone()
    losses[:, at - _LINE : at + _LINE + 1] = 0
    expected = spectra.transfer.forward(losses).clamp_(min=0)
    return refined_shifts(
        spectra.electrons,
        spectra.transfer,
        spectra.zero,
        spectra.fwhm,
        spectra.read_variance,
        expected,
    )


def _with_shifts(spectra: Measured, rows: np.ndarray, shifts: np.ndarray) -> Measured:
    before = np.broadcast_to(spectra.transfer.shifts, len(spectra))
    after = before.copy()
    after[rows] = shifts
    kept = spectra.moves != before  # aligned: the result stays where it is
    return replace(
        spectra,
        transfer=spectra.transfer.moved(after),
        shifts=spectra.shifts + after - before,
        moves=np.where(kept, spectra.moves, after),
    )


def _left_level(spectra: Measured, scene: torch.Tensor) -> np.ndarray:
    """Mean of the residuals, where each weighs as the inverse of its variance."""
    expected = spectra.transfer.forward(scene).clamp_(min=0)
    weight = 1 / (expected + spectra.read_variance + 1)
    residual = (spectra.electrons - expected).mul_(weight)
    return (residual.sum(dim=1) / weight.sum(dim=1)).numpy().astype(float)


def _with_offset(spectra: Measured, rows: np.ndarray, level: np.ndarray) -> Measured:
    """Electrons per channel of some spectra that are none, added to the offset."""
    import torch

    n = len(spectra)
    added = np.zeros(n)
    added[rows] = level
    gain, read, offset = (
        np.broadcast_to(values, n)
        for values in (
            spectra.noise.gain,
            spectra.noise.read_variance,
            spectra.noise.offset,
        )
    )
    electrons = spectra.electrons - torch.from_numpy(added.astype(np.float32))[:, None]
    noise = DetectorNoise(gain, read, offset + gain * added)
    return replace(spectra, electrons=electrons, noise=noise)
