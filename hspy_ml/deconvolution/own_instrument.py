# SPDX-License-Identifier: GPL-3.0-or-later
"""The instrument of a map as training draws it: response, dose, read-out noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .noise import DetectorNoise
from .response import Response

__all__ = ["OwnInstrument"]

LEAST_SPREAD = 0.02  # of the width of the response: as well as it is ever known
LARGEST_SPREAD = 0.3
DOSE_BEYOND = 3.0  # times less than the least of the map, and more than the most


@dataclass(frozen=True, eq=False)
class OwnInstrument:
    """Responses, electrons per spectrum and read-out noise like those of a map.

    Parameters
    ----------
    kernels : ndarray, shape (n_kernels, 2 m + 1)
        Responses, the zero loss in the middle.
    spread : float
        Standard deviation of the logarithm of the response's width.
    electrons : tuple of two floats
        Fewest and most per spectrum.
    read_noise : ndarray, shape (n,)
        Standard deviations, electrons.
    """

    kernels: np.ndarray
    spread: float
    electrons: tuple[float, float]
    read_noise: np.ndarray

    @classmethod
    def of_map(
        cls,
        electrons: np.ndarray,
        response: Response,
        noise: DetectorNoise,
        widths: np.ndarray,
    ) -> OwnInstrument:
        """Take it from a map.

        Parameters
        ----------
        electrons : ndarray, shape (n, n_channels)
        response : Response
            One row, or one for each spectrum.
        noise : DetectorNoise
        widths : ndarray, shape (n,)
            FWHM of the zero-loss peaks, channels; NaN where there is none.

        Returns
        -------
        OwnInstrument

        Raises
        ------
        ValueError
            If no spectrum holds an electron.
        """
        total = electrons.sum(axis=1)
        total = total[total > 0]
        if total.size == 0:
            raise ValueError("`electrons` holds no electrons; give measured spectra.")
        low, high = np.quantile(total, [0.02, 0.98])
        return cls(
            response.kernel,
            _spread(widths),
            (low / DOSE_BEYOND, high * DOSE_BEYOND),
            np.sqrt(np.unique(noise.read_electrons)),
        )

    def responses(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw responses, as wide as measured but for a random factor.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n, 2 m + 1)
            Rows sum to one.
        """
        half_width = self.kernels.shape[1] // 2
        place = np.arange(-half_width, half_width + 1)
        chosen = self.kernels[rng.integers(len(self.kernels), size=n)]
        factor = np.exp(self.spread * rng.standard_normal(n))
        found = np.stack(
            [
                np.interp(place / stretch, place, row, left=0.0, right=0.0)
                for row, stretch in zip(chosen, factor, strict=True)
            ]
        )
        return found / found.sum(axis=1, keepdims=True)

    def noise(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw standard deviations of reading out, in electrons, shape (n,)."""
        return rng.choice(self.read_noise, n)


def _spread(widths: np.ndarray) -> float:
    """Half of the middle 68 % of the logarithms of the widths, within limits."""
    known = widths[np.isfinite(widths) & (widths > 0)]
    if known.size < 3:
        return LEAST_SPREAD
    low, high = np.quantile(np.log(known), [0.16, 0.84])
    return float(np.clip((high - low) / 2, LEAST_SPREAD, LARGEST_SPREAD))
