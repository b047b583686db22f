# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth distribution of the ionisations in a bulk: XPP of Pouchou and Pichoir."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .stopping import (
    Medium,
    backscatter_coefficient,
    backscatter_loss_factor,
    stopping_terms,
)

__all__ = ["DepthDistribution", "depth_distribution"]

SMALLEST_EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class DepthDistribution:
    r"""Ionisations per mass depth, relative to a thin free-standing layer.

    .. math:: \varphi(\rho z) = A e^{-a \rho z}
              + (B \rho z + \varphi_0 - A) e^{-b \rho z}

    Parameters
    ----------
    surface : ndarray, shape (...)
        Value at the surface, phi(0).
    area : ndarray, shape (...)
        Integral over the mass depth `F`, g/cm2.
    slow, fast : ndarray, shape (...)
        Decay constants `b` and `a`, cm2/g.
    amplitude : ndarray, shape (...)
        `A`.
    slope : ndarray, shape (...)
        `B`, cm2/g.

    References
    ----------
    J. L. Pouchou, F. Pichoir, in K. F. J. Heinrich, D. E. Newbury (eds.), Electron
    Probe Quantitation, Plenum (1991) 31, section 5 and appendix (XPP).
    """

    surface: np.ndarray
    area: np.ndarray
    slow: np.ndarray
    fast: np.ndarray
    amplitude: np.ndarray
    slope: np.ndarray

    def at_depth(self, mass_depth: np.ndarray) -> np.ndarray:
        """Value at mass depths in g/cm2 (broadcast against the distribution)."""
        linear = self.slope * mass_depth + self.surface - self.amplitude
        return self.amplitude * np.exp(-self.fast * mass_depth) + linear * np.exp(
            -self.slow * mass_depth
        )

    def leaving_fraction(self, chi: np.ndarray) -> np.ndarray:
        r"""Fraction of the photons that leave the bulk, :math:`f(\chi)`.

        Parameters
        ----------
        chi : ndarray
            Mass absorption coefficient times the cosecant of the take-off angle,
            cm2/g; broadcast against the distribution.

        Returns
        -------
        ndarray
            Laplace transform over the area: 1 where nothing is absorbed.
        """
        b = self.slow + chi
        emitted = self.amplitude / (self.fast + chi) + (
            (self.surface - self.amplitude + self.slope / b) / b
        )
        return emitted / self.area


def depth_distribution(
    medium: Medium,
    beam_energy_keV: float,
    edge_energy_keV: float | np.ndarray,
    exponent: float,
) -> DepthDistribution:
    r"""XPP distribution of the ionisations of a shell.

    Parameters
    ----------
    medium : Medium
        Of any shape.
    beam_energy_keV : float
    edge_energy_keV : float or ndarray
        Below the beam energy; broadcast against the medium.
    exponent : float
        `m` of the ionisation cross section :math:`\ln U / (U^m E_c^2)`;
        `ionisation_exponent`.

    Returns
    -------
    DepthDistribution

    References
    ----------
    Pouchou and Pichoir (1991), appendix: eqs. for phi(0), F, the mean depth of
    ionisation and the initial slope P.
    """
    u0 = np.asarray(beam_energy_keV / np.asarray(edge_energy_keV), dtype=float)
    phi0 = _surface_ionisation(medium, u0)
    area = _area(medium, beam_energy_keV, u0, exponent)
    depth = _mean_depth(medium, u0, phi0, area)
    b = np.sqrt(2) * (1 + np.sqrt(np.maximum(1 - depth * phi0 / area, 0.0))) / depth
    slope = _initial_slope(medium, u0, b, depth, phi0, area)
    a = (slope + b * (2 * phi0 - b * area)) / (b * area * (2 - b * depth) - phi0)
    epsilon = (a - b) / b
    epsilon = np.where(np.abs(epsilon) < SMALLEST_EPSILON, SMALLEST_EPSILON, epsilon)
    linear = b**2 * area * (1 + epsilon) - slope - phi0 * b * (2 + epsilon)
    linear = linear / epsilon
    amplitude = (linear / b + phi0 - b * area) * (1 + epsilon) / epsilon
    return DepthDistribution(phi0, area, b, b * (1 + epsilon), amplitude, linear)


def ionisation_exponent(atomic_number: int, family: str) -> float:
    """Exponent `m` of the cross section that XPP was made with, by family.

    References
    ----------
    Pouchou and Pichoir (1991), eq. 10.
    """
    if family == "K":
        return 0.86 + 0.12 * float(np.exp(-((atomic_number / 5) ** 2)))
    return {"L": 0.82, "M": 0.78}[family]


def _surface_ionisation(medium: Medium, u0: np.ndarray) -> np.ndarray:
    eta = backscatter_coefficient(medium)
    return 1 + 3.3 * (1 - u0 ** (2.3 * eta - 2)) * eta**1.2


def _area(
    medium: Medium, beam_energy_keV: float, u0: np.ndarray, exponent: float
) -> np.ndarray:
    """F: ionisations along the path over the cross section at the beam energy."""
    potential = medium.ionisation_potential_keV
    v0 = beam_energy_keV / potential
    factors, powers = stopping_terms(potential)
    inverse_stopping = np.zeros(np.broadcast(v0, u0).shape)
    for factor, power in zip(factors, powers, strict=True):
        t = 1 + power - exponent
        integral = (t * u0**t * np.log(u0) - u0**t + 1) / t**2
        inverse_stopping = inverse_stopping + factor * (v0 / u0) ** power * integral
    inverse_stopping = inverse_stopping * u0 / (v0 * medium.electrons_per_mass)
    cross_section = np.log(u0) / u0**exponent * (u0 / beam_energy_keV) ** 2
    return backscatter_loss_factor(medium, u0) * inverse_stopping / cross_section


def _mean_depth(
    medium: Medium, u0: np.ndarray, phi0: np.ndarray, area: np.ndarray
) -> np.ndarray:
    x = 1 + 1.3 * np.log(medium.atomic_number)
    y = 0.2 + medium.atomic_number / 200
    ratio = 1 + x * np.log1p(y * (1 - u0**-0.42)) / np.log1p(y)
    return area / np.maximum(ratio, phi0)


def _initial_slope(
    medium: Medium,
    u0: np.ndarray,
    b: np.ndarray,
    depth: np.ndarray,
    phi0: np.ndarray,
    area: np.ndarray,
) -> np.ndarray:
    number = medium.atomic_number
    g = 0.22 * np.log(4 * number) * (1 - 2 * np.exp(-number * (u0 - 1) / 15))
    h = 1 - 10 * (1 - 1 / (1 + u0 / 10)) / number**2
    limit = 0.9 * b * depth**2 * (b - 2 * phi0 / area)
    return np.minimum(g * h**4, limit) * area / depth**2
