# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross sections per solid angle, and the angles drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["AngularCrossSection", "scattering_angles"]

N_QUANTILES = 513
LINEAR_ANGLE, ANGLE_STEP, N_SMALL_ANGLES = 0.1, np.pi / 400, 150


@dataclass(frozen=True, eq=False)
class AngularCrossSection:
    r"""Scattering of electrons of one energy by an atom.

    Parameters
    ----------
    angle : ndarray, shape (n_angles,)
        Scattering angles, ascending, rad.
    differential : ndarray, shape (n_angles,)
        Cross section per solid angle, cm2/sr.
    """

    angle: np.ndarray
    differential: np.ndarray

    @property
    def running(self) -> np.ndarray:
        """Cross section for scattering by up to each angle, cm2."""
        from scipy.integrate import cumulative_trapezoid

        ring = 2 * np.pi * np.sin(self.angle) * self.differential
        return cumulative_trapezoid(ring, self.angle, initial=0.0)

    @property
    def total(self) -> float:
        """Cross section for scattering by any angle, cm2."""
        return float(self.running[-1])

    @property
    def transport(self) -> float:
        """Transport cross section, weighted with 1 - cos(angle), cm2."""
        return self.weighted(1 - np.cos(self.angle))

    def weighted(self, weight: np.ndarray) -> float:
        """Integral over the solid angle of the cross section times a weight."""
        from scipy.integrate import trapezoid

        ring = 2 * np.pi * np.sin(self.angle) * self.differential
        return float(trapezoid(ring * weight, self.angle))

    def quantiles(self) -> tuple[float, np.ndarray]:
        r"""Scattering angles to draw from.

        With :math:`\mu = (1 - \cos\theta)/2` and the screening :math:`A` of the
        Rutherford cross section that has the same median, :math:`v = \mu (1 + A) /
        (\mu + A)` is nearly uniform. It is tabulated at equal steps of
        :math:`w = 1 - \sqrt{1 - u}`, which resolves the rare large angles; `u` is
        uniform.

        Returns
        -------
        screening : float
            :math:`A`.
        table : ndarray, shape (513,)
            :math:`v(w)`.
        """
        running = self.running
        if running[-1] == 0:
            return 1.0, np.zeros(N_QUANTILES)
        share = running / running[-1]
        mu = np.sin(self.angle / 2) ** 2
        median = min(np.interp(0.5, share, mu), 0.49)
        screening = median / (1 - 2 * median)
        w = np.linspace(0.0, 1.0, N_QUANTILES)
        v = mu * (1 + screening) / (mu + screening)
        return float(screening), np.interp(1 - (1 - w) ** 2, share, v)


def scattering_angles(smallest: float, largest: float) -> np.ndarray:
    """Angles at equal steps of the logarithm below 0.1 rad, of 0.45 degrees above.

    Parameters
    ----------
    smallest, largest : float
        rad; `smallest` is below 0.1 and `largest` above.

    Returns
    -------
    ndarray
    """
    small = np.geomspace(smallest, LINEAR_ANGLE, N_SMALL_ANGLES, endpoint=False)
    n_large = int((largest - LINEAR_ANGLE) / ANGLE_STEP) + 2
    return np.concatenate([small, np.linspace(LINEAR_ANGLE, largest, n_large)])
