# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads torch uses.

Torch's threads wait for each other in a busy loop. Where something else runs on one of
their cores, such as the thread that draws the next batch, they wait long: a training
can take thirty times as long. One thread fewer than cores for a training, and one for
each of several blocks that are read side by side, are fast always.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "available_cores",
    "has_half_precision",
    "one_torch_thread",
    "torch_threads",
    "training_threads",
]


def available_cores() -> int:
    """Cores that this process may use.

    Returns
    -------
    int
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_half_precision() -> bool:
    """Whether the processor multiplies numbers of half precision (bfloat16) itself.

    Returns
    -------
    bool
        If not, or not known, half precision is no faster than single.
    """
    import torch

    known = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def training_threads() -> int:
    """Threads of torch for a training: the batches need a core of their own.

    Returns
    -------
    int
    """
    return max(1, available_cores() - 1)


@contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Let torch use so many threads for one operation.

    Parameters
    ----------
    n_threads : int
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_lock = threading.Lock()
_within: list[int] = []  # threads that torch used before, one entry for each block


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread while any of several blocks side by side is in it."""
    import torch

    with _lock:
        _within.append(_within[0] if _within else torch.get_num_threads())
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            before = _within.pop()
            if not _within:
                torch.set_num_threads(before)
