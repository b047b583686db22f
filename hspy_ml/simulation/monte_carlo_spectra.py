# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of a bulk from trajectories of electrons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..physics.absorption import mixture_coefficients
from ..physics.acquisition import Acquisition
from ..physics.bulk import BulkResponse
from ..physics.composition import atomic_number, symbol
from ..physics.gmatrix import Column, GMatrix
from ..physics.ionisation import edge_energy
from ..physics.relaxation import emission_lines, is_quantitative
from ..physics.specimen import Specimen
from ..physics.xray_columns import continuum_columns, element_column, visible_families
from .electrons import ElectronResult, simulate_electrons
from .targets import Material, bulk

__all__ = ["MonteCarloResponse", "monte_carlo_matrix"]

N_ELECTRONS = 10_000
CONTINUUM_DEGREE = 3
LOWEST_EDGE_KEV = 0.1  # of the electrons' tables


@dataclass(frozen=True, eq=False)
class MonteCarloResponse:
    """Depth response of a bulk (`DepthResponse`) in which electrons were followed.

    Ionisations and their depths are those of the trajectories; fluorescence is not
    followed. The continuum leaves as from `BulkResponse`.

    Parameters
    ----------
    electrons : ElectronResult
        Of a bulk, with all subshells that are asked for.
    analytic : BulkResponse
        Of the same bulk.
    """

    electrons: ElectronResult
    analytic: BulkResponse

    def generation(self, atomic_number: int, shell: str) -> float:
        """Ionisations by one electron, per (atom of the element per g): cm2 g/cm2."""
        line = self._line(atomic_number, shell)
        return 0.0 if line is None else float(self.electrons.generated[line, 0])

    def absorption(
        self, atomic_number: int, shell: str, energy_keV: np.ndarray
    ) -> np.ndarray:
        """Fraction of a subshell's photons that leave towards the detector."""
        line = self._line(atomic_number, shell)
        generated = self.electrons.generated_depth[line] if line is not None else None
        if generated is None or not generated.any():
            return np.zeros(np.shape(energy_keV))
        edges = self.electrons.depth_edges
        depth = (edges[1:] + edges[:-1]) / 2
        bulk_of = self.analytic
        mu = mixture_coefficients(bulk_of.elements, bulk_of.mass_fractions, energy_keV)
        path = 1 / np.sin(np.radians(bulk_of.take_off_angle))
        leaving = np.exp(-np.multiply.outer(mu * path, depth))
        return leaving @ generated / generated.sum()

    def continuum(self, energy_keV: np.ndarray) -> np.ndarray:
        """Fraction of the bremsstrahlung that leaves towards the detector."""
        return self.analytic.continuum(energy_keV)

    def _line(self, number: int, shell: str) -> int | None:
        wanted = (symbol(number), shell)
        known = [(line.element, line.shell) for line in self.electrons.lines]
        return known.index(wanted) if wanted in known else None


def monte_carlo_matrix(
    acquisition: Acquisition,
    mass_fractions: Mapping[str, float],
    *,
    n_electrons: int = N_ELECTRONS,
    random_state: int | np.random.Generator | None = None,
) -> GMatrix:
    """The G-matrix of a bulk, by trajectories of electrons.

    Parameters
    ----------
    acquisition : Acquisition
        Technique "EDS_SEM", with a detector.
    mass_fractions : mapping of str to float
        They sum to one.
    n_electrons : int, default 10000
        With the default, intensities have standard errors of about 0.3 %.
    random_state : int or numpy.random.Generator, optional
        Makes the trajectories repeat exactly.

    Returns
    -------
    GMatrix
        In the unit of `build_g_matrix`, without fluorescence.
    """
    elements = list(mass_fractions)
    electrons = simulate_electrons(
        bulk(Material(mass_fractions, density=1.0)),
        acquisition.beam_energy_keV,
        n_electrons,
        _subshells(elements, acquisition.beam_energy_keV),
        take_off_angle=acquisition.take_off_angle,
        random_state=random_state,
    )
    analytic = BulkResponse(
        tuple(elements),
        np.array(list(mass_fractions.values())),
        acquisition.beam_energy_keV,
        acquisition.take_off_angle,
    )
    response = MonteCarloResponse(electrons, analytic)
    spectra = {
        Column(
            f"{element} {family}",
            "element",
            element,
            family,
            is_quantitative(atomic_number(element), family),
        ): element_column(lines, acquisition)
        for element in elements
        for family, lines in visible_families(element, response, acquisition).items()
    }
    mean_sum = np.mean([spectrum.sum() for spectrum in spectra.values()])
    continuum = continuum_columns(response, acquisition, CONTINUUM_DEGREE)
    for index, spectrum in enumerate(continuum.T):
        spectra[Column(f"continuum {index}", "continuum")] = mean_sum * spectrum
    return GMatrix(
        np.column_stack(list(spectra.values())),
        tuple(spectra),
        acquisition,
        Specimen(mass_fractions, "bulk"),
        "mass",
    )


def _subshells(elements: list[str], beam_energy_keV: float) -> list[tuple[str, str]]:
    """Subshells that the beam ionises and that give photons."""
    found = []
    for element in elements:
        number = atomic_number(element)
        for family in "KLM":
            lines = emission_lines(number, family)
            for shell in lines.shells if lines else ():
                if LOWEST_EDGE_KEV < edge_energy(number, shell) < beam_energy_keV:
                    found.append((element, shell))
    return found
