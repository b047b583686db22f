# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the response network that comes with the package.

    python -m hspy_ml.deconvolution.response_training [FILE]

It is trained on simulated spectra of all kinds and of responses of all families,
their mixtures, 3 to 60 channels wide. Takes four minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..networks.plan import TrainingPlan
from .profile_grid import PROFILE_GRID
from .response_examples import ELECTRONS, FAMILIES, KINDS, WIDTHS, random_examples
from .response_model import DEFAULT_FILE, ResponseModel
from .response_network import ResponseNetwork

if TYPE_CHECKING:
    from .response_examples import ResponseExamples

__all__ = ["response_loss", "train_response_model"]

N_EXAMPLES = 60_000
N_TEST = 2000
SEED = 20_261_126
PLAN = TrainingPlan(
    n_steps=6000,
    batch_size=1024,
    learning_rate=3e-3,
    validate_every=1500,
    n_validation=4096,
    random_state=SEED,
)


def response_loss(
    network: ResponseNetwork, batch: tuple[torch.Tensor, ...]
) -> torch.Tensor:
    """Negative logarithm of the Laplace likelihood of the true responses.

    Parameters
    ----------
    network : ResponseNetwork
    batch : tuple of Tensor
        Inputs, logarithms of the responses, and where they are known.

    Returns
    -------
    Tensor
        Mean over nodes.
    """
    inputs, truth, known = batch
    log_response, log_error = network(inputs)
    surprise = (log_response - truth).abs() * torch.exp(-log_error) + log_error
    return (known * surprise).sum() / known.sum()


def train_response_model(
    n_examples: int = N_EXAMPLES, plan: TrainingPlan = PLAN, n_test: int = N_TEST
) -> ResponseModel:
    """Simulate examples and train on them.

    Parameters
    ----------
    n_examples : int
    plan : TrainingPlan
        Its seed is that of the examples too.
    n_test : int
        More examples, to judge it by.

    Returns
    -------
    ResponseModel
    """
    from ..networks.threads import torch_threads, training_threads
    from ..networks.training import train

    grid = PROFILE_GRID
    examples = random_examples(n_examples, grid, plan.random_state)
    with torch.random.fork_rng():
        torch.manual_seed(plan.random_state)
        network = ResponseNetwork(grid.n_nodes)
    with torch_threads(training_threads()):
        history = train(network, examples, response_loss, plan)
    test = random_examples(n_test, grid, plan.random_state + 1)
    training = {
        "spectra": len(examples.inputs),
        "steps": history.n_steps_done,
        "batch_size": plan.batch_size,
        "random_state": plan.random_state,
    }
    return ResponseModel(network, grid, _conditions(), training, _scores(network, test))


def _conditions() -> dict:
    return {
        "kinds": list(KINDS),
        "families": list(FAMILIES),
        "widths_channels": WIDTHS,
        "electrons": ELECTRONS,
    }


def _scores(network: ResponseNetwork, test: ResponseExamples) -> dict:
    """Median error of the logarithm of the response at some distances (FWHM)."""
    with torch.no_grad():
        log_response, _ = network(torch.from_numpy(test.inputs))
    miss = np.abs(log_response.numpy() - test.log_responses)
    numbers = {
        x: round(float(PROFILE_GRID.number(x))) for x in (-3, -1, 1, 2, 3, 5, 10)
    }
    return {
        f"error_at_{x:+d}_widths": float(np.median(miss[test.known[:, j] > 0, j]))
        for x, j in numbers.items()
    }


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
    options = parser.parse_args()
    train_response_model().save(options.file, overwrite=True)


if __name__ == "__main__":
    main()
