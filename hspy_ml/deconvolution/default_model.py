# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the deconvolving network that comes with the package.

    python -m hspy_ml.deconvolution.default_model [FILE] [--steps N]

It is trained on simulated low-loss spectra of eight kinds, on several axes, of
responses of all families, 2 to 50 channels wide, at doses of 3e4 to 2e9 electrons.
Three in ten of the responses are known with errors, as one estimated from the data
is; for most of the training the network is not told which, in the last part it is.
Takes about three quarters of an hour on one core. While it runs, the best state so far
is in the file with ".checkpoint" before its suffix.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from ..networks.plan import TrainingPlan
from .deconvolver_model import DEFAULT_FILE, DeconvolverModel
from .network_scores import with_scores
from .network_stream import LowLossStream
from .network_training import train_network
from .scene_bank import RESPONSES, SCENE_SHARES, random_bank, random_bank_responses

__all__ = ["default_stream", "train_default"]

N_SCENES, N_RESPONSES = 6000, 1500
N_STEPS, N_TOLD = 15_000, 4000
RATE, TOLD_RATE = 3e-3, 1e-3
SEED = 20_261_126
WIDTH = 32


def default_stream(
    n_scenes: int = N_SCENES,
    n_responses: int = N_RESPONSES,
    random_state: int = SEED,
    told: bool = True,
) -> LowLossStream:
    """What the package's network is trained on.

    Parameters
    ----------
    n_scenes, n_responses : int
    random_state : int
    told : bool, default True
        Whether the network is told which responses are mistaken.

    Returns
    -------
    LowLossStream
    """
    bank = random_bank(n_scenes, random_state=random_state)
    responses = random_bank_responses(n_responses, random_state)
    return LowLossStream(bank, responses, told=told)


def train_default(
    n_steps: int = N_STEPS,
    n_told: int = N_TOLD,
    checkpoint: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> DeconvolverModel:
    """Train the package's network.

    Parameters
    ----------
    n_steps, n_told : int
        Steps of the first part of the training and of the last.
    checkpoint : path, optional
    progress : callable, optional
        Is given the number of steps done of the part.

    Returns
    -------
    DeconvolverModel
    """
    options = {"progress": progress, "checkpoint": checkpoint}
    untold = default_stream(told=False)
    conditions = {
        "scenes": SCENE_SHARES,
        "responses": [[name, *widths] for name, _, widths in RESPONSES],
        "electrons": untold.electrons,
        "n_channels": untold.bank.n_channels,
    }
    first = train_network(
        untold,
        _plan(n_steps, RATE, SEED),
        width=WIDTH,
        conditions=conditions,
        **options,
    )
    first = DeconvolverModel.from_stored(first.to_stored())  # in half precision
    return train_told(first, n_told, checkpoint, progress)


def train_told(
    start: DeconvolverModel,
    n_steps: int = N_TOLD,
    checkpoint: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> DeconvolverModel:
    """The last part of the training.

    Parameters
    ----------
    start : DeconvolverModel
        What the first part gave.
    n_steps, checkpoint, progress
        See `train_default`.

    Returns
    -------
    DeconvolverModel
    """
    stream = default_stream(random_state=SEED + 1)
    plan = _plan(n_steps, TOLD_RATE, SEED + 1)
    return train_network(stream, plan, start, checkpoint=checkpoint, progress=progress)


def _plan(n_steps: int, learning_rate: float, seed: int) -> TrainingPlan:
    return TrainingPlan(
        n_steps=n_steps,
        batch_size=32,
        learning_rate=learning_rate,
        warm_up=0.05,
        validate_every=500,
        n_validation=320,
        random_state=seed,
    )


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--steps", type=int, default=N_STEPS)
    options = parser.parse_args()
    checkpoint = options.file.with_suffix(".checkpoint.safetensors")
    progress = _report()
    model = with_scores(train_default(options.steps, N_TOLD, checkpoint, progress))
    model.save(options.file, overwrite=True)
    checkpoint.unlink(missing_ok=True)
    print(model.info())


def _report() -> Callable[[int], None]:
    started = time.perf_counter()

    def progress(step: int) -> None:
        if step % 100 == 0:
            minutes = (time.perf_counter() - started) / 60
            print(f"{step} steps, {minutes:.1f} min", flush=True)

    return progress


if __name__ == "__main__":
    main()
