# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the network that says how likely a reconstructed label is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .distortion_map import DoubtTracker
from .distortion_model import FEATURES, DoubtNetwork

__all__ = ["DoubtExamples", "examples_of_run", "join_examples", "train_network"]

AGREED_SHARE = 0.1
"""Of the pixels whose nearest measurements agree, so many are kept; they count more."""

HIDDEN = (24, 16)
BATCH = 4096
LEARNING_RATE = 3e-3


@dataclass(frozen=True, eq=False)
class DoubtExamples:
    """Pixels that were reconstructed, and whether wrongly.

    Parameters
    ----------
    features : ndarray of float32, shape (n_pixels, n_features)
    wrong : ndarray of bool, shape (n_pixels,)
    counts : ndarray of float32, shape (n_pixels,)
        For how many pixels each stands.
    """

    features: np.ndarray
    wrong: np.ndarray
    counts: np.ndarray


def examples_of_run(
    truth: np.ndarray,
    order: np.ndarray,
    shares: Sequence[float],
    random_state: int | np.random.Generator | None = None,
) -> DoubtExamples:
    """Pixels of one image, from several moments of its measurement.

    Parameters
    ----------
    truth : ndarray of int, shape (n_rows, n_columns)
        Labels from 1.
    order : ndarray of int, shape (n_measured, 2)
        Rows and columns as they were measured, whatever chose them.
    shares : sequence of float
        Shares of the pixels at which to look.
    random_state : int or numpy.random.Generator, optional
        Makes the choice of pixels repeat exactly.

    Returns
    -------
    DoubtExamples
    """
    rng = np.random.default_rng(random_state)
    tracker = DoubtTracker(truth.shape)
    done, parts = 0, []
    for share in sorted(shares):
        n = min(round(share * truth.size), len(order))
        part = order[done:n]
        tracker.add(part, truth[tuple(part.T)])
        done = n
        features, places, agreed = tracker.features()
        kept = ~agreed | (rng.random(agreed.size) < AGREED_SHARE)
        wrong = tracker.image.ravel()[places] != truth.ravel()[places]
        counts = np.where(agreed, 1 / AGREED_SHARE, 1.0).astype(np.float32)
        parts.append(DoubtExamples(features[kept], wrong[kept], counts[kept]))
    return join_examples(parts)


def join_examples(parts: Iterable[DoubtExamples]) -> DoubtExamples:
    """Examples of several runs together.

    Parameters
    ----------
    parts : iterable of DoubtExamples

    Returns
    -------
    DoubtExamples
    """
    parts = list(parts)
    return DoubtExamples(
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.wrong for p in parts]),
        np.concatenate([p.counts for p in parts]),
    )


def train_network(
    examples: DoubtExamples, *, n_steps: int = 3000, random_state: int = 0
) -> DoubtNetwork:
    """Train the network by the logarithmic score, which calibrates.

    Parameters
    ----------
    examples : DoubtExamples
        Of many images and several samplers.
    n_steps : int, default 3000
        Of Adam, with the learning rate going down to zero linearly.
    random_state : int, default 0
        Makes the training repeat exactly.

    Returns
    -------
    DoubtNetwork
    """
    import torch

    generator = torch.Generator().manual_seed(random_state)
    mean, scale = examples.features.mean(axis=0), examples.features.std(axis=0) + 1e-6
    inputs = torch.from_numpy((examples.features - mean) / scale)
    wrong = torch.from_numpy(examples.wrong.astype(np.float32))
    counts = torch.from_numpy(examples.counts)
    network = _untrained(len(FEATURES), generator)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.003, n_steps)
    for _ in range(n_steps):
        batch = torch.randint(len(wrong), (BATCH,), generator=generator)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            network(inputs[batch])[:, 0], wrong[batch], counts[batch]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return _with_units(network, mean, scale)


def _untrained(n_features: int, generator):
    """Layers with weights drawn from the generator alone."""
    from torch import nn

    sizes = (n_features, *HIDDEN, 1)
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layer = nn.Linear(n_in, n_out)
        nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _with_units(network, mean: np.ndarray, scale: np.ndarray) -> DoubtNetwork:
    """The network for features as they are, not standardised."""
    w_1, b_1, w_2, b_2, w_3, b_3 = (
        p.detach().numpy().astype(np.float64) for p in network.parameters()
    )
    w_1 = w_1 / scale
    return DoubtNetwork(w_1.T.copy(), b_1 - w_1 @ mean, w_2.T.copy(), b_2, w_3[0], b_3)
