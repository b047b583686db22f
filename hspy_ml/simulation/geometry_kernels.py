# SPDX-License-Identifier: GPL-3.0-or-later
"""Rays in a target of flat layers with a particle on top, compiled.

Lengths in nm; z points into the target, whose surface is z = 0. A region is the index
of a layer, that of the particle (the last one), or -1 for vacuum. ``geometry`` is a
`Geometry` of `electron_inputs`. No validation here.
"""

from __future__ import annotations

import numba
import numpy as np

NUDGE_NM = 1e-6  # past a boundary, so that rounding leaves no doubt about the side
VACUUM = -1


@numba.njit(cache=True, nogil=True)
def region_at(geometry, x, y, z):
    """Region of a point."""
    if z >= 0:
        for layer in range(geometry.interfaces.size - 1):
            if z < geometry.interfaces[layer + 1]:
                return layer
        return VACUUM
    if geometry.particle >= 0 and _in_particle(geometry, x, y, z):
        return geometry.particle
    return VACUUM


@numba.njit(cache=True, nogil=True)
def _in_particle(geometry, x, y, z):
    a, b, c = geometry.shape
    if geometry.is_sphere:
        return x * x + y * y + (z + c) ** 2 < c * c
    return abs(x) < a and abs(y) < b and abs(z + c) < c


@numba.njit(cache=True, nogil=True)
def _particle_chord(geometry, x, y, z, u, v, w):
    """Distances at which a ray enters and leaves the particle; inf, inf if never."""
    a, b, c = geometry.shape
    z = z + c
    if geometry.is_sphere:
        along = x * u + y * v + z * w
        discriminant = along * along - (x * x + y * y + z * z - c * c)
        if discriminant <= 0:
            return np.inf, np.inf
        root = np.sqrt(discriminant)
        return -along - root, -along + root
    enter, leave = -np.inf, np.inf
    for half, position, direction in ((a, x, u), (b, y, v), (c, z, w)):
        if direction == 0.0:
            if abs(position) >= half:
                return np.inf, np.inf
        else:
            one = (-half - position) / direction
            two = (half - position) / direction
            enter = max(enter, min(one, two))
            leave = min(leave, max(one, two))
    if enter >= leave:
        return np.inf, np.inf
    return enter, leave


@numba.njit(cache=True, nogil=True)
def distance_to_boundary(geometry, region, x, y, z, u, v, w):
    """Distance along a ray to the end of its region; inf if it has none.

    From vacuum above the surface it is the distance to what is hit next; from vacuum
    below the last layer nothing is hit.
    """
    if region >= 0 and region != geometry.particle:
        if w > 0:
            return max((geometry.interfaces[region + 1] - z) / w, 0.0)
        if w < 0:
            return max((geometry.interfaces[region] - z) / w, 0.0)
        return np.inf
    if region == geometry.particle and region >= 0:
        leave = _particle_chord(geometry, x, y, z, u, v, w)[1]
        return max(leave, 0.0) if leave < np.inf else 0.0  # inf: rounding at a tangent
    if z > 0:
        return np.inf
    distance = -z / w if w > 0 else np.inf
    if geometry.particle >= 0:
        enter = _particle_chord(geometry, x, y, z, u, v, w)[0]
        if 0 < enter < distance:
            return enter
    return distance


@numba.njit(cache=True, nogil=True)
def lengths_to_outside(geometry, region, x, y, z, u, v, w, lengths):
    """Fill ``lengths`` with the path in each region of a ray that leaves the target."""
    lengths[:] = 0.0
    while True:
        step = distance_to_boundary(geometry, region, x, y, z, u, v, w)
        if step == np.inf:
            return
        if region >= 0:
            lengths[region] += step
        step += NUDGE_NM
        x += step * u
        y += step * v
        z += step * w
        region = region_at(geometry, x, y, z)
