# SPDX-License-Identifier: GPL-3.0-or-later
"""The spectrum of a line family, and of the continuum, as a detector counts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .acquisition import Acquisition
from .composition import AVOGADRO, atomic_number, atomic_weight
from .continuum import LOWEST_ENERGY_KEV, bernstein_continuum, small_continuum
from .depth_response import DepthResponse
from .detector import efficiency, peaks_on_channels, resolution
from .escape import with_escape_peaks
from .relaxation import emission_lines

__all__ = [
    "CountedLines",
    "continuum_columns",
    "counted_lines",
    "element_column",
    "visible_families",
]

WEAKEST_LINE = 1e-5  # of its family's photons
SMALLEST_COUNTED_FRACTION = 1e-3  # of a family's photons
SMALLEST_FRACTION_OF_STRONGEST_FAMILY = 1e-4


@dataclass(frozen=True, eq=False)
class CountedLines:
    """The lines of a family, from generation to detection.

    Parameters
    ----------
    energy_keV : ndarray, shape (n_lines,)
    generated, counted : ndarray, shape (..., n_lines)
        Photons that arise, and those that are counted, for a detector around the
        specimen, one electron and 1 g/cm2 of the element: cm2/g. With as many axes
        in front as the response has compositions.
    """

    energy_keV: np.ndarray
    generated: np.ndarray
    counted: np.ndarray

    def counted_on(self, energy: np.ndarray) -> np.ndarray:
        """Counts of the lines whose centre lies on an axis, cm2/g; shape (...)."""
        on_axis = (self.energy_keV >= energy[0]) & (self.energy_keV <= energy[-1])
        return self.counted[..., on_axis].sum(axis=-1)


def counted_lines(
    element: str, family: str, response: DepthResponse, acquisition: Acquisition
) -> CountedLines | None:
    r"""Intensities of the lines of a family.

    .. math:: \frac{N_A}{A_Z} V_s \omega_s R_l \, a_l \, \varepsilon(E_l)

    with the vacancies :math:`V_s` of an electron, `N_A` Avogadro's number, `A_Z` the
    atomic weight, `a` the absorption in the specimen and :math:`\varepsilon` the
    detector's efficiency.

    Parameters
    ----------
    element : str
        Symbol.
    family : {"K", "L", "M"}
    response : DepthResponse
    acquisition : Acquisition
        With a detector.

    Returns
    -------
    CountedLines or None
        None if the family has no known lines or the beam does not excite it.
    """
    number = atomic_number(element)
    lines = emission_lines(number, family)
    if lines is None:
        return None
    ionisations = [response.generation(number, shell) for shell in lines.shells]
    photons = np.stack(ionisations, axis=-1) @ lines.photons_per_ionisation.T
    photons = photons * AVOGADRO / atomic_weight(element)
    energy = lines.energy_keV
    mean = photons.reshape(-1, energy.size).mean(axis=0)
    kept = (mean > WEAKEST_LINE * mean.sum()) & (energy >= LOWEST_ENERGY_KEV)
    if not kept.any():
        return None
    energy, photons, shell = energy[kept], photons[..., kept], lines.shell_index[kept]
    counted = photons * efficiency(acquisition.detector, energy)
    for index, name in enumerate(lines.shells):
        of_shell = shell == index
        if of_shell.any():
            leaving = response.absorption(number, name, energy[of_shell])
            counted[..., of_shell] *= leaving
    return CountedLines(energy, photons, counted)


def visible_families(
    element: str, response: DepthResponse, acquisition: Acquisition
) -> dict[str, CountedLines]:
    """Families of an element that leave a trace in the spectrum.

    A family is visible if the lines that are centred on the energy axis are counted
    with at least 0.1 % of the photons that the family emits, and hold at least 0.01 %
    of the counts of the element's strongest family.

    Parameters
    ----------
    element : str
        Symbol.
    response : DepthResponse
    acquisition : Acquisition
        With a detector.

    Returns
    -------
    dict of str to CountedLines
        By family; empty if nothing is visible.
    """
    excited = {
        family: lines
        for family in "KLM"
        if (lines := counted_lines(element, family, response, acquisition))
    }
    counts = {f: lines.counted_on(acquisition.energy) for f, lines in excited.items()}
    strongest = max(counts.values(), default=0.0)
    return {
        family: lines
        for family, lines in excited.items()
        if counts[family] > SMALLEST_COUNTED_FRACTION * lines.generated.sum()
        and counts[family] > SMALLEST_FRACTION_OF_STRONGEST_FAMILY * strongest
    }


def element_column(lines: CountedLines, acquisition: Acquisition) -> np.ndarray:
    """Spectrum of the lines, and of their escape peaks, on the channels.

    Parameters
    ----------
    lines : CountedLines
    acquisition : Acquisition
        With a detector.

    Returns
    -------
    ndarray, shape (n_channels,)
        cm2/g per channel.
    """
    detector = acquisition.detector
    centres, areas = with_escape_peaks(detector, lines.energy_keV, lines.counted)
    fwhm = resolution(detector, centres)
    return peaks_on_channels(acquisition.energy, centres, areas, fwhm)


def continuum_columns(
    response: DepthResponse, acquisition: Acquisition, degree: int
) -> np.ndarray:
    """Basis of the continuum as it is counted.

    Transmission and scanning differ: under a fast beam, whose end is far beyond the
    axis, the Bernstein basis ends with the axis; otherwise it vanishes at the beam
    energy, and on a scanning microscope has the shape of Small et al. beside it.

    Parameters
    ----------
    response : DepthResponse
    acquisition : Acquisition
        With a detector.
    degree : int
        Degree of the Bernstein basis.

    Returns
    -------
    ndarray, shape (n_channels, n_columns)
        Each column sums to one.
    """
    energy, beam_energy = acquisition.energy, acquisition.beam_energy_keV
    scanning = acquisition.technique == "EDS_SEM"
    end = beam_energy if scanning else min(beam_energy, float(energy[-1]))
    vanishing = end == beam_energy
    columns = bernstein_continuum(energy, end, degree, vanishing=vanishing)
    if scanning:
        small = small_continuum(energy, beam_energy)
        columns = np.column_stack([columns, small])
    counted = columns * _passed(response, acquisition)[:, None]
    sums = counted.sum(axis=0)
    return counted[:, sums > 0] / sums[sums > 0]


def _passed(response: DepthResponse, acquisition: Acquisition) -> np.ndarray:
    """Fraction of the continuum that is counted; 0 below the lowest energy."""
    inside = acquisition.energy >= LOWEST_ENERGY_KEV
    energy = acquisition.energy[inside]
    passed = np.zeros(inside.size)
    passed[inside] = efficiency(acquisition.detector, energy)
    passed[inside] *= response.continuum(energy)
    return passed
