# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the network for X-ray spectra that comes with the package.

    python -m hspy_ml.deconvolution.xray_default [FILE]

Spectra of random elements on random instruments are drawn without end. The training
goes in rounds, each with a learning rate that rises and falls; with ``--rounds FOLDER``
the state after each is kept there, and what is there already is not done again. Then
the errors are calibrated, and the card gets the scores. Takes about ten minutes on one
core. The same machine gives the same file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from ..networks.best_state import load_checkpoint
from ..networks.plan import TrainingPlan
from ..networks.training import train
from .xray_calibration import calibrate
from .xray_model import DEFAULT_FILE, XrayModel
from .xray_network import XrayNetwork, xray_loss
from .xray_response import NARROWING
from .xray_scenes import CHANNELS_EV, RESOLUTIONS_EV
from .xray_stream import COUNTS, XrayStream

__all__ = ["train_default"]

SEED = 20_261_126
STEPS = 1600  # of a round
LEARNING_RATES = (4e-3, 2.5e-3, 1.5e-3)  # of the rounds, the highest
BATCH = 64
N_SCORED = 128
SCORED_COUNTS = (1e2, 1e3, 1e4, 1e5, 1e6)


def train_default(
    folder: Path | None = None, n_rounds: int = len(LEARNING_RATES), steps: int = STEPS
) -> XrayModel:
    """Train the package's model.

    Parameters
    ----------
    folder : path, optional
        Where the states after the rounds are kept, and looked for.
    n_rounds : int, default 3
    steps : int, default 1600
        Of a round.

    Returns
    -------
    XrayModel
    """
    torch.manual_seed(SEED)
    network = XrayNetwork()
    stream = XrayStream(random_state=SEED)
    for number, rate in enumerate(LEARNING_RATES[:n_rounds]):
        kept = None if folder is None else folder / f"round_{number}.safetensors"
        if kept is not None and kept.exists():
            load_checkpoint(network, kept)
            continue
        plan = _plan(rate, number, steps)
        partial = None if kept is None else kept.with_stem(f"partial_{number}")
        history = train(network, stream, xray_loss, plan, checkpoint=partial)
        if partial is not None:
            partial.rename(kept)
        print(f"round {number}: loss {history.best_loss:.4f}, {history.seconds:.0f} s")
    calibrate(network, SEED + 1)
    training = {"seed": SEED, "rounds": n_rounds, "steps_of_a_round": steps}
    return XrayModel(network, _conditions(), training, scores(network))


def _plan(rate: float, number: int, steps: int) -> TrainingPlan:
    return TrainingPlan(
        n_steps=steps,
        batch_size=BATCH,
        learning_rate=rate,
        validate_every=max(steps // 4, 1),
        n_validation=8 * BATCH,
        random_state=SEED + number,
    )


def _conditions() -> dict:
    return {
        "technique": "EDS",
        "counts": list(COUNTS),
        "channels_eV": list(CHANNELS_EV),
        "resolutions_at_MnKa_eV": list(RESOLUTIONS_EV),
        "target": f"{NARROWING} times narrower, two channels or more",
    }


def scores(network: XrayNetwork) -> dict[str, float]:
    """Median squared error over the squared truth, by the counts of a spectrum.

    Parameters
    ----------
    network : XrayNetwork

    Returns
    -------
    dict of str to float
        On parts of fresh spectra.
    """
    found = {}
    for counts in SCORED_COUNTS:
        stream = XrayStream((counts, counts), random_state=SEED + 2)
        drawn = stream.draw(N_SCORED, SEED + 2)
        shown, start, truth, weight, _ = map(torch.from_numpy, drawn)
        with torch.no_grad():
            root, _ = network(shown, start)
        off = (weight * (root**2 - truth) ** 2).sum(dim=1)
        nmse = off / (weight * truth**2).sum(dim=1).clamp(min=1e-6)
        found[f"nmse_at_{counts:g}_counts"] = round(float(np.median(nmse)), 4)
    return found


def main() -> None:
    """Train, write the file, and print the card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--rounds", type=Path, help="folder for states after rounds")
    parser.add_argument("--only", type=int, help="rounds to do, and no file")
    options = parser.parse_args()
    if options.only is not None:
        train_default(options.rounds, options.only)
        return
    model = train_default(options.rounds)
    model.save(options.file, overwrite=True)
    print(model.info())


if __name__ == "__main__":
    main()
