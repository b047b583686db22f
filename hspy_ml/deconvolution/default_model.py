# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the deconvolving network that comes with the package.

    python -m hspy_ml.deconvolution.default_model [FILE] [--steps N]

It is trained on simulated low-loss spectra of eight kinds, on several axes, of
responses of all families, 2 to 50 channels wide, at doses of 3e4 to 2e9 electrons.
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
from .network_stream import LowLossStream
from .network_training import train_network
from .scene_bank import RESPONSES, SCENE_SHARES, random_bank, random_bank_responses

__all__ = ["default_stream", "train_default"]

N_SCENES, N_RESPONSES = 6000, 1500
N_STEPS = 15_000
SEED = 20_261_126
WIDTH = 32


def default_stream(
    n_scenes: int = N_SCENES, n_responses: int = N_RESPONSES, random_state: int = SEED
) -> LowLossStream:
    """What the package's network is trained on.

    Parameters
    ----------
    n_scenes, n_responses : int
    random_state : int

    Returns
    -------
    LowLossStream
    """
    bank = random_bank(n_scenes, random_state=random_state)
    return LowLossStream(bank, random_bank_responses(n_responses, random_state))


def train_default(
    n_steps: int = N_STEPS,
    checkpoint: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> DeconvolverModel:
    """Train the package's network.

    Parameters
    ----------
    n_steps : int
    checkpoint : path, optional
    progress : callable, optional
        Is given the number of steps done.

    Returns
    -------
    DeconvolverModel
    """
    stream = default_stream()
    plan = TrainingPlan(
        n_steps=n_steps,
        batch_size=32,
        learning_rate=3e-3,
        warm_up=0.05,
        validate_every=500,
        n_validation=320,
        random_state=SEED,
    )
    conditions = {
        "scenes": SCENE_SHARES,
        "responses": [[name, *widths] for name, _, widths in RESPONSES],
        "electrons": stream.electrons,
        "n_channels": stream.bank.n_channels,
    }
    return train_network(
        stream,
        plan,
        width=WIDTH,
        conditions=conditions,
        progress=progress,
        checkpoint=checkpoint,
    )


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--steps", type=int, default=N_STEPS)
    options = parser.parse_args()
    checkpoint = options.file.with_suffix(".checkpoint.safetensors")
    model = train_default(options.steps, checkpoint, _report(options.steps))
    model.save(options.file, overwrite=True)
    checkpoint.unlink(missing_ok=True)
    print(model.info)


def _report(n_steps: int) -> Callable[[int], None]:
    started = time.perf_counter()

    def progress(step: int) -> None:
        if step % 100 == 0:
            minutes = (time.perf_counter() - started) / 60
            print(f"{step} of {n_steps} steps, {minutes:.1f} min", flush=True)

    return progress


if __name__ == "__main__":
    main()
