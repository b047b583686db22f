# SPDX-License-Identifier: GPL-3.0-or-later
"""The one training loop: every network of the package is trained by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from os import PathLike
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from .batches import BatchSource, SpectrumStream
from .best_state import BestState
from .optimiser import Optimiser
from .plan import TrainingHistory, TrainingPlan

Loss = Callable[[nn.Module, tuple[Tensor, ...]], Tensor]

__all__ = ["Loss", "SpectrumStream", "TrainingHistory", "TrainingPlan", "train"]


def train(
    network: nn.Module,
    stream: SpectrumStream,
    loss: Loss,
    plan: TrainingPlan,
    *,
    progress: Callable[[int], None] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    device: str = "auto",
) -> TrainingHistory:
    """Train a network on a stream of spectra.

    AdamW [1]_ with a one-cycle schedule of the learning rate [2]_. The network is left
    in the state with the lowest validation loss, in evaluation mode and where it was
    (CPU or GPU), however the training ends. Training repeats exactly on one machine:
    it depends on the network's initial weights and on ``plan.random_state``, not on
    torch's global seed, which it leaves as it was.

    Parameters
    ----------
    network : torch.nn.Module
        Trained in place, from the weights that it holds.
    stream : SpectrumStream
        Where the batches come from: ``stream.draw(n, random_state)``.
    loss : callable
        ``loss(network, batch)``, the mean over the batch, a scalar tensor. On a GPU it
        is called under automatic mixed precision: compute in float32 what needs it.
    plan : TrainingPlan
        Steps, batch size, learning rate, validation, seed.
    progress : callable, optional
        Called with the number of steps done after each of them.
    checkpoint : path, optional
        A ``.safetensors`` file that holds the best state so far (see
        :func:`hspy_ml.networks.best_state.load_checkpoint`), replaced whenever a
        validation is better, so that a killed process loses little. Its folder must
        exist.
    device : str, default "auto"
        Where to train: torch's name of a device, or "auto" for the GPU (CUDA) if there
        is one and the CPU otherwise.

    Returns
    -------
    TrainingHistory
        Losses, the step whose state was kept, and how it ended. An interrupt
        (KeyboardInterrupt) ends the training and is told by ``interrupted``; it is not
        raised again.

    Raises
    ------
    RuntimeError
        If the loss is no longer finite; the best state so far is restored.
    ValueError
        If the network has no weights to train, if there is no such device, or if
        `checkpoint` does not end in ``.safetensors``.
    FileNotFoundError, IsADirectoryError
        If the folder of `checkpoint` does not exist, or it is a folder.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR
       (2019).
    .. [2] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", Proc. SPIE 11006 (2019) 1100612.
    """
    started = perf_counter()
    target = _device(device)
    home, dtype = _home(network)
    source = BatchSource(stream, plan, dtype, target)
    best = BestState(network, checkpoint)
    record = _Record()
    try:
        network.to(target)
        with _own_random_numbers(plan.random_state, target):
            _run(network, source, loss, plan, best, record, progress)
    except KeyboardInterrupt:
        record.interrupted = True
    finally:
        best.restore()
        network.to(home).eval()
    return record.history(best.step, perf_counter() - started)


def _run(
    network: nn.Module,
    source: BatchSource,
    loss: Loss,
    plan: TrainingPlan,
    best: BestState,
    record: _Record,
    progress: Callable[[int], None] | None,
) -> None:
    validation = source.validation()
    _validate(network, validation, loss, best, record, step=0)
    optimiser = Optimiser(network, plan)
    network.train()
    with closing(source.training()) as batches:
        for step, batch in enumerate(batches, start=1):
            value = optimiser.step(lambda batch=batch: loss(network, batch))
            _check_finite(value, f"The loss of step {step}")
            record.training_loss.append(value)
            if progress is not None:
                progress(step)
            if step % plan.validate_every == 0 or step == plan.n_steps:
                _validate(network, validation, loss, best, record, step)
                network.train()
                if best.n_worse == plan.patience and step < plan.n_steps:
                    record.stopped_early = True
                    return


def _validate(
    network: nn.Module,
    validation: list[tuple[Tensor, ...]],
    loss: Loss,
    best: BestState,
    record: _Record,
    step: int,
) -> None:
    network.eval()
    with torch.no_grad():
        value = float(np.mean([float(loss(network, batch)) for batch in validation]))
    _check_finite(value, f"The validation loss after {step} steps")
    record.validation_steps.append(step)
    record.validation_loss.append(value)
    best.offer(step, value)


class _Record:
    """What is noted while the training goes on."""

    def __init__(self) -> None:
        self.training_loss: list[float] = []
        self.validation_steps: list[int] = []
        self.validation_loss: list[float] = []
        self.interrupted = False
        self.stopped_early = False

    def history(self, best_step: int, seconds: float) -> TrainingHistory:
        return TrainingHistory(
            training_loss=np.array(self.training_loss, dtype=float),
            validation_steps=np.array(self.validation_steps, dtype=int),
            validation_loss=np.array(self.validation_loss, dtype=float),
            best_step=best_step,
            n_steps_done=len(self.training_loss),
            seconds=seconds,
            interrupted=self.interrupted,
            stopped_early=self.stopped_early,
        )


def _check_finite(value: float, what: str) -> None:
    if not np.isfinite(value):
        raise RuntimeError(
            f"{what} is {value}; the network was set back to its best state. Lower "
            "`learning_rate` in the plan, or look for spectra or truths that are not "
            "finite in the stream."
        )


def _home(network: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Where the network is and what its numbers are."""
    trainable = (p for p in network.parameters() if p.requires_grad)
    first = next(trainable, None)
    if first is None:
        raise ValueError("`network` has no weights to train.")
    return first.device, first.dtype


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"`device` is {name!r}, which torch cannot use here ({error}); give "
            '"auto" or "cpu".'
        ) from error
    return device


@contextmanager
def _own_random_numbers(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's generators seeded for the training, and set back afterwards."""
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.random.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
