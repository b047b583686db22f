# SPDX-License-Identifier: GPL-3.0-or-later
"""An endless stream of random spectra from a bank of specimens and instruments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..physics.gmatrix import Column

__all__ = ["SpectrumBank"]

PHOTONS_PER_CHANNEL = 4.0  # above, channels are drawn and not photons
NEIGHBOURS = 30  # pixels that tell of a population
LARGEST_ERROR_OF_A_MEAN = 0.05
ERROR_OF_A_SCATTER = 0.25  # of its logarithm


@dataclass(frozen=True, eq=False)
class SpectrumBank:
    """Specimens with their truth, and the spectra that they give.

    A spectrum has the expected counts ``N sum_k intensities[i, k] gains[m, k]
    shapes[m, k]``, with a random specimen i, one of its instruments m, and a random
    dose.

    Parameters
    ----------
    elements : tuple of str
    columns : tuple of Column
        What the columns stand for; first those of the elements and the continuum.
    unnamed : tuple of str
        Elements that may be there and do not count: the last columns, one each.
    measuring : tuple of int
        For each element that varies freely, the column that measures it.
    transfer : ndarray, shape (n_elements, n_measuring)
        Atoms of all elements for one of each that varies freely.
    atomic_fractions : ndarray, shape (n_specimens, n_elements)
        Rows sum to one.
    populations : ndarray, shape (n_specimens, 2 n_elements)
        Mean and standard deviation of the atomic fractions in the image that the
        specimen is a pixel of.
    intensities : ndarray, shape (n_specimens, n_columns)
        Shares of the counts in each column; rows sum to one.
    shapes : ndarray, shape (n_instruments, n_columns, n_bins)
        What a count of a column is in each channel. Each sums to one, or to zero if
        the column does not reach the channels.
    gains : ndarray, shape (n_instruments, n_columns)
        What an instrument counts of a column over what is expected of it.
    instruments_of : ndarray of int, shape (n_specimens, n_choices)
        The instruments that can measure a specimen.
    counts : tuple of float
        Fewest and most expected counts of a spectrum; drawn evenly over the logarithm.
    pile_up : float, default 0
        Largest share of the counts that are the sum of two photons; drawn evenly.
    zero_channel : int, default 0
        Where a photon without energy would be counted; may be negative.
    variance_of_a_count : float, default 0.3
        Counts times the variance of an atomic fraction, about: how well the pixels of
        an image tell its moments.
    """

    elements: tuple[str, ...]
    columns: tuple[Column, ...]
    unnamed: tuple[str, ...]
    measuring: tuple[int, ...]
    transfer: np.ndarray
    atomic_fractions: np.ndarray
    populations: np.ndarray
    intensities: np.ndarray
    shapes: np.ndarray
    gains: np.ndarray
    instruments_of: np.ndarray
    counts: tuple[float, float]
    pile_up: float = 0.0
    zero_channel: int = 0
    variance_of_a_count: float = 0.3

    @property
    def n_bins(self) -> int:
        """Channels of a spectrum."""
        return self.shapes.shape[2]

    @property
    def moments_of_anything(self) -> np.ndarray:
        """Mean and standard deviation over all specimens, shape (2 n_elements,)."""
        atoms = self.atomic_fractions
        return np.concatenate([atoms.mean(axis=0), atoms.std(axis=0)])

    @cached_property
    def _alias_tables(self) -> tuple[np.ndarray, np.ndarray]:
        from .photon_kernels import fill_alias_tables

        threshold = np.empty(self.shapes.shape, np.float32)
        alias = np.empty(self.shapes.shape, np.uint16)
        fill_alias_tables(self.shapes, threshold, alias)
        return threshold, alias

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Measure n random specimens.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        spectra : ndarray of float32, shape (n, n_bins)
            Whole counts.
        populations : ndarray of float32, shape (n, 2 n_elements)
        atomic_fractions : ndarray of float32, shape (n, n_elements)
        shares : ndarray of float32, shape (n, n_columns)
            Of the expected counts.
        """
        rng = np.random.default_rng(random_state)
        specimen = rng.integers(self.intensities.shape[0], size=n)
        choice = rng.integers(self.instruments_of.shape[1], size=n)
        instrument = self.instruments_of[specimen, choice]
        share = self.intensities[specimen] * self.gains[instrument]
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-30)
        low, high = np.log(self.counts)
        expected = np.exp(rng.uniform(low, high, size=(n, 1)))
        spectra = self._measured(expected * share, instrument, rng)
        return (
            spectra,
            self._as_seen(self.populations[specimen], expected, rng),
            self.atomic_fractions[specimen].astype(np.float32),
            share.astype(np.float32),
        )

    def _as_seen(
        self, moments: np.ndarray, counts: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """The moments of a population as a few noisy pixels of it would tell them."""
        mean, scatter = np.split(moments, 2, axis=1)
        error = np.sqrt((scatter**2 + self.variance_of_a_count / counts) / NEIGHBOURS)
        error = np.minimum(error, LARGEST_ERROR_OF_A_MEAN)
        mean = mean + error * rng.standard_normal(mean.shape)
        factor = np.exp(ERROR_OF_A_SCATTER * rng.standard_normal(scatter.shape))
        seen = np.concatenate([np.clip(mean, 0, 1), scatter * factor], axis=1)
        return seen.astype(np.float32)

    def _measured(
        self, photons: np.ndarray, instrument: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Poisson counts of expected photons of each column."""
        from .photon_kernels import add_piled_up, draw_channels, draw_spectra

        spectra = np.zeros((photons.shape[0], self.n_bins), np.float32)
        bright = photons.sum(axis=1) > PHOTONS_PER_CHANNEL * self.n_bins
        for m in np.unique(instrument[bright]):
            rows = np.flatnonzero(bright & (instrument == m))
            counts = np.empty((rows.size, self.n_bins), np.float32)
            draw_channels(rng, photons[rows] @ self.shapes[m], counts)
            spectra[rows] = counts
        drawn = rng.poisson(np.where(bright[:, None], 0.0, photons))
        tables = self._alias_tables
        draw_spectra(rng, drawn, instrument, *tables, spectra)
        share = rng.uniform(0, self.pile_up, size=photons.shape[0])
        piled_up = rng.poisson(share * photons.sum(axis=1))
        add_piled_up(
            rng, piled_up, photons, instrument, self.zero_channel, *tables, spectra
        )
        return spectra
