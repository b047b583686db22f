# SPDX-License-Identifier: GPL-3.0-or-later
"""How the spectra of a phase differ from its references, but for counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter1d, uniform_filter1d

__all__ = [
    "EDS_VARIATIONS",
    "EELS_VARIATIONS",
    "Variations",
    "mixed_severities",
    "variations_for",
]

PEAK_WIDTHS_PER_NODE = 3.0  # over which a random factor of the counts changes
ENVELOPE_WIDTHS = 6.0  # over which the least is the continuum
SOFT_keV = 1.0  # below, most of what an absorber takes
SMALLEST = 1e-12
SEVEREST = 2.0
NEXT_TO_NOTHING = 0.1
SHARE_NEXT_TO_NOTHING = 0.4  # of the spectra, which differ as little as that
FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class Variations:
    """Standard deviations of what is not the same in references and measurement.

    Parameters
    ----------
    offset : float
        Of the energy scale, in the unit of the energies (keV for EDS, eV for EELS).
    gain : float
        Of the energy scale, relative.
    resolution : float
        Of the width of peaks, relative.
    composition : float
        Of the counts of neighbouring peaks, relative.
    mixing : float
        Share of the other phases.
    absorption : float
        Relative loss of the softest photons; that of harder ones falls off.
    slope : float
        Exponent of a power of the energy.
    continuum : float
        Of what is below the peaks, relative.
    """

    offset: float
    gain: float
    resolution: float
    composition: float
    mixing: float
    absorption: float
    slope: float
    continuum: float

    def varied(
        self,
        spectra: np.ndarray,
        energy: np.ndarray,
        fwhm: np.ndarray,
        severity: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Spectra as another session could have measured them.

        Parameters
        ----------
        spectra : ndarray, shape (n, n_channels)
            Expected counts.
        energy : ndarray, shape (n_channels,)
            Increasing.
        fwhm : ndarray, shape (n_channels,)
            Width of a peak at each energy, in its unit.
        severity : ndarray, shape (n,)
            What the standard deviations are multiplied by, spectrum by spectrum.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n, n_channels)
            None below zero; each has as many counts as it had.
        """
        totals = spectra.sum(axis=1, keepdims=True)
        draw = _Draws(severity[:, None], rng)
        varied = self._continuum_changed(spectra, energy, fwhm, draw)
        varied = varied * np.exp(self._log_factors(energy, fwhm, draw))
        varied = self._widened(varied, energy, fwhm, draw)
        varied = self._rescaled(varied, energy, draw)
        return varied * totals / varied.sum(axis=1, keepdims=True)

    def _continuum_changed(
        self,
        spectra: np.ndarray,
        energy: np.ndarray,
        fwhm: np.ndarray,
        draw: _Draws,
    ) -> np.ndarray:
        size = _channels(ENVELOPE_WIDTHS * np.median(fwhm), energy)
        least = minimum_filter1d(uniform_filter1d(spectra, size // 6 + 1), size)
        level = np.exp(self.continuum * draw(1))
        return spectra + (level - 1) * uniform_filter1d(least, size)

    def _log_factors(
        self, energy: np.ndarray, fwhm: np.ndarray, draw: _Draws
    ) -> np.ndarray:
        hats = _hats(energy, fwhm)
        peaks = self.composition * draw(len(hats)) @ hats
        soft = 1 / (1 + (np.maximum(energy, SMALLEST) / SOFT_keV) ** 2.5)
        loss = self.absorption * draw(1) * soft
        middle = np.median(energy)
        power = np.log(np.maximum(energy, 0.02 * middle) / middle)
        return peaks - loss + self.slope * draw(1) * power

    def _widened(
        self,
        spectra: np.ndarray,
        energy: np.ndarray,
        fwhm: np.ndarray,
        draw: _Draws,
    ) -> np.ndarray:
        """To the first order: half of the added variance times the curvature."""
        curvature = np.gradient(np.gradient(spectra, energy, axis=1), energy, axis=1)
        wider = 1 + self.resolution * draw(1)
        added = (wider**2 - 1) * (fwhm / FWHM_PER_SIGMA) ** 2
        return np.maximum(spectra + 0.5 * added * curvature, SMALLEST)

    def _rescaled(
        self, spectra: np.ndarray, energy: np.ndarray, draw: _Draws
    ) -> np.ndarray:
        offset = self.offset * draw(1)[:, 0]
        gain = 1 + self.gain * draw(1)[:, 0]
        return np.stack(
            [
                np.interp((energy - o) / g, energy, spectrum)
                for spectrum, o, g in zip(spectra, offset, gain, strict=True)
            ]
        )


#: Energies in keV.
EDS_VARIATIONS = Variations(
    offset=0.008,
    gain=0.001,
    resolution=0.05,
    composition=0.03,
    mixing=0.02,
    absorption=0.15,
    slope=0.05,
    continuum=0.1,
)
#: Energies in eV.
EELS_VARIATIONS = Variations(
    offset=0.7,
    gain=0.001,
    resolution=0.1,
    composition=0.03,
    mixing=0.02,
    absorption=0.0,
    slope=0.2,
    continuum=0.1,
)


def mixed_severities(n: int, rng: np.random.Generator) -> np.ndarray:
    """How much spectra differ: many next to nothing, the others more or less.

    A network that is trained on these is not made cautious, where nothing differs, by
    what could.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,)
    """
    severity = rng.uniform(NEXT_TO_NOTHING, SEVEREST, n)
    little = rng.random(n) < SHARE_NEXT_TO_NOTHING
    return np.where(little, NEXT_TO_NOTHING, severity)


def variations_for(technique: str) -> Variations:
    """What usually varies.

    Parameters
    ----------
    technique : str
        "EDS_SEM", "EDS_TEM" or "EELS".

    Returns
    -------
    Variations
    """
    return EELS_VARIATIONS if technique == "EELS" else EDS_VARIATIONS


class _Draws:
    """Normal variables of spectra some of which differ little, and some much."""

    def __init__(self, severity: np.ndarray, rng: np.random.Generator) -> None:
        self._severity = severity
        self._rng = rng

    def __call__(self, n: int) -> np.ndarray:
        """Shape (n_spectra, n)."""
        return self._severity * self._rng.standard_normal((len(self._severity), n))


def _channels(width: float, energy: np.ndarray) -> int:
    spacing = np.median(np.diff(energy))
    return max(1, min(round(width / spacing), energy.size))


def _hats(energy: np.ndarray, fwhm: np.ndarray) -> np.ndarray:
    """Triangles of a few peak widths that sum to one, shape (n_nodes, n_channels)."""
    widths = np.concatenate([[0], np.cumsum(np.diff(energy) / fwhm[1:])])
    n_nodes = max(2, round(widths[-1] / PEAK_WIDTHS_PER_NODE) + 1)
    nodes = np.linspace(0, widths[-1], n_nodes)
    return np.stack([np.interp(widths, nodes, row) for row in np.eye(n_nodes)])
