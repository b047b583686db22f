# SPDX-License-Identifier: GPL-3.0-or-later
"""Monte Carlo trajectories of electrons, and the X-rays that they generate."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hspy_ml.physics.composition import atomic_weight
from hspy_ml.physics.ionisation import ionisation_cross_section

from .elastic import HIGHEST_KEV, LOWEST_KEV
from .electron_tables import (
    AVOGADRO,
    N_DEPTH_BINS,
    N_ENERGY_BINS,
    XrayLine,
    beam_of,
    depth_bin,
    elements_of,
    energy_grid_keV,
    geometry_of,
    medium_of_target,
    new_tally,
    scattering_of,
    xrays_of,
)
from .targets import Target

__all__ = ["ElectronResult", "XrayLine", "simulate_electrons"]

N_BLOCKS = 64
DEFAULT_CUTOFF_KEV = 0.5


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
        `generated` and `emitted` in each bin of depth, all regions together. What is
        deeper than the last bin is left out.
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


def simulate_electrons(
    target: Target,
    beam_energy_keV: float,
    n_electrons: int = 10_000,
    lines: Sequence[XrayLine | tuple[str, str]] = (),
    *,
    take_off_angle: float = 35.0,
    azimuth_angle: float = 0.0,
    tilt: float = 0.0,
    beam_position_nm: tuple[float, float] = (0.0, 0.0),
    beam_diameter_nm: float = 0.0,
    cutoff_energy_keV: float | None = None,
    random_state: int | np.random.SeedSequence | None = None,
    num_workers: int | None = None,
) -> ElectronResult:
    """Follow electrons through a target, from one elastic collision to the next.

    Between the collisions electrons slow down continuously. Collisions follow Mott's
    cross sections of free atoms (`elastic_scattering`), the loss of energy follows
    Joy and Luo (`mixture_stopping_power`), ionisations `ionisation_cross_section`.
    Secondary electrons, bremsstrahlung and fluorescence are not followed.

    Parameters
    ----------
    target : Target
        Of `bulk`, `films` or `particle_on_substrate`.
    beam_energy_keV : float
        Up to 100.
    n_electrons : int
        A backscatter coefficient of 0.3 has a standard error of 0.0046 with the
        default.
    lines : sequence of XrayLine or of (str, str)
        X-ray lines to count, such as ``("Si", "K")`` or ``("Au", "L3")``.
    take_off_angle : float
        Angle between the target's surface and the direction to the detector, degrees,
        above 0 and at most 90.
    azimuth_angle : float
        Angle in the surface between the direction towards which the beam is tilted
        and that to the detector, degrees.
    tilt : float
        Angle between beam and normal of the surface, degrees, 0 to below 90.
    beam_position_nm : tuple of two float
        Where the axis of the beam meets the surface: x, towards which the beam is
        tilted, and y. The centre of a particle is at (0, 0).
    beam_diameter_nm : float
        Full width at half maximum of a Gaussian beam.
    cutoff_energy_keV : float, optional
        Electrons stop at this energy, at least 0.1. By default 0.5, or the lowest
        edge of `lines` if that is lower.
    random_state : int, numpy.random.SeedSequence or None
        The same number gives the same result, whatever `num_workers` is.
    num_workers : int, optional
        Threads. By default all cores.

    Returns
    -------
    ElectronResult

    Raises
    ------
    ValueError
        If an energy, an angle or a number is out of its range, or an edge is above
        the beam energy.

    Examples
    --------
    >>> from hspy_ml.simulation.targets import bulk, material
    >>> result = simulate_electrons(
    ...     bulk(material("Si")), 15.0, 2000, [("Si", "K")], random_state=0
    ... )
    >>> 0.1 < result.backscatter_coefficient < 0.2
    True
    """
    lines = tuple(i if isinstance(i, XrayLine) else XrayLine(*i) for i in lines)
    cutoff = _cutoff(cutoff_energy_keV, lines, beam_energy_keV)
    _check(
        lines,
        beam_energy_keV,
        n_electrons,
        take_off_angle,
        tilt,
        beam_diameter_nm,
        num_workers,
    )
    energies = energy_grid_keV(cutoff, beam_energy_keV)
    direction = _towards_detector(take_off_angle, azimuth_angle)
    tables = (
        beam_of(target, beam_energy_keV, tilt, beam_position_nm, beam_diameter_nm),
        geometry_of(target),
        medium_of_target(target, energies),
        scattering_of(elements_of(target), energies),
        xrays_of(target, lines, energies, direction),
        cutoff,
    )
    blocks = _run_blocks(
        tables,
        n_electrons,
        (len(lines), len(target.regions)),
        random_state,
        num_workers,
    )
    return _result(target, float(beam_energy_keV), n_electrons, lines, blocks)


def _run_blocks(
    tables: tuple,
    n_electrons: int,
    shape: tuple[int, int],
    random_state: int | np.random.SeedSequence | None,
    num_workers: int | None,
) -> list:
    """Tallies of blocks of electrons, each with its own random numbers."""
    from .electron_kernels import trace_block

    sequence = (
        random_state
        if isinstance(random_state, np.random.SeedSequence)
        else np.random.SeedSequence(random_state)
    )
    n_blocks = min(N_BLOCKS, n_electrons)
    seeds = np.random.SeedSequence(
        sequence.entropy, spawn_key=sequence.spawn_key
    ).spawn(n_blocks)
    sizes = np.diff(np.arange(n_blocks + 1) * n_electrons // n_blocks)

    def run(block: int):
        tally = new_tally(*shape)
        rng = np.random.Generator(np.random.PCG64(seeds[block]))
        trace_block(rng, int(sizes[block]), *tables, tally)
        return tally, int(sizes[block])

    with ThreadPoolExecutor(num_workers, thread_name_prefix="hspy_ml") as pool:
        return list(pool.map(run, range(n_blocks)))


def _result(
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


def _towards_detector(take_off_angle: float, azimuth_angle: float) -> np.ndarray:
    up, around = np.radians([take_off_angle, azimuth_angle])
    return np.array(
        [np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), -np.sin(up)]
    )


def _cutoff(
    cutoff_keV: float | None, lines: tuple[XrayLine, ...], beam_energy_keV: float
) -> float:
    if cutoff_keV is None:
        edges = [line.edge_keV for line in lines]
        lowest = min([DEFAULT_CUTOFF_KEV, 0.5 * beam_energy_keV, *edges])
        return max(lowest, LOWEST_KEV)
    if not LOWEST_KEV <= cutoff_keV < beam_energy_keV:
        raise ValueError(
            f"`cutoff_energy_keV` is {cutoff_keV}; it must be at least {LOWEST_KEV} "
            f"and below the beam energy of {beam_energy_keV} keV."
        )
    return float(cutoff_keV)


def _check(
    lines: tuple[XrayLine, ...],
    beam_energy_keV: float,
    n_electrons: int,
    take_off_angle: float,
    tilt: float,
    beam_diameter_nm: float,
    num_workers: int | None,
) -> None:
    if not LOWEST_KEV < beam_energy_keV <= HIGHEST_KEV:
        raise ValueError(
            f"`beam_energy_keV` is {beam_energy_keV}; it must be above {LOWEST_KEV} "
            f"and at most {HIGHEST_KEV:g} keV."
        )
    for line in lines:
        if line.edge_keV >= beam_energy_keV:
            raise ValueError(
                f"`lines` holds {line.element} {line.shell}, whose edge of "
                f"{line.edge_keV:.3f} keV is not below the beam energy of "
                f"{beam_energy_keV} keV; leave it out or raise `beam_energy_keV`."
            )
    _check_count("n_electrons", n_electrons)
    if num_workers is not None:
        _check_count("num_workers", num_workers)
    if not 0 < take_off_angle <= 90:
        raise ValueError(
            f"`take_off_angle` is {take_off_angle} degrees; it must be above 0 and at "
            "most 90."
        )
    if not 0 <= tilt < 90:
        raise ValueError(f"`tilt` is {tilt} degrees; it must be 0 to below 90.")
    if not (np.isfinite(beam_diameter_nm) and beam_diameter_nm >= 0):
        raise ValueError(
            f"`beam_diameter_nm` is {beam_diameter_nm}; it must not be negative."
        )


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(
            f"`{name}` is {value!r}; a whole number above zero is expected."
        )
