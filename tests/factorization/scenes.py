# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes of known phases, drawn with numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.factorize import CountedImage
from hspy_ml.physics.gmatrix import GMatrix

ELEMENTS = ("O", "Mg", "Si", "Ca", "Fe", None)

# Atomic amounts of three phases, and a flat continuum: each lacks an element.
AMOUNTS = np.array(
    [
        [0.45, 0.25, 0.24, 0.02, 0.02, 1.0],
        [0.40, 0.45, 0.00, 0.00, 0.15, 1.0],
        [0.40, 0.00, 0.20, 0.40, 0.00, 1.0],
    ]
).T

# Two phases that share all elements, as an olivine and another do.
SIMILAR = np.array(
    [[0.40, 0.25, 0.20, 0.05, 0.10, 1.0], [0.45, 0.15, 0.20, 0.02, 0.18, 1.0]]
).T


@dataclass(frozen=True, eq=False)
class Scene:
    """Counts and the truth behind them."""

    image: CountedImage
    g_matrix: GMatrix
    weights: np.ndarray
    abundances: np.ndarray

    @property
    def composition(self) -> np.ndarray:
        """Atomic fractions, elements by phases."""
        return self.weights[:-1] / self.weights[:-1].sum(axis=0)


def g_matrix(n_channels: int = 131) -> GMatrix:
    """Gaussian peaks, two of them overlapping, and a falling continuum."""
    channel = np.arange(n_channels)
    centres = np.array([12, 30, 43, 70, 101])
    peaks = np.exp(-0.5 * ((channel[:, None] - centres) / 4.0) ** 2)
    continuum = np.exp(-channel / 60.0)[:, None] / 20
    names = [e or "continuum" for e in ELEMENTS]
    return GMatrix.from_array(
        np.hstack([peaks, continuum]), names, ELEMENTS, concentration="atomic"
    )


def grains_in_a_matrix(
    shape: tuple[int, int], rng: np.random.Generator, top: float = 0.5, n: int = 12
) -> np.ndarray:
    """Two kinds of spheres that fill at most ``top`` of a pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    maps = np.zeros((3, *shape))
    for phase in (1, 2):
        for _ in range(n):
            cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
            distance = ((y - cy) ** 2 + (x - cx) ** 2) / rng.uniform(3, 6) ** 2
            sphere = top * np.sqrt(np.clip(1 - distance, 0, None))
            maps[phase] = np.maximum(maps[phase], sphere)
    maps /= np.maximum(maps.sum(axis=0), 1.0)
    maps[0] = 1 - maps.sum(axis=0)
    return maps.reshape(3, -1).T


def grains_side_by_side(
    shape: tuple[int, int], rng: np.random.Generator, n_phases: int = 3
) -> np.ndarray:
    """Voronoi cells, each of one phase."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres = rng.uniform(0, 1, (9, 2)) * shape
    distance = (y[..., None] - centres[:, 0]) ** 2 + (x[..., None] - centres[:, 1]) ** 2
    return np.eye(n_phases)[distance.argmin(axis=-1).ravel() % n_phases]


def draw(
    abundances: np.ndarray,
    shape: tuple[int, int],
    counts_per_pixel: float,
    rng: np.random.Generator,
    thickness: np.ndarray | float = 1.0,
    amounts: np.ndarray = AMOUNTS,
) -> Scene:
    """Draw Poisson counts of phases of equal brightness."""
    g = g_matrix()
    weights = amounts[:, : abundances.shape[1]]
    weights = counts_per_pixel * weights / (g.matrix @ weights).sum(axis=0)
    mean = abundances @ (g.matrix @ weights).T
    counts = rng.poisson(mean * np.broadcast_to(thickness, len(mean))[:, None])
    image = CountedImage(counts_from_array(counts), shape, np.arange(len(mean)))
    return Scene(image, g, weights, abundances)


def best_order(found: np.ndarray, truth: np.ndarray) -> list[int]:
    """Phases of ``found`` in the order of ``truth``, by their compositions."""
    from scipy.optimize import linear_sum_assignment

    cost = np.abs(found[:, :, None] - truth[:, None, :]).sum(axis=0)
    rows, columns = linear_sum_assignment(cost)
    return list(rows[np.argsort(columns)])
