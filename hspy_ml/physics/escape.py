# SPDX-License-Identifier: GPL-3.0-or-later
"""Escape peaks: silicon's own X-rays that leave the detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .absorption import mass_absorption_coefficient
from .acquisition import Detector

__all__ = ["SILICON_KA_KEV", "escape_fraction", "with_escape_peaks"]

SILICON_KA_KEV = 1.740
SILICON_K_EDGE_KEV = 1.839
SILICON = 14


def escape_fraction(detector: Detector, energy_keV: ArrayLike) -> np.ndarray:
    r"""Fraction of the counts of a line that are found in its escape peak.

    A photon that ionises the K shell of silicon near the front face may lose the
    Ka photon which follows, and is then counted 1.740 keV too low:

    .. math:: p(E) = \frac{\omega}{2} \left(1 - \frac{1}{r}\right)
              \left[1 - \frac{\mu_K}{\mu_E}
              \ln\left(1 + \frac{\mu_E}{\mu_K}\right)\right]

    with the fluorescence yield :math:`\omega` and the jump ratio `r` of silicon's K
    edge, and its absorption of the photon, :math:`\mu_E`, and of its own Ka line,
    :math:`\mu_K`.

    Parameters
    ----------
    detector : Detector
        One with an active layer that is not silicon has no escape peaks here.
    energy_keV : float or array_like
        Photon energies above zero, keV.

    Returns
    -------
    ndarray
        In the shape of `energy_keV`; 0 below the K edge of silicon, 1.839 keV, and
        0.0163 for P Ka.

    References
    ----------
    S. J. B. Reed, N. G. Ware, J. Phys. E 5 (1972) 582.
    """
    import xraylib

    energy = np.asarray(energy_keV, dtype=float)
    if dict(detector.active_layer.composition).keys() != {"Si"}:
        return np.zeros(energy.shape)
    fluorescence_yield = xraylib.FluorYield(SILICON, xraylib.K_SHELL)
    jump = xraylib.JumpFactor(SILICON, xraylib.K_SHELL)
    own = mass_absorption_coefficient("Si", SILICON_KA_KEV)
    ratio = mass_absorption_coefficient("Si", energy) / own
    near_the_face = 1 - np.log1p(ratio) / ratio
    fraction = 0.5 * fluorescence_yield * (1 - 1 / jump) * near_the_face
    return np.where(energy > SILICON_K_EDGE_KEV, fraction, 0.0)


def with_escape_peaks(
    detector: Detector, energy_keV: np.ndarray, areas: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lines and their escape peaks; what escapes is missing in the parent line.

    Parameters
    ----------
    detector : Detector
    energy_keV, areas : ndarray, shape (n_lines,)
        Energies above zero, and counts.

    Returns
    -------
    energy_keV, areas : ndarray, shape (n_lines + n_escape_peaks,)
        The areas have the same sum as those given.
    """
    escaped = areas * escape_fraction(detector, energy_keV)
    some = escaped > 0
    energies = np.concatenate([energy_keV, energy_keV[some] - SILICON_KA_KEV])
    return energies, np.concatenate([areas - escaped, escaped[some]])
