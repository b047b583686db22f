# SPDX-License-Identifier: GPL-3.0-or-later
"""Secondary fluorescence in a bulk: ionisation by X-rays generated beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .composition import AVOGADRO, atomic_weight, symbol
from .continuum import small_continuum

__all__ = ["PhotonSources", "continuum_photons", "fluorescence_ionisations"]

LENARD_CONSTANT = 3.3e5  # cm2/g keV^1.65; Reed (1965) as used by Reed (1993)
#: The efficiency of bremsstrahlung, 1.1e-9 Z per eV of beam energy (Compton and
#: Allison 1935), as photons per electron and mean atomic number under Kramers' law.
KRAMERS_PER_KEV = 2.2e-6


@dataclass(frozen=True, eq=False)
class PhotonSources:
    """Photons that arise in the specimen and can ionise its atoms.

    Parameters
    ----------
    energy_keV : ndarray, shape (n_sources,)
    photons : ndarray, shape (..., n_sources)
        Per electron, into all directions.
    spread : ndarray, shape (n_sources,)
        Decay constant of the depth at which they arise, cm2/g (`lenard_coefficient`).
    mass_absorption : ndarray, shape (..., n_sources)
        Of the specimen, cm2/g.
    """

    energy_keV: np.ndarray
    photons: np.ndarray
    spread: np.ndarray
    mass_absorption: np.ndarray


def lenard_coefficient(
    beam_energy_keV: float, threshold_keV: np.ndarray | float
) -> np.ndarray:
    r"""Decay constant of the generation of X-rays with depth, cm2/g.

    .. math:: \sigma = 3.3 \cdot 10^5 / (E_0^{1.65} - E_c^{1.65})

    References
    ----------
    S. J. B. Reed, Electron Microprobe Analysis, 2nd ed., Cambridge (1993), ch. 16.
    """
    return LENARD_CONSTANT / (beam_energy_keV**1.65 - np.power(threshold_keV, 1.65))


def continuum_photons(
    mean_atomic_number: np.ndarray, beam_energy_keV: float, energy_keV: np.ndarray
) -> np.ndarray:
    r"""Bremsstrahlung that arises in a bulk.

    .. math:: \frac{dN}{dE} = 2.2 \cdot 10^{-6}\,\mathrm{keV}^{-1}\;
              \bar Z \left(\frac{E_0 - E}{E}\right)^{0.00599\,E_0 + 1.05}

    Parameters
    ----------
    mean_atomic_number : ndarray, shape (...)
        Weighted by mass.
    beam_energy_keV : float
    energy_keV : ndarray, shape (n_energies,)
        Up to the beam energy.

    Returns
    -------
    ndarray, shape (..., n_energies)
        Photons per electron and keV into all directions.

    References
    ----------
    The shape: J. A. Small et al., J. Appl. Phys. 61 (1987) 459. The constant: law of
    H. A. Kramers, Phil. Mag. 46 (1923) 836, with the efficiency of A. H. Compton,
    S. K. Allison, X-Rays in Theory and Experiment, Van Nostrand (1935).
    """
    shape = small_continuum(np.asarray(energy_keV, dtype=float), beam_energy_keV)
    return KRAMERS_PER_KEV * np.asarray(mean_atomic_number)[..., None] * shape


def fluorescence_ionisations(
    atomic_number: int, shell: str, chi: np.ndarray, sources: PhotonSources
) -> np.ndarray:
    r"""Ionisations of a shell by photons, weighted by what then leaves.

    With sources that decay with depth as :math:`\sigma e^{-\sigma \rho z}` and an
    isotropic emission, the fluorescence that leaves is

    .. math:: \sum_j n_j \frac{\tau_s(E_j)}{\mu(E_j)} \frac{1}{2}
              \frac{\sigma_j}{\chi + \sigma_j}
              \left[\frac{\ln(1 + u_j)}{u_j} + \frac{\ln(1 + v_j)}{v_j}\right],
              \quad u = \chi / \mu, \; v = \sigma / \mu

    Parameters
    ----------
    atomic_number : int
        Of the element that fluoresces.
    shell : str
        Such as "K" or "L3".
    chi : ndarray, shape (..., n_lines)
        Mass absorption coefficient times the cosecant of the take-off angle of
        the lines that are emitted, cm2/g.
    sources : PhotonSources

    Returns
    -------
    ndarray, shape (..., n_lines)
        cm2 g/cm2 as for the ionisations by electrons: times the atoms of the element
        per g of the specimen.

    References
    ----------
    R. Castaing, PhD thesis, Paris (1951); S. J. B. Reed, Brit. J. Appl. Phys. 16
    (1965) 913. In place of their estimates of the intensities stand those of the
    same model that gives the direct emission.
    """
    cross_section = _photo_cross_sections(
        atomic_number, shell, tuple(sources.energy_keV.tolist())
    )
    able = cross_section > 0
    if not able.any():
        return np.zeros(chi.shape)
    mu = sources.mass_absorption[..., None, able]
    spread = sources.spread[able]
    absorbed = sources.photons[..., None, able] * cross_section[able] / mu
    outward = spread / (chi[..., None] + spread)
    u, v = chi[..., None] / mu, spread / mu
    geometry = 0.5 * (np.log1p(u) / u + np.log1p(v) / v)
    return np.sum(absorbed * outward * geometry, axis=-1)


@lru_cache(maxsize=512)
def _photo_cross_sections(
    atomic_number: int, shell: str, energies: tuple[float, ...]
) -> np.ndarray:
    """Photoelectric cross sections of a shell, cm2 per atom; 0 below its edge."""
    import xraylib

    code = getattr(xraylib, f"{shell}_SHELL")
    per_mass = [_partial(xraylib, atomic_number, code, e) for e in energies]
    return np.array(per_mass) * atomic_weight(symbol(atomic_number)) / AVOGADRO


def _partial(xraylib: object, atomic_number: int, code: int, energy: float) -> float:
    try:
        return xraylib.CS_Photo_Partial(atomic_number, code, energy)
    except ValueError:  # below the edge
        return 0.0
