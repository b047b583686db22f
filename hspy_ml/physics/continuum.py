# SPDX-License-Identifier: GPL-3.0-or-later
"""Bremsstrahlung as a linear basis of columns that are not negative."""

from __future__ import annotations

import numpy as np
from scipy.special import comb

__all__ = ["LOWEST_ENERGY_KEV", "bernstein_continuum", "small_continuum"]

#: Channels below this energy get no continuum: there 1/E diverges, nothing passes
#: the contacts of a detector, and electronic noise is what is counted.
LOWEST_ENERGY_KEV = 0.05


def bernstein_continuum(
    energy_keV: np.ndarray, end_energy_keV: float, degree: int, *, vanishing: bool
) -> np.ndarray:
    r"""Bernstein polynomials over the photon energy.

    .. math:: c_k(E) = \binom{n}{k} \frac{u^k (1 - u)^{n - k}}{E}, \quad
              u = E / E_\mathrm{end}

    For `n` = 1 and `vanishing`, the law of Kramers.

    Parameters
    ----------
    energy_keV : ndarray, shape (n_channels,)
        Photon energies; 0 is returned below 0.05 keV and above the end.
    end_energy_keV : float
        Where the basis ends: the beam energy, or the end of the axis if that is far
        below it.
    degree : int
        Degree `n`, at least 0 (1 with `vanishing`).
    vanishing : bool
        Leave out `k` = `n`, the one column that does not vanish at the end: a
        continuum ends at the beam energy.

    Returns
    -------
    ndarray, shape (n_channels, n + 1) or (n_channels, n) if `vanishing`
        In 1/keV.

    Raises
    ------
    ValueError
        If the degree leaves no column.

    References
    ----------
    H. A. Kramers, Phil. Mag. 46 (1923) 836.
    """
    terms = np.arange(degree if vanishing else degree + 1)
    if terms.size == 0:
        raise ValueError(
            f"`continuum_degree` {degree} leaves no continuum column; 3 is usual, "
            "None is for spectra without continuum."
        )
    inside = _inside(energy_keV, end_energy_keV)
    energy = energy_keV[inside, None]
    u = energy / end_energy_keV
    basis = np.zeros((energy_keV.size, terms.size))
    polynomials = comb(degree, terms) * u**terms * (1 - u) ** (degree - terms)
    basis[inside] = polynomials / energy
    return basis


def small_continuum(energy_keV: np.ndarray, beam_energy_keV: float) -> np.ndarray:
    r"""Shape of the continuum of a bulk specimen after Small et al.

    .. math:: \left(\frac{E_0 - E}{E}\right)^{0.00599\,E_0 + 1.05}

    Parameters
    ----------
    energy_keV : ndarray, shape (n_channels,)
        Photon energies; 0 is returned below 0.05 keV and above the beam energy.
    beam_energy_keV : float

    Returns
    -------
    ndarray, shape (n_channels,)

    References
    ----------
    J. A. Small, S. D. Leigh, D. E. Newbury, R. L. Myklebust, J. Appl. Phys. 61 (1987)
    459.
    """
    inside = _inside(energy_keV, beam_energy_keV)
    energy = energy_keV[inside]
    shape = np.zeros(energy_keV.size)
    exponent = 0.00599 * beam_energy_keV + 1.05
    shape[inside] = ((beam_energy_keV - energy) / energy) ** exponent
    return shape


def _inside(energy_keV: np.ndarray, end_energy_keV: float) -> np.ndarray:
    return (energy_keV >= LOWEST_ENERGY_KEV) & (energy_keV <= end_energy_keV)
