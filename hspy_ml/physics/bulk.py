# SPDX-License-Identifier: GPL-3.0-or-later
"""Generation and emission of X-rays in a flat bulk under a normal beam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .absorption import mixture_coefficients
from .composition import AVOGADRO, atomic_weight
from .composition import atomic_number as number_of
from .fluorescence import (
    PhotonSources,
    continuum_photons,
    fluorescence_ionisations,
    lenard_coefficient,
)
from .ionisation import edge_energy, ionisation_cross_section
from .relaxation import emission_lines
from .stopping import Medium, backscatter_loss_factor, medium_of, stopping_power
from .xpp import DepthDistribution, depth_distribution, ionisation_exponent

__all__ = ["BulkResponse"]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
WEAKEST_SOURCE = 1e-3  # of its family's photons
CONTINUUM_NODES, CONTINUUM_WEIGHTS = np.polynomial.legendre.leggauss(16)
HIGHEST_CONTINUUM = 0.995  # of the beam energy
CONTINUUM_EXPONENT = ionisation_exponent(26, "K")
LOWEST_SOURCE_KEV = 0.1


@dataclass(frozen=True, eq=False)
class BulkResponse:
    """Depth response of a bulk of one composition, or of many at once.

    Parameters
    ----------
    elements : tuple of str
        Symbols of the whole specimen.
    mass_fractions : ndarray, shape (..., n_elements)
        They sum to one over the last axis.
    beam_energy_keV : float
    take_off_angle : float
        Degrees.

    Notes
    -----
    All results have the shape of the compositions in front. The beam falls normally
    on a flat, polished, thick and homogeneous specimen.
    """

    elements: tuple[str, ...]
    mass_fractions: np.ndarray
    beam_energy_keV: float
    take_off_angle: float

    @cached_property
    def medium(self) -> Medium:
        """What the electrons see."""
        return medium_of(self.elements, self.mass_fractions)

    def generation(self, atomic_number: int, shell: str) -> np.ndarray:
        r"""Ionisations of a subshell by one electron, per atom and g.

        .. math:: R(U_0) \int_{E_c}^{E_0} \frac{\sigma_s(E)}{S(E)} \, dE

        with the loss `R` by backscattering and the stopping power `S`.

        Parameters
        ----------
        atomic_number : int
        shell : str

        Returns
        -------
        ndarray, shape (...)
            cm2 g/cm2: times the atoms of the element per g of the specimen. 0 where
            the beam does not ionise the shell.

        References
        ----------
        J. L. Pouchou, F. Pichoir (1991), eq. 2; cross sections of Bote and Salvat.
        """
        known = self._generated
        if (atomic_number, shell) not in known:
            known[atomic_number, shell] = self._ionisations(atomic_number, shell)
        return known[atomic_number, shell]

    @cached_property
    def _generated(self) -> dict[tuple[int, str], np.ndarray]:
        """Ionisations that were asked for before."""
        return {}

    def _ionisations(self, atomic_number: int, shell: str) -> np.ndarray:
        edge = edge_energy(atomic_number, shell)
        if edge >= self.beam_energy_keV:
            return np.zeros(self.mass_fractions.shape[:-1])
        half = 0.5 * np.log(self.beam_energy_keV / edge)
        energy = edge * np.exp(half * (1 + NODES))
        ionisation = ionisation_cross_section(atomic_number, shell, energy)
        stopping = stopping_power(_spread_out(self.medium), energy)
        path = np.sum(WEIGHTS * half * energy * ionisation / stopping, axis=-1)
        overvoltage = self.beam_energy_keV / edge
        return path * backscatter_loss_factor(self.medium, overvoltage)

    def absorption(
        self, atomic_number: int, shell: str, energy_keV: np.ndarray
    ) -> np.ndarray:
        """Photons of a subshell that leave towards the detector.

        Parameters
        ----------
        atomic_number : int
        shell : str
        energy_keV : ndarray, shape (n_lines,)

        Returns
        -------
        ndarray, shape (..., n_lines)
            Over those that the electrons generate: less than one by absorption;
            fluorescence, by the specimen's other lines and the continuum, adds.
        """
        energy = np.asarray(energy_keV, dtype=float)
        generated = self.generation(atomic_number, shell)[..., None]
        if not np.any(generated > 0):
            return np.zeros(self.mass_fractions.shape[:-1] + energy.shape)
        chi = self._chi(energy)
        depth = self._depth_distribution(atomic_number, shell)
        secondary = fluorescence_ionisations(atomic_number, shell, chi, self._lines)
        secondary = secondary + fluorescence_ionisations(
            atomic_number, shell, chi, self._continuum_above(atomic_number, shell)
        )
        return depth.leaving_fraction(chi) + secondary / np.where(
            generated > 0, generated, np.inf
        )

    def continuum(self, energy_keV: np.ndarray) -> np.ndarray:
        """Fraction of the bremsstrahlung that leaves towards the detector.

        It is taken to arise where a K shell of that edge energy is ionised.

        Parameters
        ----------
        energy_keV : ndarray, shape (n_energies,)

        Returns
        -------
        ndarray, shape (..., n_energies)
            1 at and above the beam energy, where there is none.
        """
        energy = np.asarray(energy_keV, dtype=float)
        passed = np.ones(self.mass_fractions.shape[:-1] + energy.shape)
        inside = energy < HIGHEST_CONTINUUM * self.beam_energy_keV
        edge = energy[inside]
        if edge.size:
            depth = depth_distribution(
                _spread_out(self.medium), self.beam_energy_keV, edge, CONTINUUM_EXPONENT
            )
            passed[..., inside] = depth.leaving_fraction(self._chi(edge))
        return passed

    def _depth_distribution(self, atomic_number: int, shell: str) -> DepthDistribution:
        return depth_distribution(
            _spread_out(self.medium),
            self.beam_energy_keV,
            edge_energy(atomic_number, shell),
            ionisation_exponent(atomic_number, shell[0]),
        )

    def _chi(self, energy_keV: np.ndarray) -> np.ndarray:
        mu = mixture_coefficients(self.elements, self.mass_fractions, energy_keV)
        return mu / np.sin(np.radians(self.take_off_angle))

    @cached_property
    def _lines(self) -> PhotonSources:
        found = [self._lines_of(i, f) for i in range(len(self.elements)) for f in "KLM"]
        nothing = np.zeros(self.mass_fractions.shape[:-1] + (0,))
        energy, photons, spread = [np.zeros(0)], [nothing], [np.zeros(0)]
        for lines in filter(None, found):
            energy.append(lines[0])
            photons.append(lines[1])
            spread.append(lines[2])
        return self._sources(
            np.concatenate(energy),
            np.concatenate(photons, axis=-1),
            np.concatenate(spread),
        )

    def _continuum_above(self, atomic_number: int, shell: str) -> PhotonSources:
        """Bremsstrahlung that can ionise a shell, at the nodes of a quadrature."""
        edge = edge_energy(atomic_number, shell)
        half = 0.5 * np.log(self.beam_energy_keV / edge)
        energy = edge * np.exp(half * (1 + CONTINUUM_NODES))
        photons = continuum_photons(
            self.medium.atomic_number, self.beam_energy_keV, energy
        )
        weighted = photons * (CONTINUUM_WEIGHTS * half * energy)
        spread = lenard_coefficient(self.beam_energy_keV, energy)
        return self._sources(energy, weighted, spread)

    def _sources(
        self, energy: np.ndarray, photons: np.ndarray, spread: np.ndarray
    ) -> PhotonSources:
        mu = mixture_coefficients(self.elements, self.mass_fractions, energy)
        return PhotonSources(energy, photons, spread, mu)

    def _lines_of(
        self, index: int, family: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        element = self.elements[index]
        number = number_of(element)
        lines = emission_lines(number, family)
        if lines is None:
            return None
        generated = [self.generation(number, shell) for shell in lines.shells]
        photons = np.stack(generated, axis=-1) @ lines.photons_per_ionisation.T
        total = photons.sum(axis=-1, keepdims=True)
        strong = np.any(photons > WEAKEST_SOURCE * total, axis=_leading(photons))
        strong &= lines.energy_keV > LOWEST_SOURCE_KEV
        if not strong.any():
            return None
        atoms = (
            self.mass_fractions[..., index, None] * AVOGADRO / atomic_weight(element)
        )
        edges = np.array([edge_energy(number, s) for s in lines.shells])
        threshold = np.minimum(edges[lines.shell_index], 0.99 * self.beam_energy_keV)
        spread = lenard_coefficient(self.beam_energy_keV, threshold)
        return lines.energy_keV[strong], (atoms * photons)[..., strong], spread[strong]


def _spread_out(medium: Medium) -> Medium:
    """The medium with a last axis of length one, to broadcast against energies."""
    return Medium(
        *(
            np.asarray(value)[..., None]
            for value in (
                medium.electrons_per_mass,
                medium.ionisation_potential_keV,
                medium.atomic_number,
                medium.backscattering_number,
            )
        )
    )


def _leading(array: np.ndarray) -> tuple[int, ...]:
    return tuple(range(array.ndim - 1))
