# SPDX-License-Identifier: GPL-3.0-or-later
"""Monte Carlo trajectories of electrons, and the X-rays that they generate."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .electron_checks import check_simulation, cutoff_energy
from .electron_result import ElectronResult, result_of_blocks
from .electron_tables import (
    XrayLine,
    beam_of,
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
    random_state: int | np.random.Generator | None = None,
    num_workers: int | None = None,
) -> ElectronResult:
    """Follow electrons through a target, from one elastic collision to the next.

    Elastic collisions follow Mott's cross sections of free atoms
    (`elastic_scattering`); collisions with single electrons deflect too, and take
    energy where it is much (`inelastic_scattering`). All other losses are
    continuous, so that they sum to the stopping power of Joy and Luo
    (`mixture_stopping_power`). Ionisations follow `ionisation_cross_section`.
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
    random_state : int, numpy.random.Generator or None
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
    cutoff = cutoff_energy(cutoff_energy_keV, lines, beam_energy_keV)
    check_simulation(
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
    return result_of_blocks(target, float(beam_energy_keV), n_electrons, lines, blocks)


def _run_blocks(
    tables: tuple,
    n_electrons: int,
    shape: tuple[int, int],
    random_state: int | np.random.Generator | None,
    num_workers: int | None,
) -> list:
    """Tallies of blocks of electrons, each with its own random numbers."""
    from .electron_kernels import trace_block

    entropy = np.random.default_rng(random_state).integers(2**63, size=4)
    n_blocks = min(N_BLOCKS, n_electrons)
    seeds = np.random.SeedSequence(entropy.tolist()).spawn(n_blocks)
    sizes = np.diff(np.arange(n_blocks + 1) * n_electrons // n_blocks)

    def run(block: int):
        tally = new_tally(*shape)
        rng = np.random.Generator(np.random.PCG64(seeds[block]))
        trace_block(rng, int(sizes[block]), *tables, tally)
        return tally, int(sizes[block])

    # the first alone: numba looks up types in a way that threads can disturb
    first = run(0)
    with ThreadPoolExecutor(num_workers, thread_name_prefix="hspy_ml") as pool:
        return [first, *pool.map(run, range(1, n_blocks))]


def _towards_detector(take_off_angle: float, azimuth_angle: float) -> np.ndarray:
    up, around = np.radians([take_off_angle, azimuth_angle])
    return np.array(
        [np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), -np.sin(up)]
    )
