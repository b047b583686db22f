# SPDX-License-Identifier: GPL-3.0-or-later
"""The hot loop of electron trajectories, compiled. No validation here.

Lengths in nm, energies in keV. Quantities that depend on the energy are tabulated at
equal steps of its logarithm, except for the scattering angles. The arguments are the
named tuples of `electron_inputs`.
"""

from __future__ import annotations

import numba
import numpy as np

from .geometry_kernels import (
    NUDGE_NM,
    VACUUM,
    distance_to_boundary,
    lengths_to_outside,
    region_at,
)

REST_ENERGY = 510.99895  # of the electron, CODATA 2018
LARGEST_LOSS = 0.05  # of the energy in one step
LONGEST_PENDING = 0.005  # loss of energy, between two counts of X-rays


@numba.njit(cache=True, nogil=True)
def _place(value, n):
    """Node below and weight of the node above, clipped to the table."""
    index = min(max(int(value), 0), n - 2)
    return index, min(max(value - index, 0.0), 1.0)


@numba.njit(cache=True, nogil=True)
def deflect(u, v, w, cosine, azimuth):
    """Direction after scattering by an angle."""
    sine = np.sqrt(max(1 - cosine * cosine, 0.0))
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    across = np.sqrt(u * u + v * v)
    if across < 1e-8:
        return a, b * np.sign(w), cosine * np.sign(w)
    p = u * cosine + (u * w * a - v * b) / across
    q = v * cosine + (v * w * a + u * b) / across
    r = w * cosine - across * a
    norm = 1 / np.sqrt(p * p + q * q + r * r)
    return p * norm, q * norm, r * norm


@numba.njit(cache=True, nogil=True)
def draw_cosine(rng, scattering, scatterer, log_energy):
    """Cosine of a scattering angle: the table below or above, by distance."""
    place = (log_energy - scattering.log_lowest) * scattering.per_log
    node, above = _place(place, scattering.screening.shape[1])
    if rng.random() < above:
        node += 1
    table = scattering.quantiles[scatterer, node]
    i, part = _place((1 - np.sqrt(rng.random())) * (table.size - 1), table.size)
    fraction = table[i] + part * (table[i + 1] - table[i])
    screening = scattering.screening[scatterer, node]
    return 1 - 2 * screening * fraction / (1 + screening - fraction)


@numba.njit(cache=True, nogil=True)
def _draw_scatterer(rng, shares, node):
    level = rng.random()
    for scatterer in range(shares.shape[0] - 1):
        if level < shares[scatterer, node]:
            return scatterer
    return shares.shape[0] - 1


@numba.njit(cache=True, nogil=True)
def transfer(energy, cosine):
    """Energy that a free electron takes in a collision, keV."""
    left = 2 * REST_ENERGY * cosine * cosine * energy
    return energy - left / (energy + 2 * REST_ENERGY - energy * cosine * cosine)


@numba.njit(cache=True, nogil=True)
def _mass_depth(xrays, z):
    """Mass per area above a depth z, g/cm2."""
    i = 0
    while i < xrays.depth.size - 2 and z > xrays.depth[i + 1]:
        i += 1
    share = (z - xrays.depth[i]) / (xrays.depth[i + 1] - xrays.depth[i])
    return max(
        xrays.mass_depth[i] + share * (xrays.mass_depth[i + 1] - xrays.mass_depth[i]),
        0.0,
    )


@numba.njit(cache=True, nogil=True)
def _remember(rng, pending, step, x, y, z, place):
    """Add a step to the path whose X-rays are pending, and maybe move their point.

    ``pending`` is the length of the path, a point drawn uniformly from it, and the
    place of its energy in the tables.
    """
    pending[0] += step
    if rng.random() * pending[0] < step:
        pending[1], pending[2], pending[3] = x, y, z
        pending[4] = place


@numba.njit(cache=True, nogil=True)
def count_xrays(geometry, xrays, tally, lengths, region, pending):
    """Add the ionisations along the pending path, all at its point; begin anew."""
    step, x, y, z, place = pending
    pending[0] = 0.0
    node, part = _place(place, xrays.ionisation.shape[1])
    if node + 1 < xrays.lowest_node:
        return
    mass = step * xrays.density[region]
    u, v, w = xrays.direction
    lengths_to_outside(geometry, region, x, y, z, u, v, w, lengths)
    bin_ = int(_mass_depth(xrays, z) * xrays.bins_per_mass_depth)
    for line in range(xrays.ionisation.shape[0]):
        table = xrays.ionisation[line]
        generated = (table[node] + part * (table[node + 1] - table[node])) * mass
        if generated > 0:
            optical_depth = 0.0
            for r in range(lengths.size):
                optical_depth += xrays.absorption[line, r] * lengths[r]
            emitted = generated * np.exp(-optical_depth)
            tally.generated[line, region] += generated
            tally.emitted[line, region] += emitted
            if bin_ < tally.generated_depth.shape[1]:
                tally.generated_depth[line, bin_] += generated
                tally.emitted_depth[line, bin_] += emitted


