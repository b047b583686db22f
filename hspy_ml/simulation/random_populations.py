# SPDX-License-Identifier: GPL-3.0-or-later
"""Random kinds of images: which compositions occur together."""

from __future__ import annotations

import numpy as np

from .random_specimens import draw_atomic_fractions

__all__ = ["draw_populations"]

SHARES_OF_KINDS = (0.25, 0.25, 0.2, 0.2, 0.1)
CONCENTRATIONS = (1.0, 300.0)  # of a Dirichlet distribution around one composition
MOST_PHASES = 5
MIXING = (0.05, 2.0)  # concentration of the phases' shares in a pixel
OUTLIERS = 0.05


def draw_populations(
    n_populations: int,
    n_specimens: int,
    n_elements: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw compositions as the pixels of many different images hold them.

    A quarter of the images hold anything (`draw_atomic_fractions`); others scatter
    about one composition, narrowly or widely; mix two to five phases; go from one
    composition to another; or are one composition all over. One pixel in twenty of
    each is anything all the same.

    Parameters
    ----------
    n_populations : int
        Number of images.
    n_specimens : int
        Pixels of each.
    n_elements : int
    random_state : int or numpy.random.Generator, optional
        Makes the draw repeat exactly.

    Returns
    -------
    atomic_fractions : ndarray, shape (n_populations, n_specimens, n_elements)
    is_anything : ndarray of bool, shape (n_populations,)
        Whether the image is of the first kind.
    """
    rng = np.random.default_rng(random_state)
    shape = (n_populations, n_specimens)
    kind = rng.choice(len(_KINDS), size=n_populations, p=SHARES_OF_KINDS)
    fractions = _anything(shape, n_elements, rng)
    for index, draw in enumerate(_KINDS[1:], start=1):
        chosen = kind == index
        drawn = draw((int(chosen.sum()), n_specimens), n_elements, rng)
        ordinary = rng.random(drawn.shape[:2]) >= OUTLIERS
        fractions[chosen] = np.where(ordinary[..., None], drawn, fractions[chosen])
    return fractions, kind == 0


def _anything(
    shape: tuple[int, int], n_elements: int, rng: np.random.Generator
) -> np.ndarray:
    n = shape[0] * shape[1]
    if not n:
        return np.zeros((*shape, n_elements))
    return draw_atomic_fractions(n, n_elements, rng).reshape(*shape, n_elements)


def _scattered(
    shape: tuple[int, int], n_elements: int, rng: np.random.Generator
) -> np.ndarray:
    """Dirichlet about a composition of which no element is quite absent."""
    mean = 0.9 * _anything((shape[0], 1), n_elements, rng) + 0.1 / n_elements
    low, high = np.log(CONCENTRATIONS)
    concentration = np.exp(rng.uniform(low, high, size=(shape[0], 1, 1)))
    alpha = np.broadcast_to(n_elements * concentration * mean, (*shape, n_elements))
    return _normalised(np.maximum(rng.gamma(alpha), 1e-12))


def _phases(
    shape: tuple[int, int], n_elements: int, rng: np.random.Generator
) -> np.ndarray:
    phases = _anything((shape[0], MOST_PHASES), n_elements, rng)
    n_phases = rng.integers(2, MOST_PHASES + 1, size=(shape[0], 1))
    present = np.arange(MOST_PHASES) < n_phases
    amount = rng.standard_exponential(present.shape) * present
    low, high = np.log(MIXING)
    mixing = np.exp(rng.uniform(low, high, size=(shape[0], 1, 1)))
    alpha = mixing * n_phases[:, None] * _normalised(amount)[:, None, :]
    alpha = np.broadcast_to(alpha, (*shape, MOST_PHASES))
    shares = _normalised(np.maximum(rng.gamma(alpha), 1e-12) * present[:, None, :])
    return shares @ phases


def _gradient(
    shape: tuple[int, int], n_elements: int, rng: np.random.Generator
) -> np.ndarray:
    ends = _anything((shape[0], 2), n_elements, rng)
    place = rng.random((*shape, 1))
    return place * ends[:, :1] + (1 - place) * ends[:, 1:]


def _uniform(
    shape: tuple[int, int], n_elements: int, rng: np.random.Generator
) -> np.ndarray:
    return np.repeat(_anything((shape[0], 1), n_elements, rng), shape[1], axis=1)


_KINDS = (_anything, _scattered, _phases, _gradient, _uniform)


def _normalised(amounts: np.ndarray) -> np.ndarray:
    return amounts / amounts.sum(axis=-1, keepdims=True)
