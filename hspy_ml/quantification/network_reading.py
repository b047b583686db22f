# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network says of spectra, block by block, and of the pixels of an image."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from ..networks.threads import available_cores, torch_threads
from .image_prior import Posterior
from .surprise import surprise

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.quantifier import QuantifierNetwork

__all__ = ["Readings", "goodness", "posterior_of", "read_spectra"]

SPECTRA_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Readings:
    """What each spectrum says by itself.

    Parameters
    ----------
    seen : Tensor, shape (n, n_features)
        For `QuantifierNetwork.decide`.
    shares : ndarray, shape (n, n_columns)
        Of the counts in each column of the G-matrix.
    surprise : ndarray, shape (n,)
        See :func:`hspy_ml.quantification.surprise.surprise`.
    counts : ndarray, shape (n,)
    """

    seen: Tensor
    shares: np.ndarray
    surprise: np.ndarray
    counts: np.ndarray


def read_spectra(
    network: QuantifierNetwork,
    blocks: Iterable[np.ndarray],
    num_workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Readings:
    """Read spectra with a network.

    Parameters
    ----------
    network : QuantifierNetwork
    blocks : iterable of ndarray, shape (n_of_block, n_bins)
        Counts.
    num_workers : int, optional
        Blocks that are read at the same time; as many as there are cores by default.
    progress : callable, optional
        Is given the number of spectra just read.

    Returns
    -------
    Readings
    """
    import torch

    n_workers = num_workers or available_cores()
    parts = []
    with torch_threads(1), ThreadPoolExecutor(n_workers) as pool:
        for part in _in_order(pool, lambda b: _read(network, b), blocks, n_workers):
            parts.append(part)
            if progress is not None:
                progress(part[0].shape[0])
        seen, *others = (torch.cat(part) for part in zip(*parts, strict=True))
    return Readings(seen, *(np.asarray(part, dtype=np.float64) for part in others))


def _read(network: QuantifierNetwork, block: np.ndarray) -> tuple[Tensor, ...]:
    import torch

    with torch.inference_mode():
        spectra = torch.from_numpy(np.ascontiguousarray(block, dtype=np.float32))
        seen, log_shares = network.encode(spectra)
        found = surprise(network, spectra, log_shares)
        return seen, log_shares.exp(), found, spectra.sum(dim=1)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable, items: Iterable, n_ahead: int
) -> Iterator:
    """Results in the order of the items, of which only a few are drawn ahead."""
    running: deque = deque()
    for item in items:
        running.append(pool.submit(work, item))
        if len(running) > n_ahead:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


def posterior_of(
    network: QuantifierNetwork, seen: Tensor, num_workers: int | None = None
) -> Posterior:
    """From the moments of each spectrum's population to its composition.

    Parameters
    ----------
    network : QuantifierNetwork
        Calibrated.
    seen : Tensor, shape (n, n_features)
    num_workers : int, optional
        Threads; as many as there are cores by default.

    Returns
    -------
    callable
        Takes moments, shape (n, 2 n_elements); gives means and calibrated standard
        deviations of the atomic fractions, shape (n, n_elements).
    """
    n_workers = num_workers or available_cores()
    starts = range(0, seen.shape[0], SPECTRA_AT_ONCE)
    parts = [slice(start, start + SPECTRA_AT_ONCE) for start in starts]

    def posterior(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def decided(part: slice) -> tuple[np.ndarray, np.ndarray]:
            return _decided(network, seen[part], moments[part])

        with torch_threads(1), ThreadPoolExecutor(n_workers) as pool:
            found = list(pool.map(decided, parts))
        mean, deviation = zip(*found, strict=True)
        return np.concatenate(mean), np.concatenate(deviation)

    return posterior


def _decided(
    network: QuantifierNetwork, seen: Tensor, moments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    known = torch.from_numpy(np.ascontiguousarray(moments, dtype=np.float32))
    with torch.inference_mode():
        mean, deviation = network.decide(seen, known)
        wide = deviation * _at_dose(network.dose_grid, network.widening, seen[:, 0])
    return mean.numpy().astype(np.float64), wide.numpy().astype(np.float64)


def goodness(network: QuantifierNetwork, readings: Readings) -> np.ndarray:
    """Surprise as standard deviations of a normal variable.

    Parameters
    ----------
    network : QuantifierNetwork
        Calibrated.
    readings : Readings

    Returns
    -------
    ndarray, shape (n,)
        About normal, with mean 0 and variance 1, where the named elements explain the
        spectrum; large where they do not.
    """
    import torch

    from ..networks.quantifier import LEVELS

    log_counts = torch.log1p(torch.from_numpy(readings.counts)).float()
    ordinary = _at_dose(network.dose_grid, network.ordinary, log_counts).numpy()
    normal = norm.isf(LEVELS)
    places = np.maximum.accumulate(ordinary, axis=1)
    places = places + 1e-6 * np.arange(places.shape[1])
    found = readings.surprise
    segment = np.clip((found[:, None] > places).sum(axis=1) - 1, 0, len(LEVELS) - 2)
    rows = np.arange(found.size)
    low, high = places[rows, segment], places[rows, segment + 1]
    rise = (normal[segment + 1] - normal[segment]) / np.maximum(high - low, 0.05)
    return normal[segment] + (found - low) * rise


def _at_dose(grid: Tensor, table: Tensor, log_counts: Tensor) -> Tensor:
    """Rows of a table between the doses that it was made for."""
    step = (grid[-1] - grid[0]) / (grid.shape[0] - 1)
    place = ((log_counts - grid[0]) / step).clamp(0, grid.shape[0] - 1)
    lower = place.floor().long().clamp(max=grid.shape[0] - 2)
    part = (place - lower)[:, None]
    return (1 - part) * table[lower] + part * table[lower + 1]
