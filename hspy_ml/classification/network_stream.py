# SPDX-License-Identifier: GPL-3.0-or-later
"""Training spectra of known phases at all doses, from a few references of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .network_axis import PeakAxis
from .network_spots import PhaseSpots
from .network_variations import Variations

__all__ = ["PhaseStream", "SpectrumBank", "draw_bank"]

FLOOR = 1e-3  # share of the counts that could be anywhere
LARGEST_SHARE = 0.2  # of another phase in a spectrum
FEWEST_COUNTS, MOST_COUNTS = 10.0, 1e6


@dataclass(frozen=True, eq=False)
class SpectrumBank:
    """Expected spectra of phases, in many variants.

    Parameters
    ----------
    spectra : ndarray of float32, shape (n_phases, n_variants, n_bins)
        Above zero; each sums to one.
    """

    spectra: np.ndarray

    @property
    def n_phases(self) -> int:
        """Phases."""
        return self.spectra.shape[0]

    @property
    def n_bins(self) -> int:
        """Bins of a spectrum."""
        return self.spectra.shape[2]


def draw_bank(
    spots: PhaseSpots,
    axis: PeakAxis,
    variations: Variations,
    severity: np.ndarray,
    rng: np.random.Generator,
) -> SpectrumBank:
    """Variants of the expected spectrum of every phase.

    Parameters
    ----------
    spots : PhaseSpots
        What is known of the phases.
    axis : PeakAxis
        Of their channels, and the bins.
    variations : Variations
    severity : ndarray, shape (n_variants,)
        Of the variations of each variant of a phase.
    rng : numpy.random.Generator

    Returns
    -------
    SpectrumBank
    """
    starts = np.flatnonzero(np.diff(axis.group, prepend=-1))
    n_phases = len(spots.names)
    bank = np.empty((n_phases, severity.size, starts.size), np.float32)
    for phase in range(n_phases):
        own = spots.some(phase, severity.size, rng)
        others = np.delete(spots.shapes, phase, axis=0)
        mixed = _with_others(own, others, variations.mixing * severity, rng)
        varied = variations.varied(mixed, axis.energy, axis.fwhm, severity, rng)
        bank[phase] = np.add.reduceat(_above_zero(varied), starts, axis=1)
    return SpectrumBank(bank / bank.sum(axis=2, keepdims=True))


class PhaseStream:
    """Draws spectra of a bank with Poisson noise, at doses over many orders.

    Parameters
    ----------
    bank : SpectrumBank
    counts : tuple of float, default (10, 1e6)
        Fewest and most counts; their logarithms are drawn evenly.
    """

    def __init__(
        self,
        bank: SpectrumBank,
        counts: tuple[float, float] = (FEWEST_COUNTS, MOST_COUNTS),
    ) -> None:
        self.bank = bank
        self.counts = counts

    def draw(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw spectra.

        Parameters
        ----------
        n : int
        random_state : int or numpy.random.Generator, optional
            Makes the draw repeat exactly.

        Returns
        -------
        spectra : ndarray of float32, shape (n, n_bins)
            Counts.
        phases : ndarray of int64, shape (n,)
            From 0.
        """
        rng = np.random.default_rng(random_state)
        n_phases, n_variants, _ = self.bank.spectra.shape
        phases = rng.integers(n_phases, size=n)
        variants = rng.integers(n_variants, size=n)
        counts = np.exp(rng.uniform(*np.log(self.counts), size=(n, 1)))
        expected = self.bank.spectra[phases, variants] * counts
        return rng.poisson(expected).astype(np.float32), phases


def _with_others(
    spectra: np.ndarray, others: np.ndarray, share: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    if not len(others):
        return spectra
    shares = np.abs(share * rng.standard_normal(len(spectra)))[:, None]
    shares = np.minimum(shares, LARGEST_SHARE)
    which = rng.integers(len(others), size=len(spectra))
    return (1 - shares) * spectra + shares * others[which]


def _above_zero(spectra: np.ndarray) -> np.ndarray:
    """Each with the sum of one."""
    shapes = spectra / spectra.sum(axis=1, keepdims=True)
    return (1 - FLOOR) * shapes + FLOOR / shapes.shape[1]
