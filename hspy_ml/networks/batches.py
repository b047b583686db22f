# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of a stream: drawn ahead of the training, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .plan import TrainingPlan

# which of the independent random streams of a seed
_TRAINING, _VALIDATION = 0, 1


class SpectrumStream(Protocol):
    """Gives as many fresh training spectra, and their truth, as are asked for."""

    def draw(self, n: int, random_state: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Draw a batch.

        Parameters
        ----------
        n : int
            Spectra in it.
        random_state : numpy.random.Generator
            The only source of randomness: the same one gives the same batch.

        Returns
        -------
        tuple of ndarray
            New arrays at each call (the last batch is still in use while the next is
            drawn, in another thread); what they are, the loss knows.
        """
        ...


class BatchSource:
    """The batches of one training as tensors on its device.

    Parameters
    ----------
    stream : SpectrumStream
        Where they come from.
    plan : TrainingPlan
        How many, how large, and the seed.
    dtype : torch.dtype
        Of the tensors of real numbers; whole numbers keep theirs.
    device : torch.device
        Where the tensors are put.
    """

    def __init__(
        self,
        stream: SpectrumStream,
        plan: TrainingPlan,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._stream = stream
        self._plan = plan
        self._dtype = dtype
        self._device = device

    def validation(self) -> list[tuple[Tensor, ...]]:
        """The validation set, batch by batch, from a random stream of its own."""
        n_batches = -(-self._plan.n_validation // self._plan.batch_size)
        return [self._batch(_VALIDATION, index) for index in range(n_batches)]

    def training(self) -> Iterator[tuple[Tensor, ...]]:
        """The batch of each step; the next is drawn while the last is trained on.

        Close the iterator if it is left before its end.
        """
        n_steps = self._plan.n_steps
        with ThreadPoolExecutor(1, thread_name_prefix="hspy_ml-batches") as thread:
            coming = thread.submit(self._batch, _TRAINING, 0)
            for step in range(1, n_steps + 1):
                batch = coming.result()
                if step < n_steps:
                    coming = thread.submit(self._batch, _TRAINING, step)
                yield batch

    def _batch(self, purpose: int, index: int) -> tuple[Tensor, ...]:
        seed = [self._plan.random_state, purpose, index]
        arrays = self._stream.draw(self._plan.batch_size, np.random.default_rng(seed))
        return tuple(self._tensor(array) for array in arrays)

    def _tensor(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))
        dtype = self._dtype if tensor.is_floating_point() else tensor.dtype
        return tensor.to(dtype).to(self._device)
