# SPDX-License-Identifier: GPL-3.0-or-later
"""Absorption of X-rays: mass absorption coefficients, and the thin film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from .composition import atomic_number
from .ionisation import ionisation_cross_section

__all__ = [
    "FilmResponse",
    "film_absorption_factor",
    "mass_absorption_coefficient",
    "mixture_coefficients",
    "mixture_mass_absorption_coefficient",
]

TABULATED_RANGE_KEV = (0.1, 800.0)


def mass_absorption_coefficient(
    element: str, energy_keV: ArrayLike
) -> np.ndarray | float:
    """Mass absorption coefficient of an element.

    Parameters
    ----------
    element : str
        Symbol.
    energy_keV : float or array_like
        Photon energies above zero, keV; any shape.

    Returns
    -------
    float or ndarray
        Total cross section in cm2/g. Below 0.1 keV, where xraylib ends, it rises as
        the third power of 1/E; above 800 keV it stays what it is there.

    Raises
    ------
    ValueError
        If an energy is not above zero, or xraylib does not know the element's
        absorption (beyond Cf).

    References
    ----------
    T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776 (xraylib).
    """
    import xraylib

    energy = np.asarray(energy_keV, dtype=float)
    if not np.all(energy > 0):
        raise ValueError("`energy_keV` must be above zero.")
    lowest, highest = TABULATED_RANGE_KEV
    clamped = np.clip(energy, lowest, highest)
    number = atomic_number(element)
    try:
        table = [xraylib.CS_Total(number, e) for e in clamped.ravel().tolist()]
    except ValueError:
        raise ValueError(
            f"no mass absorption coefficients for {element!r}: xraylib has them for "
            "elements up to Cf; leave it out of the composition."
        ) from None
    below = np.maximum(1.0, lowest / energy) ** 3
    coefficient = np.reshape(table, energy.shape) * below
    return coefficient if coefficient.ndim else float(coefficient)


def mixture_mass_absorption_coefficient(
    mass_fractions: Mapping[str, float], energy_keV: ArrayLike
) -> np.ndarray | float:
    """Mass absorption coefficient of a mixture, weighted by mass.

    Parameters
    ----------
    mass_fractions : mapping of str to float
        Symbols and mass fractions; an empty mapping absorbs nothing.
    energy_keV : float or array_like
        Photon energies above zero, keV; any shape.

    Returns
    -------
    float or ndarray
        cm2/g.
    """
    total = np.zeros(np.shape(energy_keV))
    for element, fraction in mass_fractions.items():
        total = total + fraction * mass_absorption_coefficient(element, energy_keV)
    return total if np.ndim(total) else float(total)


def mixture_coefficients(
    elements: Sequence[str], mass_fractions: np.ndarray, energy_keV: np.ndarray
) -> np.ndarray:
    """Mass absorption coefficients of many mixtures.

    Parameters
    ----------
    elements : sequence of str
    mass_fractions : ndarray, shape (..., n_elements)
    energy_keV : ndarray, shape (n_energies,)

    Returns
    -------
    ndarray, shape (..., n_energies)
        cm2/g.
    """
    energies = tuple(np.asarray(energy_keV, dtype=float).tolist())
    table = np.stack([_element_coefficients(e, energies) for e in elements])
    return np.asarray(mass_fractions) @ table


@lru_cache(maxsize=512)
def _element_coefficients(element: str, energies: tuple[float, ...]) -> np.ndarray:
    return np.asarray(mass_absorption_coefficient(element, np.array(energies)))


def film_absorption_factor(optical_depth: ArrayLike) -> np.ndarray | float:
    r"""Fraction of the photons that leave a film in which they arise uniformly.

    Parameters
    ----------
    optical_depth : float or array_like
        :math:`\chi \rho t` with :math:`\chi = (\mu/\rho)\,\mathrm{cosec}\,\psi`, for
        the whole thickness; not negative.

    Returns
    -------
    float or ndarray
        :math:`(1 - e^{-\chi \rho t}) / (\chi \rho t)`: 1 for no absorption,
        :math:`1 / (\chi \rho t)` for strong absorption.

    References
    ----------
    J. Philibert, R. Tixier, in Physical Aspects of Electron Microscopy and Microbeam
    Analysis, Wiley (1975) 333.
    """
    depth = np.asarray(optical_depth, dtype=float)
    safe = np.where(depth > 0, depth, 1.0)
    factor = np.where(depth > 0, -np.expm1(-safe) / safe, 1.0)
    return factor if factor.ndim else float(factor)


@dataclass(frozen=True, eq=False)
class FilmResponse:
    """Depth response of a film in which the beam loses no energy, or of many films.

    Parameters
    ----------
    elements : tuple of str
        Symbols of the whole film, which absorbs; none if nothing is known.
    mass_fractions : ndarray, shape (..., n_elements)
    mass_thickness : float or ndarray, shape (...)
        Density times thickness, g/cm2.
    beam_energy_keV : float
    take_off_angle : float
        Degrees.
    """

    elements: tuple[str, ...]
    mass_fractions: np.ndarray
    mass_thickness: float | np.ndarray
    beam_energy_keV: float
    take_off_angle: float

    def generation(self, atomic_number: int, shell: str) -> np.ndarray:
        """Ionisation cross section at the beam energy, cm2; shape (...)."""
        sigma = ionisation_cross_section(atomic_number, shell, self.beam_energy_keV)
        return np.full(self.mass_fractions.shape[:-1], sigma)

    def absorption(
        self, atomic_number: int, shell: str, energy_keV: np.ndarray
    ) -> np.ndarray:
        """Fraction that leaves; the same for each subshell of a film."""
        return self.continuum(energy_keV)

    def continuum(self, energy_keV: np.ndarray) -> np.ndarray:
        """Fraction that leaves, `film_absorption_factor`; shape (..., n_energies)."""
        thickness = np.asarray(self.mass_thickness, dtype=float)[..., None]
        if not thickness.any() or not self.elements:
            return np.ones(self.mass_fractions.shape[:-1] + np.shape(energy_keV))
        mu = mixture_coefficients(self.elements, self.mass_fractions, energy_keV)
        return film_absorption_factor(mu / np.sin(self._angle) * thickness)

    @property
    def _angle(self) -> float:
        return np.radians(self.take_off_angle)
