# SPDX-License-Identifier: GPL-3.0-or-later
"""What maps of abundances are liked to be: smooth, sparse.

A penalty enters the updates through a majoriser, a function that touches it at
the current abundances, is nowhere below it, and has a simple form in which
pixels and phases separate:

    penalty(h) <= constant + sum_pk [q_p/2 h_pk^2 + b_pk h_pk].

Lowering the sum of the majoriser and the expected negative log-likelihood lowers
their true sum. So a penalty is three operators: its value, the curvature q and
the slope b, all in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SPARSITY_SCALE = 0.05
"""Abundance from which on the sparsity penalty grows slowly."""


class Penalty(Protocol):
    """What the solver asks of a penalty."""

    @property
    def curvature(self) -> np.ndarray | float:
        """Curvature q of the majoriser, of shape (n_pixels,) or a number."""

    def slope(self, abundances: np.ndarray) -> np.ndarray:
        """Slope b of the majoriser at abundances, n_pixels by n_phases."""

    def value(self, abundances: np.ndarray) -> float:
        """Value of the penalty, nats."""


@dataclass(frozen=True, eq=False)
class PixelGraph:
    """Which pixels are neighbours.

    Parameters
    ----------
    n_pixels : int
        Number of pixels that are used.
    pairs : ndarray of int, shape (2, n_pairs)
        Neighbours, each pair once.
    """

    n_pixels: int
    pairs: np.ndarray

    @classmethod
    def of_map(
        cls, map_shape: tuple[int, ...], pixels: np.ndarray | None = None
    ) -> PixelGraph:
        """Join pixels that touch along an axis of the map.

        Parameters
        ----------
        map_shape : tuple of int
            Shape of the whole map, of any number of dimensions.
        pixels : ndarray of int, shape (n_pixels,), optional
            Where in the flattened map the pixels are, in the order of the data;
            all of them by default. Pixels that are left out are no neighbours.

        Returns
        -------
        PixelGraph
            The graph.
        """
        size = int(np.prod(map_shape, dtype=np.int64))
        pixels = np.arange(size) if pixels is None else np.asarray(pixels)
        index = np.full(size, -1)
        index[pixels] = np.arange(pixels.size)
        index = index.reshape(map_shape)
        pairs = [_neighbours_along(index, axis) for axis in range(index.ndim)]
        return cls(pixels.size, np.concatenate([np.empty((2, 0), int), *pairs], axis=1))

    @cached_property
    def adjacency(self) -> csr_array:
        """One for each pair of neighbours, n_pixels by n_pixels."""
        from scipy.sparse import csr_array

        both = np.concatenate([self.pairs, self.pairs[::-1]], axis=1)
        ones = np.ones(both.shape[1], np.float32)
        return csr_array((ones, tuple(both)), shape=(self.n_pixels, self.n_pixels))

    @cached_property
    def n_neighbours(self) -> np.ndarray:
        """Neighbours of each pixel, float64, shape (n_pixels,)."""
        return np.bincount(self.pairs.ravel(), minlength=self.n_pixels).astype(float)


def _neighbours_along(index: np.ndarray, axis: int) -> np.ndarray:
    index = np.moveaxis(index, axis, 0)
    pairs = np.stack([index[:-1].ravel(), index[1:].ravel()])
    return pairs[:, (pairs >= 0).all(axis=0)]


@dataclass(frozen=True, eq=False)
class Smoothness:
    """Squared differences between neighbours: the Laplacian of the graph.

    ``strength/2 sum_{p~q} |h_p - h_q|^2``, each pair once. The majoriser
    separates pixels by ``(x - y)^2 <= (2x - c)^2/2 + (2y - c)^2/2`` with c the
    current ``x + y``.

    Parameters
    ----------
    graph : PixelGraph
        Neighbours.
    strength : float
        lambda, nats.

    References
    ----------
    De Pierro (1995), IEEE Trans. Med. Imaging 14, 132.
    """

    graph: PixelGraph
    strength: float

    @property
    def curvature(self) -> np.ndarray:
        """Twice the strength for each neighbour, shape (n_pixels,)."""
        return 2.0 * self.strength * self.graph.n_neighbours

    def slope(self, abundances: np.ndarray) -> np.ndarray:
        """Minus the strength times the sum over neighbours of ``h_p + h_q``.

        Parameters
        ----------
        abundances : ndarray, shape (n_pixels, n_phases)
            Where the majoriser touches.

        Returns
        -------
        ndarray, shape (n_pixels, n_phases)
            The slope b.
        """
        own = self.graph.n_neighbours[:, None] * abundances
        return -self.strength * (own + self.graph.adjacency @ abundances)

    def value(self, abundances: np.ndarray) -> float:
        """Value of the penalty.

        Parameters
        ----------
        abundances : ndarray, shape (n_pixels, n_phases)
            Abundances.

        Returns
        -------
        float
            Nats.
        """
        first, second = self.graph.pairs
        difference = abundances.take(first, axis=0) - abundances.take(second, axis=0)
        return 0.5 * self.strength * float(np.square(difference).sum(dtype=float))


@dataclass(frozen=True, eq=False)
class Sparsity:
    """Logarithms of abundances: few large ones cost less than many small ones.

    ``strength sum_pk log(1 + h_pk / scale)``, concave, hence nowhere above its
    tangent, which is the majoriser.

    Parameters
    ----------
    strength : float
        mu, nats.
    scale : float, default 0.05
        epsilon, an abundance.

    References
    ----------
    Candes, Wakin & Boyd (2008), J. Fourier Anal. Appl. 14, 877.
    """

    strength: float
    scale: float = SPARSITY_SCALE

    @property
    def curvature(self) -> float:
        """None: the majoriser is a plane."""
        return 0.0

    def slope(self, abundances: np.ndarray) -> np.ndarray:
        """Slope of the tangent.

        Parameters
        ----------
        abundances : ndarray, shape (n_pixels, n_phases)
            Where the majoriser touches.

        Returns
        -------
        ndarray, shape (n_pixels, n_phases)
            The slope b.
        """
        return self.strength / (self.scale + abundances)

    def value(self, abundances: np.ndarray) -> float:
        """Value of the penalty.

        Parameters
        ----------
        abundances : ndarray, shape (n_pixels, n_phases)
            Abundances.

        Returns
        -------
        float
            Nats.
        """
        return self.strength * float(np.log1p(abundances / self.scale).sum(dtype=float))
