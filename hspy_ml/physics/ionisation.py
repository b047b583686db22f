# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross sections for the ionisation of K, L and M subshells by electron impact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hspy_ml.tables import BoteSalvatCoefficients, bote_salvat

__all__ = ["SUBSHELLS", "edge_energy", "ionisation_cross_section", "subshells"]

#: Subshells of each family, from the innermost.
SUBSHELLS = {
    "K": ("K",),
    "L": ("L1", "L2", "L3"),
    "M": ("M1", "M2", "M3", "M4", "M5"),
}

BOHR_RADIUS_CM = 5.29177210903e-9  # CODATA 2018
ELECTRON_REST_ENERGY_EV = 510998.95  # CODATA 2018
FOUR_PI_BOHR_RADIUS_SQUARED = 4 * np.pi * BOHR_RADIUS_CM**2
HIGH_OVERVOLTAGE = 16.0  # where the second formula takes over


def subshells(atomic_number: int, family: str) -> tuple[str, ...]:
    """Subshells of a family for which cross sections are known.

    Parameters
    ----------
    atomic_number : int
    family : {"K", "L", "M"}

    Returns
    -------
    tuple of str
        From the innermost, such as ``("L1", "L2", "L3")``; may be empty.
    """
    known = bote_salvat()
    return tuple(s for s in SUBSHELLS[family] if (atomic_number, s) in known)


def edge_energy(atomic_number: int, shell: str) -> float:
    """Ionisation energy that belongs to the cross section, keV.

    It differs by some eV from the X-ray edges of other tables, and sets the
    overvoltage of `ionisation_cross_section`.

    Parameters
    ----------
    atomic_number : int
    shell : str
        "K", "L1" to "L3" or "M1" to "M5".

    Returns
    -------
    float
        Energy in keV.

    Raises
    ------
    ValueError
        If the table does not have the subshell.
    """
    return _coefficients(atomic_number, shell).edge_energy_eV / 1e3


def ionisation_cross_section(
    atomic_number: int, shell: str, energy_keV: ArrayLike
) -> np.ndarray | float:
    r"""Cross section for the ionisation of a subshell by an electron.

    Two fits to distorted-wave and plane-wave Born calculations, which meet at an
    overvoltage :math:`U = E / E_\mathrm{edge} = 16` within 0.2 %.

    Parameters
    ----------
    atomic_number : int
        1 to 99.
    shell : str
        "K", "L1" to "L3" or "M1" to "M5".
    energy_keV : float or array_like
        Kinetic energy of the electron, keV; any shape.

    Returns
    -------
    float or ndarray
        Cross section in cm2, in the shape of `energy_keV`; 0 at and below the edge.

    Raises
    ------
    ValueError
        If the table does not have the subshell, or an energy is negative or not
        finite.

    Notes
    -----
    For :math:`1 < U \le 16`

    .. math:: \sigma = 4 \pi a_0^2 \frac{U - 1}{U^2} \left[ a_1 + a_2 U
              + \frac{a_3}{1 + U} + \frac{a_4}{(1 + U)^3}
              + \frac{a_5}{(1 + U)^5} \right]^2

    and above, with :math:`\beta = v/c` and :math:`X = p / (m c)`,

    .. math:: \sigma = \frac{U}{U + B_e} \frac{4 \pi a_0^2 A_{nlj}}{\beta^2}
              \left\{ (\ln X^2 - \beta^2) \left(1 + \frac{g_1}{X}\right) + g_2
              + g_3 (1 - \beta^2)^{1/4} + \frac{g_4}{X} \right\}.

    The exponent is +1/4. Tables made with -1/4 circulate: they jump at U = 16, by up
    to a factor, and are 5 to 10 % low for K shells at 200 keV.

    References
    ----------
    D. Bote, F. Salvat, Phys. Rev. A 77 (2008) 042701.
    D. Bote, F. Salvat, A. Jablonski, C. J. Powell, At. Data Nucl. Data Tables 95
    (2009) 871; erratum 97 (2011) 186.
    """
    coefficients = _coefficients(atomic_number, shell)
    energy = np.asarray(energy_keV, dtype=float) * 1e3
    if not np.all(np.isfinite(energy) & (energy >= 0)):
        raise ValueError("`energy_keV` must be finite and not negative.")
    overvoltage = energy / coefficients.edge_energy_eV
    low = (overvoltage > 1) & (overvoltage <= HIGH_OVERVOLTAGE)
    high = overvoltage > HIGH_OVERVOLTAGE
    cross_section = np.zeros_like(energy)
    cross_section[low] = _low_overvoltage(coefficients, overvoltage[low])
    cross_section[high] = _high_overvoltage(coefficients, energy[high])
    return cross_section if cross_section.ndim else float(cross_section)


def _coefficients(atomic_number: int, shell: str) -> BoteSalvatCoefficients:
    try:
        return bote_salvat()[(int(atomic_number), shell)]
    except KeyError:
        raise ValueError(
            f"no ionisation cross section for `atomic_number` {atomic_number}, "
            f"`shell` {shell!r}: the table has K (elements 1 to 99), L1 (from 11), "
            "L2, L3 (from 12), M1 (from 20), M2 (from 23), M3 (from 24), M4, M5 "
            "(from 33)."
        ) from None


def _low_overvoltage(c: BoteSalvatCoefficients, overvoltage: np.ndarray) -> np.ndarray:
    u1 = 1 + overvoltage
    series = c.a1 + c.a2 * overvoltage + c.a3 / u1 + c.a4 / u1**3 + c.a5 / u1**5
    return FOUR_PI_BOHR_RADIUS_SQUARED * (overvoltage - 1) / overvoltage**2 * series**2


def _high_overvoltage(c: BoteSalvatCoefficients, energy_eV: np.ndarray) -> np.ndarray:
    momentum_squared = energy_eV * (energy_eV + 2 * ELECTRON_REST_ENERGY_EV)
    x = np.sqrt(momentum_squared) / ELECTRON_REST_ENERGY_EV
    beta_squared = momentum_squared / (energy_eV + ELECTRON_REST_ENERGY_EV) ** 2
    bethe = (2 * np.log(x) - beta_squared) * (1 + c.g1 / x)
    series = bethe + c.g2 + c.g3 * (1 - beta_squared) ** 0.25 + c.g4 / x
    overvoltage = energy_eV / c.edge_energy_eV
    shape = overvoltage / (overvoltage + c.Be) * c.Anlj / beta_squared
    return FOUR_PI_BOHR_RADIUS_SQUARED * shape * series
