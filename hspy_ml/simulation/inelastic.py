# SPDX-License-Identifier: GPL-3.0-or-later
"""Deflection of electrons, and large losses of energy, by the electrons of atoms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .angular import AngularCrossSection, scattering_angles
from .energy_loss import ELECTRON_REST_ENERGY_KEV, mean_ionisation_potential_keV

__all__ = ["energy_transfer_keV", "hard_stopping", "inelastic_scattering"]

CLASSICAL_RADIUS_CM = 2.8179403262e-13  # CODATA 2018
WAVELENGTH_FACTOR_KEV_ANGSTROM = 12.398419843  # h c, CODATA 2018


def energy_transfer_keV(energy_keV: float, angle: np.ndarray) -> np.ndarray:
    """Energy that a free electron at rest takes from one deflected by an angle.

    Parameters
    ----------
    energy_keV : float
    angle : ndarray
        Up to the angle at which both share the energy, a little below 45 degrees.

    Returns
    -------
    ndarray
        keV.
    """
    twice = 2 * ELECTRON_REST_ENERGY_KEV
    cosine_squared = np.cos(angle) ** 2
    left = energy_keV * twice * cosine_squared
    return energy_keV - left / (energy_keV + twice - energy_keV * cosine_squared)


@lru_cache(maxsize=2048)
def inelastic_scattering(atomic_number: int, energy_keV: float) -> AngularCrossSection:
    r"""Cross section for deflection by the electrons of an atom.

    Moller's cross section of free electrons, times the incoherent scattering function
    :math:`S(q)` of X-rays, which tells how many electrons of the atom can take up a
    momentum. Angles reach from :math:`J / 2E`, below which a deflection changes
    nothing (`J` is the mean ionisation potential), to that at which both electrons
    have the same energy: the faster one is followed.

    Next to elastic scattering it counts as 1 to `Z`, much for the light elements.

    Parameters
    ----------
    atomic_number : int
    energy_keV : float

    Returns
    -------
    AngularCrossSection

    References
    ----------
    C. Moller, Ann. Phys. 406 (1932) 531.
    U. Fano, Phys. Rev. 93 (1954) 117 (inelastic deflection of fast electrons).
    J. H. Hubbell et al., J. Phys. Chem. Ref. Data 4 (1975) 471 (S, xraylib's).
    """
    import xraylib

    smallest = mean_ionisation_potential_keV(atomic_number) / (2 * energy_keV)
    gamma = 1 + energy_keV / ELECTRON_REST_ENERGY_KEV
    largest = np.arcsin(np.sqrt(2 / (gamma + 3)))  # half of the energy is transferred
    if smallest > 0.09:
        angle = np.array([0.0, largest])
        return AngularCrossSection(angle, np.zeros(2))
    angle = scattering_angles(smallest, float(largest))
    momentum = np.sqrt(energy_keV * (energy_keV + 2 * ELECTRON_REST_ENERGY_KEV))
    sine = np.sin(angle / 2) * momentum / WAVELENGTH_FACTOR_KEV_ANGSTROM
    electrons = np.array([xraylib.SF_Compt(atomic_number, s) for s in sine.tolist()])
    return AngularCrossSection(angle, electrons * _moller(energy_keV, angle))


def hard_stopping(atomic_number: int, energy_keV: float) -> float:
    """Mean loss in the collisions in which energy is transferred one by one.

    Those of `inelastic_scattering` that transfer more than the mean ionisation
    potential.

    Parameters
    ----------
    atomic_number : int
    energy_keV : float

    Returns
    -------
    float
        keV cm2 per atom.
    """
    scattering = inelastic_scattering(atomic_number, energy_keV)
    transfer = energy_transfer_keV(energy_keV, scattering.angle)
    hard = transfer > mean_ionisation_potential_keV(atomic_number)
    return scattering.weighted(transfer * hard)


def _moller(energy_keV: float, angle: np.ndarray) -> np.ndarray:
    """Cross section of a free electron per solid angle, cm2/sr."""
    rest = ELECTRON_REST_ENERGY_KEV
    gamma = 1 + energy_keV / rest
    w = energy_transfer_keV(energy_keV, angle)
    rest_of_it = energy_keV - w
    shape = 1 / w**2 + 1 / rest_of_it**2 + ((gamma - 1) / (gamma * energy_keV)) ** 2
    shape -= (2 * gamma - 1) / gamma**2 / (w * rest_of_it)
    beta_squared = 1 - 1 / gamma**2
    per_energy = 2 * np.pi * CLASSICAL_RADIUS_CM**2 * rest / beta_squared * shape
    cosine = np.cos(angle)
    # dW / d(cos): the derivative of `energy_transfer_keV`.
    denominator = energy_keV + 2 * rest - energy_keV * cosine**2
    slope = 4 * rest * energy_keV * cosine * (energy_keV + 2 * rest) / denominator**2
    return per_energy * slope / (2 * np.pi)
