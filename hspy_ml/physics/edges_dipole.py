# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross sections of edges from photoabsorption, by the dipole approximation.

At small scattering angles an electron excites an atom as light does, and the
oscillator strength of a subshell is its photoabsorption. At larger angles it falls,
the sooner the larger the orbital.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .acquisition import Acquisition
from .composition import AVOGADRO, atomic_number, atomic_weight, symbol
from .edges_exspy import effective_collection_angle

__all__ = ["dipole_cross_section"]

_RYDBERG_EV = 13.605693
_BOHR_RADIUS_CM = 5.29177210903e-9
_REST_ENERGY_EV = 510998.95
_CM2_PER_BARN = 1e-24

# Photoabsorption of one oscillator per eV, barn: 2 pi^2 alpha a0^2 (2 Ry).
_BARN_EV_PER_OSCILLATOR = 1.0976e-16 / _CM2_PER_BARN

_SUBSHELLS = {"K": 1, "L": 3, "M": 5, "N": 7}

# Where the oscillator strength has fallen to a half, in squared angle and parts of
# that of the Bethe ridge, times the principal quantum number. So exspy's hydrogenic
# cross sections of K and L shells depend on the collection angle, up to 50 mrad.
_FALL = 0.34


def dipole_cross_section(
    element: str,
    shell: str,
    onsets_eV: Mapping[str, float],
    energy_eV: np.ndarray,
    acquisition: Acquisition,
) -> np.ndarray:
    r"""Energy-differential cross section of a shell, into an aperture.

    .. math::
        \frac{d\sigma}{dE} = \frac{4 \pi a_0^2 R^2}{E T} \frac{df}{dE}
        \left[\ln\left(1 + \frac{\beta^2}{\theta_E^2}\right) + G\right]

    with :math:`T = m v^2 / 2`, :math:`\theta_E = E / (2 \gamma T)` and the
    relativistic term `G` of :func:`angular_factor`, less :func:`beyond_dipole`.

    Parameters
    ----------
    element : str
        Symbol.
    shell : {"K", "L", "M", "N"}
        All its subshells from the lowest of `onsets_eV` on contribute.
    onsets_eV : mapping of str to float
        Onsets of subshells, such as ``{"M5": 832.0, "M4": 849.0}``; the tabulated
        photoabsorption is shifted there. Others begin where xraylib has them.
    energy_eV : ndarray
        Energy losses above zero.
    acquisition : Acquisition
        Beam energy and the two semi-angles.

    Returns
    -------
    ndarray
        barn/eV for one atom.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd
    ed., Springer (2011), sections 3.2 and 3.6 (dipole region, Bethe ridge).
    T. Schoonjans et al., Spectrochim. Acta B 66 (2011) 776 (xraylib).
    """
    lowest = min(onsets_eV.values())
    strength = oscillator_strength(element, shell, onsets_eV, energy_eV)
    beta = effective_collection_angle(acquisition, lowest) * 1e-3
    speed2, gamma = _relativity(acquisition.beam_energy_keV)
    half_mv2 = 0.5 * _REST_ENERGY_EV * speed2
    prefactor = 4 * np.pi * _BOHR_RADIUS_CM**2 * _RYDBERG_EV**2 / _CM2_PER_BARN
    characteristic = energy_eV / (2 * gamma * half_mv2)
    factor = angular_factor(beta, characteristic, acquisition.beam_energy_keV)
    factor -= beyond_dipole(beta, characteristic, shell)
    return prefactor / (energy_eV * half_mv2) * strength * factor


def angular_factor(
    beta_rad: np.ndarray, characteristic_rad: np.ndarray, beam_energy_keV: float
) -> np.ndarray:
    r"""Integral of the dipole angular distribution up to the collection angle.

    .. math::
        \ln\left(1 + \frac{\beta^2}{\theta_E^2}\right) + 2 \ln \gamma
        - \ln \frac{\beta^2 + \theta_E^2}{\beta^2 + \theta_E^2 / \gamma^2}
        - \frac{v^2}{c^2} \frac{\beta^2}{\beta^2 + \theta_E^2 / \gamma^2}

    Parameters
    ----------
    beta_rad, characteristic_rad : ndarray
        Collection angle and :math:`\theta_E`, rad.
    beam_energy_keV : float

    Returns
    -------
    ndarray
        :math:`\ln(1 + \beta^2 / \theta_E^2)` for slow electrons.
    """
    speed2, gamma = _relativity(beam_energy_keV)
    beta2, theta2 = beta_rad**2, characteristic_rad**2
    relativistic = beta2 + theta2 / gamma**2
    return (
        np.log1p(beta2 / theta2)
        + 2 * np.log(gamma)
        - np.log((beta2 + theta2) / relativistic)
        - speed2 * beta2 / relativistic
    )


