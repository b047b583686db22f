# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed loop: choose, move, acquire, classify, choose again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .microscope import Microscope, PositionFailed, SpectrumMismatch
from .sampler import DynamicSampler

__all__ = ["AcquiredMap", "acquire_map"]


@dataclass
class AcquiredMap:
    """What has been acquired so far; grows while `acquire_map` runs.

    Parameters
    ----------
    positions : list of tuple of int
        Where spectra were acquired, in their order.
    spectra : list of ndarray, each of shape (n_channels,)
        What was acquired there.
    labels : list of int
        Their phases, from 1; 0 for an ill spectrum.
    failures : list of tuple
        Position and reason of each pixel that was skipped.
    ended_by : str
        "stop", "number", "complete" (no pixel was left), "interrupt" (Ctrl-C), or ""
        while it runs.
    """

    positions: list[tuple[int, ...]] = field(default_factory=list)
    spectra: list[np.ndarray] = field(default_factory=list, repr=False)
    labels: list[int] = field(default_factory=list, repr=False)
    failures: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    ended_by: str = ""


def acquire_map(
    sampler: DynamicSampler,
    microscope: Microscope,
    classify: Callable[[np.ndarray], np.ndarray | int],
    *,
    n_measured: int | None = None,
    stop: Callable[[DynamicSampler], bool] | None = None,
    batch: int = 1,
    acquired: AcquiredMap | None = None,
    progress: Callable[[DynamicSampler], None] | None = None,
) -> AcquiredMap:
    """Acquire a map pixel by pixel, each where it is worth most.

    Positions at which the microscope fails are skipped and reported. Ctrl-C ends it
    in good order: what is measured is in `sampler` and in the result, what was asked
    for is measured first when it is called again.

    Parameters
    ----------
    sampler : DynamicSampler
        Changed as it goes; one that has begun goes on.
    microscope : Microscope
    classify : callable
        Takes spectra, shape (n, n_channels), and gives their labels, shape (n,): 1 for
        the first phase, 0 for an ill spectrum.
    n_measured : int, optional
        Number of measured pixels, with those of before, at which it ends.
    stop : callable, optional
        Takes the sampler, after every batch; it ends when this is True.
    batch : int, default 1
        Pixels that are chosen at once, measured along a short path, and classified
        together.
    acquired : AcquiredMap, optional
        What an earlier call gave, to go on from.
    progress : callable, optional
        Takes the sampler, after every batch.

    Returns
    -------
    AcquiredMap
        `acquired`, if it was given.

    Raises
    ------
    SpectrumMismatch
        If a spectrum has another length than the first one; what was measured before
        is in `sampler`.
    """
    acquired = AcquiredMap() if acquired is None else acquired
    acquired.ended_by = ""
    try:
        while not acquired.ended_by:
            _measure_batch(sampler, microscope, classify, batch, n_measured, acquired)
            if progress is not None:
                progress(sampler)
            if not acquired.ended_by and stop is not None and stop(sampler):
                acquired.ended_by = "stop"
    except KeyboardInterrupt:
        acquired.ended_by = "interrupt"
    return acquired


def _measure_batch(sampler, microscope, classify, batch, n_measured, acquired) -> None:
    """Measure some pixels, or find that it has come to its end."""
    wanted = batch
    if n_measured is not None:
        wanted = min(batch, n_measured - sampler.n_measured)
    if wanted < 1:
        acquired.ended_by = "number"
        return
    positions = sampler.asked
    positions = positions[:wanted] if len(positions) else sampler.next(wanted)
    if not len(positions):
        acquired.ended_by = "complete"
        return
    spectra = {}
    try:
        for position in _along_short_path(positions):
            _measure(sampler, microscope, position, spectra, acquired)
    finally:
        _take_in(sampler, classify, spectra, acquired)


def _measure(sampler, microscope, position, spectra, acquired) -> None:
    try:
        microscope.move(position)
        spectrum = np.asarray(microscope.acquire())
    except PositionFailed as failure:
        sampler.skip(np.array(position))
        acquired.failures.append((position, str(failure)))
        return
    _check_length(spectrum, position, [*spectra.values(), *acquired.spectra[:1]])
    spectra[position] = spectrum


def _check_length(spectrum, position, before) -> None:
    shape = before[0].shape if before else (spectrum.size,)
    if spectrum.shape != shape:
        raise SpectrumMismatch(
            f"The spectrum at {position} has the shape {spectrum.shape}; {shape} is "
            "expected, as of those before. Set the detector back, and call again: "
            "the sampler still asks for this pixel."
        )


def _take_in(sampler, classify, spectra, acquired) -> None:
    """Classify what was measured, and tell the sampler."""
    if not spectra:
        return
    stacked = np.stack(list(spectra.values()))
    labels = np.asarray(classify(stacked)).reshape(-1)
    sampler.update(np.array(list(spectra)), labels)
    acquired.positions += spectra
    acquired.spectra += spectra.values()
    acquired.labels += labels.tolist()


def _along_short_path(positions: np.ndarray) -> list[tuple[int, ...]]:
    """Each next position the nearest of those that are left."""
    left = list(map(tuple, positions.tolist()))
    path = [left.pop(0)]
    while left:
        distances = np.linalg.norm(np.subtract(left, path[-1]), axis=1)
        path.append(left.pop(int(np.argmin(distances))))
    return path
