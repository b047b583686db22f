# SPDX-License-Identifier: GPL-3.0-or-later
"""Electrons in a bulk: how they slow down, and how many are scattered back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .composition import atomic_number, atomic_weight

__all__ = [
    "Medium",
    "backscatter_coefficient",
    "backscatter_loss_factor",
    "medium_of",
    "stopping_power",
]


@dataclass(frozen=True, eq=False)
class Medium:
    """What a composition means to the electrons that cross it.

    Parameters
    ----------
    electrons_per_mass : ndarray, shape (...)
        Sum of C Z / A over the elements (C mass fractions), mol/g.
    ionisation_potential_keV : ndarray, shape (...)
        Mean ionisation potential J.
    atomic_number : ndarray, shape (...)
        Mean atomic number, sum of C Z.
    backscattering_number : ndarray, shape (...)
        Atomic number of the element that scatters back as much,
        (sum of C Z^(1/2))^2.
    """

    electrons_per_mass: np.ndarray
    ionisation_potential_keV: np.ndarray
    atomic_number: np.ndarray
    backscattering_number: np.ndarray


def medium_of(elements: Sequence[str], mass_fractions: np.ndarray) -> Medium:
    r"""Medium of one composition or of many.

    .. math:: J_i = 10^{-3} Z_i (10.04 + 8.25 e^{-Z_i / 11.22}), \quad
              \ln J = \sum_i C_i \frac{Z_i}{A_i} \ln J_i \Big/ M

    Parameters
    ----------
    elements : sequence of str
        Symbols.
    mass_fractions : ndarray, shape (..., n_elements)
        Not negative, above zero in sum; normalised to a sum of one here.

    Returns
    -------
    Medium
        Of the shape of `mass_fractions` without its last axis.

    References
    ----------
    J. L. Pouchou, F. Pichoir, in K. F. J. Heinrich, D. E. Newbury (eds.), Electron
    Probe Quantitation, Plenum (1991) 31, eqs. 6 and 7 and appendix.
    """
    fractions = np.asarray(mass_fractions, dtype=float)
    fractions = fractions / fractions.sum(axis=-1, keepdims=True)
    number = np.array([atomic_number(e) for e in elements], dtype=float)
    weight = np.array([atomic_weight(e) for e in elements])
    potential = 1e-3 * number * (10.04 + 8.25 * np.exp(-number / 11.22))
    electrons = fractions @ (number / weight)
    log_potential = fractions @ (number / weight * np.log(potential)) / electrons
    return Medium(
        electrons,
        np.exp(log_potential),
        fractions @ number,
        (fractions @ np.sqrt(number)) ** 2,
    )


def stopping_power(medium: Medium, energy_keV: np.ndarray) -> np.ndarray:
    r"""Energy lost per mass thickness.

    .. math:: S(E) = \frac{M}{J} \frac{1}{\sum_k D_k (E / J)^{P_k}}

    Parameters
    ----------
    medium : Medium
    energy_keV : ndarray
        Energies above zero; broadcast against the medium.

    Returns
    -------
    ndarray
        keV cm2/g.

    References
    ----------
    Pouchou and Pichoir (1991), eq. 8.
    """
    potential = medium.ionisation_potential_keV
    reduced = energy_keV / potential
    factors, powers = stopping_terms(potential)
    denominator = sum(d * reduced**p for d, p in zip(factors, powers, strict=True))
    return medium.electrons_per_mass / potential / denominator


def stopping_terms(potential_keV: np.ndarray) -> tuple[tuple, tuple]:
    """Factors D and powers P of the three terms of 1/S (same reference)."""
    factors = (
        6.6e-6,
        1.12e-5 * (1.35 - 0.45 * potential_keV**2),
        2.2e-6 / potential_keV,
    )
    return factors, (0.78, 0.1, 0.25 * potential_keV - 0.5)


def backscatter_coefficient(medium: Medium) -> np.ndarray:
    r"""Fraction of the electrons that are scattered back at normal incidence.

    .. math:: \eta = 1.75 \cdot 10^{-3} \bar Z_b
              + 0.37 \left(1 - e^{-0.015 \bar Z_b^{1.3}}\right)

    Parameters
    ----------
    medium : Medium

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Pouchou and Pichoir (1991), appendix.
    """
    number = medium.backscattering_number
    return 1.75e-3 * number + 0.37 * (1 - np.exp(-0.015 * number**1.3))


def backscatter_loss_factor(medium: Medium, overvoltage: np.ndarray) -> np.ndarray:
    r"""Fraction of the ionisations that remain although electrons are scattered back.

    .. math:: R = 1 - \eta \bar W (1 - G(U_0)), \quad
              \bar W = 0.595 + \eta / 3.7 + \eta^{4.55}

    Parameters
    ----------
    medium : Medium
    overvoltage : ndarray
        U0 = E0 / Ec above one; broadcast against the medium.

    Returns
    -------
    ndarray

    References
    ----------
    Pouchou and Pichoir (1991), appendix.
    """
    eta = backscatter_coefficient(medium)
    mean_energy = 0.595 + eta / 3.7 + eta**4.55  # of what is scattered back, E / E0
    q = (2 * mean_energy - 1) / (1 - mean_energy)
    u = np.asarray(overvoltage, dtype=float)
    numerator = u - 1 - (1 - u ** (-1 - q)) / (1 + q)
    g = numerator / ((2 + q) * (1 + u * (np.log(u) - 1)))
    return 1 - eta * mean_energy * (1 - g)