def beyond_dipole(
    beta_rad: float, characteristic_rad: np.ndarray, shell: str
) -> np.ndarray:
    r"""What the angular integral lacks since oscillator strength falls with angle.

    .. math:: \ln\left(1 + \frac{n \beta^2}{0.34\,\theta_r^2}\right), \quad
              \theta_r = \sqrt{2 \theta_E}

    if the oscillator strength falls as :math:`1 / (1 + n \theta^2 / 0.34\,
    \theta_r^2)`, where :math:`\theta_r` is the angle of the Bethe ridge and n the
    principal quantum number: the larger an orbital, the sooner.

    Parameters
    ----------
    beta_rad : float
        Collection angle, rad.
    characteristic_rad : ndarray
        :math:`\theta_E`, rad.
    shell : {"K", "L", "M", "N"}

    Returns
    -------
    ndarray
        Tends to the logarithm of the angular factor: the cross section does not grow
        without bound.

    Notes
    -----
    The shape is an approximation, its constant from exspy's hydrogenic K and L
    shells; that it goes on as 1/n for M and N shells is an extrapolation.
    """
    number = "KLMN".index(shell) + 1
    ridge2 = 2 * characteristic_rad
    return np.log1p(number * beta_rad**2 / (_FALL * ridge2))


def oscillator_strength(
    element: str, shell: str, onsets_eV: Mapping[str, float], energy_eV: np.ndarray
) -> np.ndarray:
    r"""Oscillator strength of a shell per eV, :math:`df/dE`.

    Parameters
    ----------
    element, shell, onsets_eV, energy_eV
        As for :func:`dipole_cross_section`.

    Returns
    -------
    ndarray
        1/eV; zero below the onsets.
    """
    number = atomic_number(element)
    lowest = min(onsets_eV.values())
    total = np.zeros(energy_eV.shape)
    for index in range(1, _SUBSHELLS[shell] + 1):
        name = shell if shell == "K" else f"{shell}{index}"
        edge = _edge_energy(number, name)
        onset = _tabulated_onset(name, onsets_eV) or edge
        if edge > 0 and onset >= lowest:
            above = energy_eV >= onset
            photon_energy = energy_eV[above] - onset + edge
            total[above] += _photoabsorption(number, name, photon_energy)
    return total / _BARN_EV_PER_OSCILLATOR


def _tabulated_onset(name: str, onsets_eV: Mapping[str, float]) -> float | None:
    """Onset of a subshell; exspy writes "L2,3" where two coincide."""
    joint = {"2": "2,3", "3": "2,3", "4": "4,5", "5": "4,5", "6": "6,7", "7": "6,7"}
    both = name[0] + joint.get(name[1:], "")
    return onsets_eV.get(name, onsets_eV.get(both))


def _relativity(beam_energy_keV: float) -> tuple[float, float]:
    """Square of the speed over that of light, and the Lorentz factor."""
    gamma = 1 + 1e3 * beam_energy_keV / _REST_ENERGY_EV
    return 1 - 1 / gamma**2, gamma


def _edge_energy(number: int, name: str) -> float:
    """Edge of a subshell in xraylib, eV; 0 where it has none."""
    import xraylib

    try:
        return 1e3 * xraylib.EdgeEnergy(number, getattr(xraylib, f"{name}_SHELL"))
    except ValueError:
        return 0.0


def _photoabsorption(number: int, name: str, energy_eV: np.ndarray) -> np.ndarray:
    """Partial photoabsorption cross section, barn for one atom."""
    import xraylib

    subshell = getattr(xraylib, f"{name}_SHELL")
    lowest = _edge_energy(number, name)
    barn_per_cm2_per_g = atomic_weight(symbol(number)) / AVOGADRO / _CM2_PER_BARN
    values = np.empty(energy_eV.size)
    for i, energy in enumerate(np.maximum(energy_eV, lowest + 1e-3).tolist()):
        try:
            values[i] = xraylib.CS_Photo_Partial(number, subshell, 1e-3 * energy)
        except ValueError:
            values[i] = 0.0
    return values * barn_per_cm2_per_g
