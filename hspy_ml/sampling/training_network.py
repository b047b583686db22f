# SPDX-License-Identifier: GPL-3.0-or-later
"""A small network that says where the reconstruction is wrong.

It learns the probability that the label of a pixel is reconstructed wrongly, from
pixels as sampling itself leaves them: examples are sampled with the regressor at hand,
and stopped now and then; its features and errors train the next regressor. (Masks
drawn at random have neither the dense boundaries nor the empty interiors that sampling
leaves.) The score is log(P d_1^a): a measurement in a wide gap mends more than its own
pixel. Beside a boundary it mends little more; where all of the nearest measurements
agree, an error is a particle that was overlooked, as large as the gap lets it be: the
power a is larger there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .features import FEATURES
from .neighbours import N_NEIGHBOURS
from .patterns import low_discrepancy_pattern
from .regressor import Regressor
from .training import INITIAL, begin, checked_images, features_of

__all__ = ["train_network"]

WIDTHS = (14, 6)  # and two units in each that hand log d_1 on
STOPS = 6
PIXELS_PER_STOP = 2000
STEPS = 4000
BATCH = 2048
LEARNING_RATE = 4e-3
DISTANCE_POWERS = (0.25, 1.25)
UNUSED = FEATURES.index("sparsity")  # depends on the size of the image
LOG_DISTANCE = FEATURES.index("log_distance")
N_LABELS = FEATURES.index("n_labels")
FAR = 20.0  # more than any log d_1


def train_network(
    images: Iterable[np.ndarray],
    last_shares: Sequence[float] | float = 0.15,
    *,
    distance_powers: tuple[float, float] = DISTANCE_POWERS,
    n_neighbours: int = N_NEIGHBOURS,
    n_rounds: int = 2,
    n_steps: int = STEPS,
    random_state: int | np.random.Generator | None = None,
) -> Regressor:
    """Train a network on example images.

    Parameters
    ----------
    images : iterable of ndarray of int, shape (n_rows, n_columns)
        Examples: labels from 1, of two phases or more.
    last_shares : float or sequence of float, default 0.15
        Share of the pixels up to which they are sampled: of all, or of each.
    distance_powers : tuple of float, default (0.25, 1.25)
        a, how much a wide gap counts, where the nearest measurements differ, and where
        they agree. The smaller the first, the sooner boundaries are followed; the
        larger the second, the fewer small particles are overlooked.
    n_neighbours : int, default 10
        L, how many of the nearest measurements the features are from.
    n_rounds : int, default 2
        Trainings; the first samples by the rule Z0 Z2^2, each other one by the network
        of the one before. All pixels of earlier rounds are kept.
    n_steps : int, default 4000
        Steps of each training, of 2048 pixels each.
    random_state : int or numpy.random.Generator, optional
        Makes the training repeat exactly.

    Returns
    -------
    Regressor

    Raises
    ------
    ValueError
        If an image has no labels from 1.
    """
    images = checked_images(images)
    rng = np.random.default_rng(random_state)
    last = np.broadcast_to(last_shares, len(images))
    regressor = Regressor(Regressor.from_rule().coefficients, n_neighbours)
    parts = []
    for _ in range(n_rounds):
        parts += [
            _pixels_on_the_way(image, share, regressor, rng)
            for image, share in zip(images, last, strict=True)
        ]
        features, is_wrong = (np.concatenate(part) for part in zip(*parts, strict=True))
        layers = _fit_network(features, is_wrong, n_steps, int(rng.integers(2**31)))
        layers = _with_distances(layers, *distance_powers)
        training = {
            "n_images": len(images),
            "n_pixels": len(features),
            "n_rounds": n_rounds,
            "distance_powers": list(distance_powers),
        }
        regressor = Regressor.from_network(n_neighbours, training, **layers)
    return regressor


def _pixels_on_the_way(image, last_share, regressor, rng):
    """Features of open pixels, and whether they are wrong, at stops of a sampling.

    Half of them are drawn from all, half from the twentieth with the best scores.
    """
    n_done = max(round(INITIAL * image.size), 2)
    chooser = begin(image, low_discrepancy_pattern(image.shape, n_done, rng), regressor)
    features, is_wrong = [], []
    for share in np.geomspace(1.5 * INITIAL, last_share, STOPS):
        n_done += chooser.replay(image, round(share * image.size) - n_done).size
        places = _drawn_places(chooser.maps, rng)
        features.append(features_of(chooser, places))
        is_wrong.append(chooser.maps.image.flat[places] != image.flat[places])
    return np.concatenate(features), np.concatenate(is_wrong)


def _drawn_places(maps, rng) -> np.ndarray:
    places = np.flatnonzero(maps.is_open)
    n = min(PIXELS_PER_STOP, places.size)
    scores = maps.score.flat[places]
    n_best = max(n, places.size // 20)
    best = places[np.argpartition(-scores, n_best - 1)[:n_best]]
    return np.concatenate([rng.choice(places, n), rng.choice(best, n)])


def _fit_network(
    features: np.ndarray, is_wrong: np.ndarray, n_steps: int, seed: int
) -> dict[str, np.ndarray]:
    """Layers whose result is the logarithm of the probability, but for a constant.

    Poisson likelihood of the number of errors, 0 or 1; Adam with one cycle of the
    learning rate.
    """
    import torch

    from ..networks.threads import torch_threads

    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    is_used = np.arange(features.shape[1]) != UNUSED
    x = torch.from_numpy(((features - mean) / scale * is_used).astype(np.float32))
    y = torch.from_numpy(is_wrong.astype(np.float32))
    one_thread = torch_threads(1)  # several round otherwise
    with torch.random.fork_rng(devices=[]), one_thread:
        torch.manual_seed(seed)
        network = _network(x.shape[1])
        _descend(network, x, y, n_steps)
    w_1, b_1, w_2, b_2, w_3, _ = (p.detach().numpy() for p in network.parameters())
    return {
        "weights_1": (w_1 * is_used / scale).T,
        "bias_1": b_1 - w_1 @ (is_used * mean / scale),
        "weights_2": w_2,
        "bias_2": b_2,
        "weights_3": w_3[0],
    }


def _network(n_features: int):
    from torch import nn

    return nn.Sequential(
        nn.Linear(n_features, WIDTHS[0]),
        nn.ReLU(),
        nn.Linear(WIDTHS[0], WIDTHS[1]),
        nn.ReLU(),
        nn.Linear(WIDTHS[1], 1),
    )


def _descend(network, x, y, n_steps) -> None:
    import torch

    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=n_steps
    )
    for _ in range(n_steps):
        batch = torch.randint(len(x), (BATCH,))
        log_rate = network(x[batch])[:, 0].clamp(-12, 8)
        loss = (log_rate.exp() - y[batch] * log_rate).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _with_distances(
    layers: dict[str, np.ndarray], power: float, power_in_agreement: float
) -> dict[str, np.ndarray]:
    """Add the power times log d_1, which is never negative, by two units in each layer.

    One hands it on always, the other one where there is one label only.
    """
    units = np.zeros((layers["weights_1"].shape[0], 2))
    units[LOG_DISTANCE] = 1
    units[N_LABELS, 1] = -FAR
    n_2, n_1 = layers["weights_2"].shape
    middle = np.zeros((n_2 + 2, n_1 + 2))
    middle[:n_2, :n_1] = layers["weights_2"]
    middle[n_2:, n_1:] = np.eye(2)
    more = power_in_agreement - power
    return {
        "weights_1": np.hstack([layers["weights_1"], units]),
        "bias_1": np.append(layers["bias_1"], [0, FAR]),
        "weights_2": middle,
        "bias_2": np.append(layers["bias_2"], [0, 0]),
        "weights_3": np.append(layers["weights_3"], [power, more]),
    }
