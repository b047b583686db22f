# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the electrons of a simulation, and of their X-rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hspy_ml.physics.composition import AVOGADRO, atomic_weight
from hspy_ml.physics.ionisation import ionisation_cross_section

from .electron_tables import (
    N_DEPTH_BINS,
    N_ENERGY_BINS,
    XrayLine,
    depth_bin,
)
from .targets import Target

__all__ = ["ElectronResult"]


@dataclass(frozen=True, eq=False)
class ElectronResult:
    """What became of the electrons. Everything is per electron of the beam.

    Uncertainties are standard errors, from the scatter of 64 blocks of electrons.

    Parameters
    ----------
    target : Target
    beam_energy_keV : float
    n_electrons : int
    lines : tuple of XrayLine
    backscatter_coefficient, transmission_coefficient : float
        Fractions of the electrons that leave upwards, downwards.
    backscatter_coefficient_error, transmission_coefficient_error : float
    energy_edges_keV : ndarray, shape (101,)
        Edges of the bins of the two distributions below.
    backscattered_energies, transmitted_energies : ndarray, shape (100,)
        Fractions of the electrons that leave with energies in each bin.
    backscattered_energy_keV, transmitted_energy_keV : float
        Energy that electrons carry away.
    deposited_energy_keV : ndarray, shape (n_regions,)
        Energy that stays, by `target.regions`.
    generated, generated_error : ndarray, shape (n_lines, n_regions)
        Ionisations per (atom of the element per g): cm2 g/cm2, the unit of
        `DepthResponse.generation`. An element need not be there: this is what it would
        generate as a trace.
    emitted, emitted_error : ndarray, shape (n_lines, n_regions)
        The same for ionisations whose photons, if any, leave towards the detector.
    depth_edges : ndarray, shape (101,)
        Mass depths, g/cm2: from the surface, or from the top of a particle.
    generated_depth, emitted_depth : ndarray, shape (n_lines, 100)
        `generated` and `emitted` in each bin of depth, all regions together. The few
        that are deeper than the last bin are left out.
    """

    target: Target
    beam_energy_keV: float
    n_electrons: int
    lines: tuple[XrayLine, ...]
    backscatter_coefficient: float
    backscatter_coefficient_error: float
    transmission_coefficient: float
    transmission_coefficient_error: float
    energy_edges_keV: np.ndarray
    backscattered_energies: np.ndarray
    transmitted_energies: np.ndarray
    backscattered_energy_keV: float
    transmitted_energy_keV: float
    deposited_energy_keV: np.ndarray
    generated: np.ndarray
    generated_error: np.ndarray
    emitted: np.ndarray
    emitted_error: np.ndarray
    depth_edges: np.ndarray
    generated_depth: np.ndarray
    emitted_depth: np.ndarray

    @property
    def ionisations(self) -> np.ndarray:
        """Ionisations of the elements that are there, shape (n_lines,)."""
        return (self.generated * self._atoms_per_g()).sum(axis=1)

    @property
    def emitted_ionisations(self) -> np.ndarray:
        """Those whose photons leave towards the detector, shape (n_lines,)."""
        return (self.emitted * self._atoms_per_g()).sum(axis=1)

    @property
    def phi_rho_z(self) -> np.ndarray:
        r"""Depth distributions :math:`\varphi(\rho z)`, shape (n_lines, 100).

        Generation per mass depth over that of the unscattered beam in a thin
        free-standing layer.
        """
        return self.generated_depth / (np.diff(self.depth_edges) * self._thin_layer())

    @property
    def mean_depth(self) -> np.ndarray:
        """Mean mass depth of the ionisations, g/cm2, shape (n_lines,)."""
        middle = (self.depth_edges[1:] + self.depth_edges[:-1]) / 2
        return self.generated_depth @ middle / self.generated_depth.sum(axis=1)

    def _thin_layer(self) -> np.ndarray:
        """Cross sections at the beam energy, cm2, as a column."""
        energy = self.beam_energy_keV
        return np.array(
            [
                [ionisation_cross_section(line.atomic_number, line.shell, energy)]
                for line in self.lines
            ]
        )

    def _atoms_per_g(self) -> np.ndarray:
        """Atoms of each line's element per g of each region."""
        return np.array(
            [
                [
                    AVOGADRO
                    / atomic_weight(line.element)
                    * m.mass_fractions.get(line.element, 0.0)
                    for m in self.target.materials
                ]
                for line in self.lines
            ]
        ).reshape(self.generated.shape)


def result_of_blocks(
    target: Target,
    beam_energy_keV: float,
    n_electrons: int,
    lines: tuple[XrayLine, ...],
    blocks: list,
) -> ElectronResult:
    sizes = np.array([size for _, size in blocks], dtype=float)

    def mean_and_error(name: str) -> tuple[np.ndarray, np.ndarray]:
        return _mean_and_error(np.array([getattr(t, name) for t, _ in blocks]), sizes)

    back, _ = mean_and_error("backscattered")
    through, _ = mean_and_error("transmitted")
    n_back = np.array([t.backscattered.sum() for t, _ in blocks])
    n_through = np.array([t.transmitted.sum() for t, _ in blocks])
    generated, generated_error = mean_and_error("generated")
    emitted, emitted_error = mean_and_error("emitted")
    energy_out, _ = mean_and_error("energy_out")
    width = depth_bin(target, beam_energy_keV)
    return ElectronResult(
        target,
        beam_energy_keV,
        n_electrons,
        lines,
        *(float(i) for i in _mean_and_error(n_back, sizes)),
        *(float(i) for i in _mean_and_error(n_through, sizes)),
        np.linspace(0, beam_energy_keV, N_ENERGY_BINS + 1),
        back,
        through,
        *(float(i) for i in energy_out),
        mean_and_error("deposited")[0],
        generated,
        generated_error,
        emitted,
        emitted_error,
        np.arange(N_DEPTH_BINS + 1) * width,
        mean_and_error("generated_depth")[0],
        mean_and_error("emitted_depth")[0],
    )


def _mean_and_error(
    sums: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean per electron and its standard error, of sums over blocks."""
    n = sizes.sum()
    mean = sums.sum(axis=0) / n
    if sizes.size < 2:
        return mean, np.full(np.shape(mean), np.nan)
    residual = sums - np.multiply.outer(sizes, mean)
    variance = (residual**2).sum(axis=0) * sizes.size / (sizes.size - 1)
    return mean, np.sqrt(variance) / n
