# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network says of spectra, block by block, and of the pixels of an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from .image_prior import Posterior
from .surprise import surprise

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.quantifier import QuantifierNetwork

__all__ = ["Readings", "goodness", "posterior_of", "read_spectra", "threads"]


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
    progress: Callable[[int], None] | None = None,
) -> Readings:
    """Read spectra with a network.

    Parameters
    ----------
    network : QuantifierNetwork
    blocks : iterable of ndarray, shape (n_of_block, n_bins)
        Counts.
    progress : callable, optional
        Is given the number of spectra just read.

    Returns
    -------
    Readings
    """
    import torch

    parts: list[tuple] = []
    with torch.inference_mode():
        for block in blocks:
            spectra = torch.from_numpy(np.ascontiguousarray(block, dtype=np.float32))
            seen, log_shares = network.encode(spectra)
            found = surprise(network, spectra, log_shares)
            counts = spectra.sum(dim=1)
            parts.append((seen, log_shares.exp(), found, counts))
            if progress is not None:
                progress(block.shape[0])
        seen, *others = (torch.cat(part) for part in zip(*parts, strict=True))
    return Readings(seen, *(np.asarray(part, dtype=np.float64) for part in others))


def posterior_of(network: QuantifierNetwork, seen: Tensor) -> Posterior:
    """From the moments of each spectrum's population to its composition.

    Parameters
    ----------
    network : QuantifierNetwork
        Calibrated.
    seen : Tensor, shape (n, n_features)

    Returns
    -------
    callable
        Takes moments, shape (n, 2 n_elements); gives means and calibrated standard
        deviations of the atomic fractions, shape (n, n_elements).
    """
    import torch

    wider = _at_dose(network.dose_grid, network.widening, seen[:, 0])

    def posterior(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known = torch.from_numpy(np.ascontiguousarray(moments, dtype=np.float32))
        with torch.inference_mode():
            mean, deviation = network.decide(seen, known)
            wide = deviation * wider
        return mean.numpy().astype(np.float64), wide.numpy().astype(np.float64)

    return posterior


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


@contextmanager
def threads(num_workers: int | None) -> Iterator[None]:
    """Let torch use so many threads.

    Parameters
    ----------
    num_workers : int or None
        None for as many as torch chooses.
    """
    import torch

    before = torch.get_num_threads()
    if num_workers is not None:
        torch.set_num_threads(num_workers)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _at_dose(grid: Tensor, table: Tensor, log_counts: Tensor) -> Tensor:
    """Rows of a table between the doses that it was made for."""
    step = (grid[-1] - grid[0]) / (grid.shape[0] - 1)
    place = ((log_counts - grid[0]) / step).clamp(0, grid.shape[0] - 1)
    lower = place.floor().long().clamp(max=grid.shape[0] - 2)
    part = (place - lower)[:, None]
    return (1 - part) * table[lower] + part * table[lower + 1]