@numba.njit(cache=True, nogil=True)
def _count_escape(tally, energy, beam_energy, w):
    counts = tally.transmitted if w > 0 else tally.backscattered
    bin_ = min(int(energy / beam_energy * counts.size), counts.size - 1)
    counts[bin_] += 1
    tally.energy_out[1 if w > 0 else 0] += energy


@numba.njit(cache=True, nogil=True)
def _start(rng, beam):
    """Point on the plane across the beam: its axis plus a Gaussian."""
    u, v, w = beam.direction
    a, b = beam.sigma * rng.normal(), beam.sigma * rng.normal()
    x = beam.start[0] + a * w
    y = beam.start[1] + b
    return x, y, beam.start[2] - a * u


@numba.njit(cache=True, nogil=True)
def _draw_path(rng, medium, region, place, energy):
    """Path to the next collision, longest step, stopping power and its slope.

    The slope is that with the logarithm of the energy.
    """
    node, part = _place(place, medium.stopping.shape[1])
    rates, stopping = medium.collisions[region], medium.stopping[region]
    rate = rates[node] + part * (rates[node + 1] - rates[node])
    difference = stopping[node + 1] - stopping[node]
    here = stopping[node] + part * difference
    path = rng.exponential() / rate
    return path, LARGEST_LOSS * energy / here, here, difference * medium.per_log


@numba.njit(cache=True, nogil=True)
def trace_electron(rng, beam, geometry, medium, scattering, xrays, cutoff, tally):
    """Follow one electron until it leaves the target or its energy is the cutoff."""
    x, y, z = _start(rng, beam)
    u, v, w = beam.direction
    energy = beam.energy
    region = VACUUM
    lengths = np.zeros(medium.stopping.shape[0])
    pending = np.zeros(5)
    counts = xrays.ionisation.shape[0] > 0
    while True:
        boundary = distance_to_boundary(geometry, region, x, y, z, u, v, w)
        if region == VACUUM:
            if boundary == np.inf:
                _count_escape(tally, energy, beam.energy, w)
                return
            step = boundary + NUDGE_NM
            x, y, z = x + step * u, y + step * v, z + step * w
            region = region_at(geometry, x, y, z)
            continue
        place = (np.log(energy) - medium.log_lowest) * medium.per_log
        path, longest, stopping, slope = _draw_path(rng, medium, region, place, energy)
        step = min(path, longest, boundary)
        loss = step * (stopping - slope * step * stopping / (2 * energy))
        stops = energy - loss <= cutoff
        if stops:
            step *= (energy - cutoff) / loss
            loss = energy - cutoff
        if counts:
            here = rng.random() * step
            middle = place - medium.per_log * loss / (2 * energy)
            point = (x + here * u, y + here * v, z + here * w)
            _remember(rng, pending, step, *point, middle)
            long = pending[0] * stopping > LONGEST_PENDING * energy
            if long or stops or boundary <= step:
                count_xrays(geometry, xrays, tally, lengths, region, pending)
        energy -= loss
        tally.deposited[region] += loss
        if stops:
            tally.deposited[region] += energy
            return
        if boundary <= step:
            step += NUDGE_NM
        x, y, z = x + step * u, y + step * v, z + step * w
        if boundary <= step:
            region = region_at(geometry, x, y, z)
        elif step == path:
            scatterer = _draw_scatterer(rng, medium.shares[region], int(place))
            cosine = draw_cosine(rng, scattering, scatterer, np.log(energy))
            loss = transfer(energy, cosine)
            if loss > scattering.smallest_loss[scatterer]:
                stops = energy - loss <= cutoff
                loss = energy if stops else loss
                tally.deposited[region] += loss
                energy -= loss
                if stops:
                    count_xrays(geometry, xrays, tally, lengths, region, pending)
                    return
            u, v, w = deflect(u, v, w, cosine, 2 * np.pi * rng.random())


@numba.njit(cache=True, nogil=True)
def trace_block(
    rng, n_electrons, beam, geometry, medium, scattering, xrays, cutoff, tally
):
    """Follow electrons one after the other and add what they do to ``tally``."""
    for _ in range(n_electrons):
        trace_electron(rng, beam, geometry, medium, scattering, xrays, cutoff, tally)
