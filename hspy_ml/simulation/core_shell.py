# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles with a core and a shell, in a film of matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .interfaces import seen_by_probe
from .scenes import (
    COVERAGE,
    RADII,
    check_largest_share,
    draw_grains,
    half_chord,
    with_matrix,
)

__all__ = ["core_shell_abundances"]

CORE_RADIUS = 0.6  # of that of the particle


def core_shell_abundances(
    shape: tuple[int, int],
    n_phases: int = 3,
    random_state: int | np.random.Generator | None = None,
    *,
    largest_share: float = 0.5,
    radii: tuple[float, float] = RADII,
    core_radius: float = CORE_RADIUS,
    coverage: float = COVERAGE,
    probe_width: float = 1.0,
) -> np.ndarray:
    r"""Maps of spherical particles of a core and a shell, in a matrix.

    Of a particle of radius `R` the core fills what is nearer to its centre than
    :math:`c R`: a share :math:`c^3` of its volume. A pixel at the distance `r` sees

    .. math:: \frac{s}{R_\mathrm{max}} \sqrt{c^2 R^2 - r^2}

    of the core, and what is left of the particle's own chord of the shell, as
    `grain_abundances` has it.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int, default 3
        Matrix, core and shell, in this order.
    random_state : int or numpy.random.Generator, optional
        Makes the maps repeat exactly.
    largest_share : float, default 0.5
        Largest share of a pixel that particles fill, up to 1.
    radii : tuple of float, default (4, 10)
        Smallest and largest radius of a particle in pixels.
    core_radius : float, default 0.6
        Of the core, in radii of the particle; above 0 and below 1.
    coverage : float, default 0.3
        Sum of the areas of the particles, in areas of the image.
    probe_width : float, default 1
        Full width at half maximum of the beam, in pixels.

    Returns
    -------
    ndarray, shape (*shape, 3)
        Abundances of matrix, core and shell, which sum to one in every pixel.

    Raises
    ------
    ValueError
        If there are not three phases, or a parameter makes no sense.
    """
    if n_phases != 3:
        raise ValueError(
            f"`phases` has {n_phases} of them; particles with core and shell need "
            "three: matrix, core and shell."
        )
    if not 0 < core_radius < 1:
        raise ValueError(
            f"`core_radius` is {core_radius}; it must be above 0 and below 1."
        )
    check_largest_share(largest_share)
    particles = draw_grains(shape, 2, random_state, radii=radii, coverage=coverage)
    chords = np.zeros((*shape, 3))
    for particle in particles:
        core = replace(particle, radius=core_radius * particle.radius)
        of_core = half_chord(core, shape)
        chords[..., 1] += of_core
        chords[..., 2] += half_chord(particle, shape) - of_core
    maps = with_matrix(chords * (largest_share / radii[1]), largest_share)
    return seen_by_probe(maps, probe_width)
