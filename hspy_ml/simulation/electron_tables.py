# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that the trajectory kernel reads, from targets, beams and X-ray lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hspy_ml.physics.absorption import mixture_mass_absorption_coefficient
from hspy_ml.physics.composition import AVOGADRO, atomic_number, atomic_weight
from hspy_ml.physics.ionisation import edge_energy, ionisation_cross_section
from hspy_ml.physics.relaxation import emission_lines

from .elastic import elastic_scattering, energy_nodes_keV
from .electron_inputs import Beam, Geometry, Medium, Scattering, Tally, Xrays
from .energy_loss import mean_ionisation_potential_keV, mixture_stopping_power
from .inelastic import hard_stopping, inelastic_scattering
from .targets import Material, Sphere, Target

__all__ = ["XrayLine"]

CM_PER_NM = 1e-7
SMALLEST_CROSS_SECTION = 1e-40  # cm2, for the logarithm
N_ENERGIES = 512
N_ENERGY_BINS = 100
N_DEPTH_BINS = 100
NODES_OF_RANGE = 400
#: By the atom as a whole, and by its electrons.
SCATTERINGS = (elastic_scattering, inelastic_scattering)


@dataclass(frozen=True)
class XrayLine:
    """Ionisations of a subshell and the photons that tell of them.

    Parameters
    ----------
    element : str
    shell : str
        Subshell: "K", "L1" to "L3" or "M1" to "M5".
    energy_keV : float, optional
        Photon energy, at which the X-rays are absorbed on their way out. By default
        that of the strongest line which fills the subshell.

    Raises
    ------
    ValueError
        If the element or the subshell is unknown, or no photon energy is known.
    """

    element: str
    shell: str
    energy_keV: float | None = None

    def __post_init__(self) -> None:
        edge_energy(self.atomic_number, self.shell)
        if self.energy_keV is None:
            object.__setattr__(self, "energy_keV", self._strongest_energy())
        if not (np.isfinite(self.energy_keV) and self.energy_keV > 0):
            raise ValueError(
                f"`energy_keV` is {self.energy_keV}; a photon energy above zero is "
                "expected."
            )

    @property
    def atomic_number(self) -> int:
        """Atomic number of the element."""
        return atomic_number(self.element)

    @property
    def edge_keV(self) -> float:
        """Ionisation energy of the subshell."""
        return edge_energy(self.atomic_number, self.shell)

    def _strongest_energy(self) -> float:
        lines = emission_lines(self.atomic_number, self.shell[0])
        if lines is None or self.shell not in lines.shells:
            raise ValueError(
                f"no photon energy is known for {self.element} {self.shell}; pass "
                f"`XrayLine({self.element!r}, {self.shell!r}, energy_keV=...)`."
            )
        shell = lines.shells.index(self.shell)
        photons = lines.photons_per_ionisation[:, shell] * (lines.shell_index == shell)
        return float(lines.energy_keV[np.argmax(photons)])


def geometry_of(target: Target) -> Geometry:
    """The target's shape as numbers."""
    interfaces = target.interfaces_nm
    if target.particle is None:
        return Geometry(interfaces, -1, False, np.ones(3))
    region = len(target.regions) - 1
    shape = target.particle.shape
    if isinstance(shape, Sphere):
        return Geometry(interfaces, region, True, np.full(3, shape.diameter_nm / 2))
    half = np.array([shape.width_nm, shape.length_nm, shape.height_nm]) / 2
    return Geometry(interfaces, region, False, half)


def beam_of(
    target: Target,
    energy_keV: float,
    tilt: float,
    position_nm: tuple[float, float],
    diameter_nm: float,
) -> Beam:
    """A beam that starts above everything and aims at a point of the surface."""
    angle = np.radians(tilt)
    direction = np.array([np.sin(angle), 0.0, np.cos(angle)])
    height = target.particle.shape.height_nm if target.particle else 0.0
    sigma = diameter_nm / np.sqrt(8 * np.log(2))
    back = (height + 1.0 + 10 * sigma) / direction[2]
    start = np.array([position_nm[0], position_nm[1], 0.0]) - back * direction
    return Beam(float(energy_keV), start, direction, float(sigma))


def energy_grid_keV(cutoff_keV: float, beam_energy_keV: float) -> np.ndarray:
    """Energies of the kernel's tables, at equal steps of the logarithm."""
    return np.geomspace(cutoff_keV, beam_energy_keV, N_ENERGIES)


def elements_of(target: Target) -> tuple[str, ...]:
    """Elements of a target, each once."""
    return tuple(dict.fromkeys(e for m in target.materials for e in m.mass_fractions))


def medium_of_target(target: Target, energies_keV: np.ndarray) -> Medium:
    """Collisions and stopping in each region, on a grid of energies."""
    elements = elements_of(target)
    sections = np.array(
        [_totals(e, s, energies_keV) for s in SCATTERINGS for e in elements]
    )
    hard = np.array([_hard_stopping(e, energies_keV) for e in elements])
    atoms = np.array([_atoms_per_cm3(m, elements) for m in target.materials])
    rates = np.tile(atoms, len(SCATTERINGS))[:, :, None] * sections
    total = rates.sum(axis=1)
    stopping = [
        m.density * mixture_stopping_power(m.mass_fractions, energies_keV) - a @ hard
        for m, a in zip(target.materials, atoms, strict=True)
    ]
    return Medium(
        float(np.log(energies_keV[0])),
        _per_log(energies_keV),
        total * CM_PER_NM,
        np.array(stopping) * CM_PER_NM,
        rates.cumsum(axis=1) / total[:, None],
    )


