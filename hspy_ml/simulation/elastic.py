# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic scattering of electrons by atoms: Mott cross sections."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .angular import AngularCrossSection, scattering_angles
from .electron_cloud import ElectronCloud, electron_cloud

__all__ = ["elastic_scattering", "energy_nodes_keV"]

HARTREE_KEV = 27.211386245988e-3  # CODATA 2018
BOHR_RADIUS_CM = 5.29177210903e-9  # CODATA 2018
LIGHT_SPEED = 137.035999084  # atomic units, CODATA 2018

LOWEST_KEV, HIGHEST_KEV = 0.1, 100.0
NODES_PER_DECADE = 8
SMALLEST_ANGLE = 1e-4
STEP_OF_RADIUS, STEP_OF_PHASE = 0.02, 0.05
FIRST_RADIUS = 1e-6  # Bohr


def energy_nodes_keV(lowest: float, highest: float) -> np.ndarray:
    """Energies at which cross sections are computed, around a range of energies.

    Parameters
    ----------
    lowest, highest : float
        keV, within 0.1 to 100.

    Returns
    -------
    ndarray
        Eight to the decade; the first is at or below `lowest`, the last at or above
        `highest`.
    """
    first = np.floor(NODES_PER_DECADE * np.log10(lowest / LOWEST_KEV) + 1e-9)
    last = np.ceil(NODES_PER_DECADE * np.log10(highest / LOWEST_KEV) - 1e-9)
    return LOWEST_KEV * 10 ** (np.arange(first, last + 1) / NODES_PER_DECADE)


@lru_cache(maxsize=2048)
def elastic_scattering(atomic_number: int, energy_keV: float) -> AngularCrossSection:
    r"""Mott cross section of a free atom.

    Partial waves of Dirac's equation in the field of the nucleus and of the electrons
    (`electron_cloud`), with local exchange. Nothing is fitted to scattering
    experiments. Solids are less extended than free atoms: their cross sections at
    small angles are lower, which hardly matters to where electrons go.

    Parameters
    ----------
    atomic_number : int
        1 to 92.
    energy_keV : float
        0.1 to 100.

    Returns
    -------
    AngularCrossSection

    References
    ----------
    N. F. Mott, Proc. R. Soc. London A 124 (1929) 425.
    F. Salvat, A. Jablonski, C. J. Powell, Comput. Phys. Commun. 165 (2005) 157
    (method).
    J. B. Furness, I. E. McCarthy, J. Phys. B 6 (1973) 2280 (exchange).
    """
    from .partial_wave_kernels import differential_cross_section, phase_shifts

    cloud = electron_cloud(atomic_number)
    energy = energy_keV / HARTREE_KEV
    wave_number = np.sqrt(energy * (energy + 2 * LIGHT_SPEED**2)) / LIGHT_SPEED
    radius = _radial_grid(cloud.radius, STEP_OF_PHASE / wave_number)
    between = (radius[1:] + radius[:-1]) / 2
    up, down = phase_shifts(
        energy,
        radius,
        between,
        _excess_energy(cloud, energy, radius),
        _excess_energy(cloud, energy, between),
        int(wave_number * cloud.radius) + 30,
    )
    angle = np.append(0.0, scattering_angles(SMALLEST_ANGLE, np.pi))
    differential = differential_cross_section(wave_number, up, down, np.cos(angle))
    return AngularCrossSection(angle, differential * BOHR_RADIUS_CM**2)


def _radial_grid(last: float, largest_step: float) -> np.ndarray:
    """Steps of 2 % of the radius, then of a fraction of the wavelength."""
    bend = largest_step / STEP_OF_RADIUS
    n_inner = int(np.ceil(np.log(bend / FIRST_RADIUS) / STEP_OF_RADIUS))
    inner = np.geomspace(FIRST_RADIUS, bend, n_inner, endpoint=False)
    n_outer = int(np.ceil((last - bend) / largest_step)) + 1
    return np.concatenate([inner, np.linspace(bend, last, n_outer)])


def _excess_energy(
    cloud: ElectronCloud, energy: float, radius: np.ndarray
) -> np.ndarray:
    """Kinetic energy E - V at each radius, with exchange, Hartree."""
    kinetic = energy + cloud.unscreened_charge(radius) / radius
    exchange = np.sqrt(kinetic**2 + 4 * np.pi * cloud.density(radius)) - kinetic
    return kinetic + exchange / 2
