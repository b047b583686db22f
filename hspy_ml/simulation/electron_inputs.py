# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trajectory kernels read and fill: named tuples of numbers and arrays.

Lengths in nm, energies in keV.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Geometry(NamedTuple):
    """The target as numbers.

    ``interfaces`` (n_layers + 1) are depths of the boundaries, from 0; the last is
    infinite above a substrate. ``particle`` is its region or -1; ``shape`` holds half
    extents (a, b, c): a box where ``is_sphere`` is False, else a = b = c the radius.
    """

    interfaces: np.ndarray
    particle: int
    is_sphere: bool
    shape: np.ndarray


class Beam(NamedTuple):
    """Electrons that come in: energy, point and direction, Gaussian sigma across."""

    energy: float
    start: np.ndarray
    direction: np.ndarray
    sigma: float


class Medium(NamedTuple):
    """What the regions do to electrons, by energy.

    ``log_lowest`` and ``per_log`` place an energy on the grid; ``collisions``
    (regions x energies) are per nm; ``stopping`` keV per nm, without the losses that
    are drawn one by one; ``shares`` (regions x scatterers x energies) are running
    shares in the collisions. The scatterers are the atoms of each element, then
    their electrons.
    """

    log_lowest: float
    per_log: float
    collisions: np.ndarray
    stopping: np.ndarray
    shares: np.ndarray


class Scattering(NamedTuple):
    """Angles of scattering by each scatterer at a few energies.

    ``screening`` (scatterers x energies) and ``quantiles`` (scatterers x energies x
    n) as of `AngularCrossSection.quantiles`; ``log_lowest`` and ``per_log`` place an
    energy. ``smallest_loss`` (scatterers) keV: transfers above it are losses.
    """

    log_lowest: float
    per_log: float
    screening: np.ndarray
    quantiles: np.ndarray
    smallest_loss: np.ndarray


class Xrays(NamedTuple):
    """What is counted of the X-ray lines.

    ``ionisation`` (lines x energies) cross sections times 1e-7 (cm2 cm/nm) on the grid
    of `Medium`; ``density`` (regions) g/cm3; ``absorption`` (lines x regions) per nm;
    ``direction`` towards the detector; ``lowest_node`` the first energy at which
    anything is ionised. Depth bins: ``mass_depth`` (n) at ``depth`` (n) nm are the
    nodes of a piecewise linear function of z, ``bins_per_mass_depth`` in cm2/g.
    """

    ionisation: np.ndarray
    lowest_node: int
    density: np.ndarray
    absorption: np.ndarray
    direction: np.ndarray
    depth: np.ndarray
    mass_depth: np.ndarray
    bins_per_mass_depth: float


class Tally(NamedTuple):
    """What a block of electrons leaves behind, summed over its electrons.

    ``generated``, ``emitted`` (lines x regions) and ``generated_depth``,
    ``emitted_depth`` (lines x bins) cm2 g/cm2; ``deposited`` (regions) keV;
    ``backscattered``, ``transmitted`` (energy bins) electrons; ``energy_out`` (2) keV.
    """

    generated: np.ndarray
    emitted: np.ndarray
    generated_depth: np.ndarray
    emitted_depth: np.ndarray
    deposited: np.ndarray
    backscattered: np.ndarray
    transmitted: np.ndarray
    energy_out: np.ndarray