def scattering_of(elements: tuple[str, ...], energies_keV: np.ndarray) -> Scattering:
    """Scattering angles of the elements over a range of energies."""
    nodes = energy_nodes_keV(energies_keV[0], energies_keV[-1])
    numbers = [atomic_number(e) for e in elements]
    tables = [
        [scattering(z, float(n)).quantiles() for n in nodes]
        for scattering in SCATTERINGS
        for z in numbers
    ]
    smallest_losses = [mean_ionisation_potential_keV(z) for z in numbers]
    return Scattering(
        float(np.log(nodes[0])),
        _per_log(nodes),
        np.array([[screening for screening, _ in row] for row in tables]),
        np.array([[quantiles for _, quantiles in row] for row in tables]),
        np.array([np.inf] * len(numbers) + smallest_losses),
    )


def xrays_of(
    target: Target,
    lines: tuple[XrayLine, ...],
    energies_keV: np.ndarray,
    direction: np.ndarray,
) -> Xrays:
    """What is counted of each line, and the depths at which."""
    density = np.array([m.density for m in target.materials])
    ionisation = np.zeros((len(lines), energies_keV.size))
    absorption = np.zeros((len(lines), density.size))
    for i, line in enumerate(lines):
        ionisation[i] = ionisation_cross_section(
            line.atomic_number, line.shell, energies_keV
        )
        absorption[i] = [
            mixture_mass_absorption_coefficient(m.mass_fractions, line.energy_keV)
            for m in target.materials
        ]
    excited = np.flatnonzero((ionisation > 0).any(axis=0))
    depth, mass_depth = _mass_depth_nodes(target)
    return Xrays(
        ionisation * CM_PER_NM,
        int(excited[0]) if excited.size else energies_keV.size,
        density,
        absorption * density * CM_PER_NM,
        direction,
        depth,
        mass_depth,
        float(1 / depth_bin(target, energies_keV[-1])),
    )


def depth_bin(target: Target, beam_energy_keV: float) -> float:
    """Width of the depth bins, g/cm2.

    A hundredth of the longest range in any of the materials, or of the mass per area
    of free-standing films if that is less.
    """
    deepest = max(mass_range(m, beam_energy_keV) for m in target.materials)
    if target.substrate is None:
        deepest = min(deepest, _mass_depth_nodes(target)[1][-1])
    return deepest / N_DEPTH_BINS


def mass_range(material: Material, energy_keV: float) -> float:
    """Length of the path of an electron that slows down to 0.1 keV, g/cm2."""
    from scipy.integrate import trapezoid

    energies = np.geomspace(min(0.1, energy_keV / 2), energy_keV, NODES_OF_RANGE)
    stopping = mixture_stopping_power(material.mass_fractions, energies)
    return float(trapezoid(1 / stopping, energies))


def new_tally(n_lines: int, n_regions: int) -> Tally:
    """Nothing counted yet."""
    return Tally(
        np.zeros((n_lines, n_regions)),
        np.zeros((n_lines, n_regions)),
        np.zeros((n_lines, N_DEPTH_BINS)),
        np.zeros((n_lines, N_DEPTH_BINS)),
        np.zeros(n_regions),
        np.zeros(N_ENERGY_BINS),
        np.zeros(N_ENERGY_BINS),
        np.zeros(2),
    )


def _per_log(energies: np.ndarray) -> float:
    return float((energies.size - 1) / np.log(energies[-1] / energies[0]))


def _totals(element: str, scattering: Callable, energies_keV: np.ndarray) -> np.ndarray:
    """Total cross sections, cm2, interpolated on logarithmic axes."""
    nodes = energy_nodes_keV(energies_keV[0], energies_keV[-1])
    number = atomic_number(element)
    totals = [scattering(number, float(n)).total for n in nodes]
    logarithms = np.log(np.maximum(totals, SMALLEST_CROSS_SECTION))
    return np.exp(np.interp(np.log(energies_keV), np.log(nodes), logarithms))


def _hard_stopping(element: str, energies_keV: np.ndarray) -> np.ndarray:
    """`hard_stopping` of an element, interpolated, keV cm2."""
    nodes = energy_nodes_keV(energies_keV[0], energies_keV[-1])
    number = atomic_number(element)
    values = [hard_stopping(number, float(n)) for n in nodes]
    return np.interp(np.log(energies_keV), np.log(nodes), values)


def _atoms_per_cm3(material: Material, elements: tuple[str, ...]) -> np.ndarray:
    fractions = [material.mass_fractions.get(e, 0.0) for e in elements]
    weights = np.array([atomic_weight(e) for e in elements])
    return AVOGADRO * material.density * np.array(fractions) / weights


def _mass_depth_nodes(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Depths in nm and the mass per area above them, g/cm2."""
    depth = target.interfaces_nm.copy()
    if np.isinf(depth[-1]):
        depth[-1] = depth[-2] + 1.0  # the substrate goes on like this
    density = [m.density for m in target.materials]
    if target.particle is not None:
        depth = np.insert(depth, 0, -target.particle.shape.height_nm)
        density = [density[-1], *density[:-1]]
    steps = np.diff(depth) * CM_PER_NM * np.array(density)
    return depth, np.concatenate([[0.0], np.cumsum(steps)])
