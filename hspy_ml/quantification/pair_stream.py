# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream of spectra from images whose compositions are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from ..counts import Counts, DenseCounts

__all__ = ["KnownImage", "PairStream", "split"]

THINNEST = 0.03  # share of the counts that is left at least
TELLS_NOTHING = 0.3  # share of spectra whose image is not taken into account
NEIGHBOURS_TELL = 0.5  # share of those of which the neighbours are
SCATTERS = (0.01, 0.3)  # of the compositions among neighbours


@dataclass(frozen=True, eq=False)
class KnownImage:
    """Spectra of an image and what they are made of.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Of the pixels whose composition is known.
    bin_of_channel : ndarray of int, shape (n_channels,)
        Bin of each of their channels, -1 for none.
    atomic_fractions : ndarray, shape (n_pixels, n_elements)
        Each row sums to one.
    """

    counts: Counts
    bin_of_channel: np.ndarray
    atomic_fractions: np.ndarray

    @property
    def moments(self) -> np.ndarray:
        """Mean and standard deviation over the image, shape (2 n_elements,)."""
        atoms = self.atomic_fractions
        return np.concatenate([atoms.mean(axis=0), atoms.std(axis=0)])


class PairStream:
    """Draws spectra of known images, at their dose or thinned to less.

    Thinned Poisson counts are Poisson counts: a network learns all doses below the one
    that was measured.

    Parameters
    ----------
    images : sequence of KnownImage
    pixels : sequence of ndarray of int
        Of each image, the pixels that may be drawn.
    n_bins, n_columns : int
        Bins of a spectrum, and columns of the network's G-matrix.
    """

    unnamed: tuple[str, ...] = ()

    def __init__(
        self,
        images: Sequence[KnownImage],
        pixels: Sequence[np.ndarray],
        n_bins: int,
        n_columns: int,
    ) -> None:
        self.images = tuple(images)
        self.pixels = tuple(pixels)
        self.n_bins = n_bins
        self.n_columns = n_columns
        sizes = np.array([p.size for p in self.pixels], dtype=float)
        self.weights = sizes / sizes.sum()

    @property
    def atomic_fractions(self) -> np.ndarray:
        """Of all pixels that may be drawn."""
        pairs = zip(self.images, self.pixels, strict=True)
        return np.concatenate([i.atomic_fractions[p] for i, p in pairs])

    @property
    def moments_of_anything(self) -> np.ndarray:
        """Mean and standard deviation over all images, shape (2 n_elements,)."""
        atoms = self.atomic_fractions
        return np.concatenate([atoms.mean(axis=0), atoms.std(axis=0)])

    @property
    def counts(self) -> tuple[float, float]:
        """Fewest and most counts of the spectra, but for a few."""
        pairs = zip(self.images, self.pixels, strict=True)
        totals = np.concatenate([i.counts.pixel_totals[p] for i, p in pairs])
        low, high = np.quantile(totals, (0.01, 0.99))
        return max(THINNEST * low, 1.0), max(high, 2.0)

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw spectra.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        spectra : ndarray of float32, shape (n, n_bins)
        populations : ndarray of float32, shape (n, 2 n_elements)
        atomic_fractions : ndarray of float32, shape (n, n_elements)
        shares : ndarray of float32, shape (n, n_columns)
            Zeros: the shares of G's columns are not known.
        """
        rng = np.random.default_rng(random_state)
        which = rng.choice(len(self.images), size=n, p=self.weights)
        kept = np.exp(rng.uniform(np.log(THINNEST), 0.0, size=n))
        spectra = np.zeros((n, self.n_bins), np.float32)
        n_elements = self.images[0].atomic_fractions.shape[1]
        atoms = np.empty((n, n_elements), np.float32)
        populations = np.empty((n, 2 * n_elements), np.float32)
        for index, image in enumerate(self.images):
            rows = np.flatnonzero(which == index)
            drawn = rng.choice(self.pixels[index], size=rows.size)
            spectra[rows] = _thinned(image, drawn, kept[rows], self.n_bins, rng)
            atoms[rows] = image.atomic_fractions[drawn]
            populations[rows] = image.moments
        kind = rng.random(n)
        near = kind < NEIGHBOURS_TELL
        populations[near] = _neighbourhoods(atoms[near], rng)
        populations[kind > 1 - TELLS_NOTHING] = self.moments_of_anything
        return spectra, populations, atoms, np.zeros((n, self.n_columns), np.float32)


def split(
    n_pixels: int, held_out: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels to train on, and pixels to judge by.

    Parameters
    ----------
    n_pixels : int
    held_out : float
        Share of those to judge by.
    rng : numpy.random.Generator

    Returns
    -------
    train, test : ndarray of int
    """
    order = rng.permutation(n_pixels)
    n_test = max(1, round(held_out * n_pixels))
    return order[n_test:], order[:n_test]


def _neighbourhoods(atoms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moments of neighbours among which these compositions would be ordinary ones."""
    low, high = np.log(SCATTERS)
    scatter = np.exp(rng.uniform(low, high, (atoms.shape[0], 1)))
    mean = np.clip(atoms + scatter * rng.standard_normal(atoms.shape), 1e-3, 1)
    mean = mean / mean.sum(axis=1, keepdims=True)
    return np.hstack([mean, np.broadcast_to(scatter, atoms.shape)])


def _thinned(
    image: KnownImage,
    pixels: np.ndarray,
    kept: np.ndarray,
    n_bins: int,
    rng: np.random.Generator,
) -> np.ndarray:
    spectra = np.zeros((pixels.size, n_bins), np.float32)
    counts = image.counts
    if isinstance(counts, DenseCounts):
        whole = np.rint(counts.values[pixels]).astype(np.int64)
        thin = rng.binomial(whole, kept[:, None])
        used = image.bin_of_channel >= 0
        np.add.at(spectra.T, image.bin_of_channel[used], thin[:, used].T)
        return spectra
    _add_thinned(
        rng,
        pixels,
        kept,
        counts.offsets,
        counts.channels,
        counts.values,
        image.bin_of_channel,
        spectra,
    )
    return spectra


@numba.njit(cache=True, nogil=True)
def _add_thinned(rng, pixels, kept, offsets, channels, values, bin_of_channel, spectra):
    """Count each photon with the probability ``kept``."""
    for row in range(pixels.size):
        p = pixels[row]
        for i in range(offsets[p], offsets[p + 1]):
            b = bin_of_channel[channels[i]]
            if b >= 0:
                for _ in range(int(values[i] + 0.5)):
                    if rng.random() < kept[row]:
                        spectra[row, b] += 1
