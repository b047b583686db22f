# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast electrons slow down, to well below 1 keV: Bethe, Joy and Luo."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hspy_ml.physics.composition import atomic_number, atomic_weight

__all__ = [
    "element_stopping_power",
    "mean_ionisation_potential_keV",
    "mixture_stopping_power",
]

ELECTRON_REST_ENERGY_KEV = 510.99895  # CODATA 2018
BETHE_CONSTANT = 153.5374  # 2 pi N_A r_e^2 m c^2, keV cm2/mol


def element_stopping_power(element: str, energy_keV: np.ndarray) -> np.ndarray:
    r"""Energy that an electron loses per mass thickness of an element.

    Bethe's relativistic formula for electrons, in which the mean ionisation potential
    falls towards low energies as fewer electrons of the atom can be excited:

    .. math:: S = \frac{2 \pi N_A r_e^2 m c^2}{\beta^2} \frac{Z}{A}
              \left[\ln \frac{\tau^2 (\tau + 2)}{2 (J^* / m c^2)^2} + F(\tau)\right],
              \quad J^* = \frac{J}{1 + k J / E},

    .. math:: F = 1 - \beta^2 + \frac{\tau^2 / 8 - (2 \tau + 1) \ln 2}{(\tau + 1)^2},
              \quad k = 0.734 Z^{0.037},

    with :math:`\tau = E / m c^2` and
    :math:`J = Z (10.04 + 8.25 e^{-Z / 11.22})` eV. For small :math:`\tau` it is the
    formula of Joy and Luo, :math:`\ln(1.166 (E + k J) / J) / E`.

    Parameters
    ----------
    element : str
    energy_keV : ndarray
        Kinetic energies above zero, keV; any shape.

    Returns
    -------
    ndarray
        keV cm2/g, in the shape of `energy_keV`.

    References
    ----------
    D. C. Joy, S. Luo, Scanning 11 (1989) 176.
    R. Gauvin, G. L'Esperance, J. Microsc. 168 (1992) 152 (k).
    J. L. Pouchou, F. Pichoir, in Electron Probe Quantitation, Plenum (1991) 31, eq. 7
    (J, after Zeller).
    ICRU Report 37 (1984) (relativistic formula).
    """
    number = atomic_number(element)
    energy = np.asarray(energy_keV, dtype=float)
    tau = energy / ELECTRON_REST_ENERGY_KEV
    beta_squared = tau * (tau + 2) / (tau + 1) ** 2
    potential = mean_ionisation_potential_keV(number)
    reduced = potential / (1 + 0.734 * number**0.037 * potential / energy)
    ratio = reduced / ELECTRON_REST_ENERGY_KEV
    shape = 1 - beta_squared
    shape += (tau**2 / 8 - (2 * tau + 1) * np.log(2)) / (tau + 1) ** 2
    logarithm = np.log(tau**2 * (tau + 2) / (2 * ratio**2)) + shape
    per_electron = BETHE_CONSTANT / beta_squared * logarithm
    return per_electron * number / atomic_weight(element)


def mean_ionisation_potential_keV(atomic_number: int) -> float:
    """Mean ionisation potential J of an element (see `element_stopping_power`)."""
    return 1e-3 * atomic_number * float(10.04 + 8.25 * np.exp(-atomic_number / 11.22))


def mixture_stopping_power(
    mass_fractions: Mapping[str, float], energy_keV: np.ndarray
) -> np.ndarray:
    """Stopping power of a mixture: those of its elements, weighted by mass (Bragg).

    Parameters
    ----------
    mass_fractions : mapping of str to float
    energy_keV : ndarray
        Any shape.

    Returns
    -------
    ndarray
        keV cm2/g.
    """
    parts = [
        f * element_stopping_power(e, energy_keV) for e, f in mass_fractions.items()
    ]
    return np.sum(parts, axis=0)
