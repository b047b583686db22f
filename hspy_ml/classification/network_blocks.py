# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of spectra read side by side, each with one thread of torch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..networks.threads import available_cores, torch_threads

if TYPE_CHECKING:
    from ..counts import Counts

__all__ = ["check_channels", "each_block"]

Found = TypeVar("Found")


def check_channels(counts: Counts, n_channels: int) -> None:
    """Raise if spectra have another number of channels than a classifier.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
    n_channels : int

    Raises
    ------
    ValueError
        If they have.
    """
    if counts.n_channels != n_channels:
        raise ValueError(
            f"`counts` has {counts.n_channels} channels, the classifier takes "
            f"{n_channels}; use the energy axis and the channels of its references."
        )


def each_block(
    work: Callable[[np.ndarray], Found],
    blocks: Iterable[np.ndarray],
    num_workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Found]:
    """Do the same to all blocks of spectra.

    Parameters
    ----------
    work : callable
        Takes a block.
    blocks : iterable of ndarray, shape (n_of_block, n_bins)
        Only a few are drawn ahead.
    num_workers : int, optional
        Blocks at the same time; as many as there are cores by default.
    progress : callable, optional
        Is given the number of spectra just done.

    Returns
    -------
    list
        What `work` returned, in the order of the blocks.
    """
    n_workers = num_workers or available_cores()
    found: list[Found] = []
    running: deque = deque()

    def take() -> None:
        n, future = running.popleft()
        found.append(future.result())
        if progress is not None:
            progress(n)

    with torch_threads(1), ThreadPoolExecutor(n_workers) as pool:
        for block in blocks:
            running.append((len(block), pool.submit(work, block)))
            if len(running) > n_workers:
                take()
        while running:
            take()
    return found
