# SPDX-License-Identifier: GPL-3.0-or-later
"""What the specimens of a bank of X-ray spectra can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..physics.fractions import conversion_factors, fractions
from .random_populations import draw_populations

__all__ = ["XraySpecimens", "population_moments"]

PIXELS_OF_A_POPULATION = 64


@dataclass(frozen=True, eq=False)
class XraySpecimens:
    """What the specimens of a bank can be.

    Parameters
    ----------
    elements : tuple of str
        All elements.
    transfer : ndarray, shape (n_elements, n_measured)
        Atoms of all elements for one of each element that varies freely: the identity,
        or with a row for oxygen that balances the charges.
    measured : tuple of str
        The elements that vary freely.
    geometry : {"film", "bulk"}
    mass_thickness : float
        Of a film on the average, g/cm2; 0 for no absorption.
    unnamed : tuple of str
        Elements besides, of contamination, coating or support, that may be there and
        do not belong to the composition. `ANYTHING_ELSE` stands for a random one.
    """

    elements: tuple[str, ...]
    transfer: np.ndarray
    measured: tuple[str, ...]
    geometry: str
    mass_thickness: float = 0.0
    unnamed: tuple[str, ...] = ()

    def draw(
        self, n_populations: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Atomic fractions of all elements, and the moments of their populations."""
        free, anything = draw_populations(
            n_populations, PIXELS_OF_A_POPULATION, len(self.measured), rng
        )
        atoms = fractions(free @ self.transfer.T, np.ones(len(self.elements)))
        return _flat(atoms), _flat(population_moments(atoms, anything))

    def mass_fractions(self, atomic_fractions: np.ndarray) -> np.ndarray:
        """Mass fractions of all elements, in the same shape."""
        factors = conversion_factors(self.elements, "atomic", "weight")
        return fractions(atomic_fractions, factors)


def population_moments(atoms: np.ndarray, anything: np.ndarray) -> np.ndarray:
    """What a pixel's image tells of it: mean and standard deviation of each element.

    Parameters
    ----------
    atoms : ndarray, shape (n_populations, n_pixels, n_elements)
        Atomic fractions.
    anything : ndarray of bool, shape (n_populations,)
        Populations that tell nothing; they get the moments of all of these together.

    Returns
    -------
    ndarray, shape (n_populations, n_pixels, 2 n_elements)
        The same in each pixel of a population.
    """
    moments = np.concatenate([atoms.mean(axis=1), atoms.std(axis=1)], axis=-1)
    whole = _flat(atoms[anything]) if anything.any() else _flat(atoms)
    moments[anything] = np.concatenate([whole.mean(axis=0), whole.std(axis=0)])
    return np.repeat(moments[:, None, :], atoms.shape[1], axis=1)


def _flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(-1, pixels.shape[-1])
