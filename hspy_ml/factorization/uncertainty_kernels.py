# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot loops of the standard errors, compiled.

They write, pixel by pixel, what :mod:`hspy_ml.factorization.information` sums with
matrix products. They hold no validation.
"""

from __future__ import annotations

import numba
import numpy as np

_OPTIONS = {"cache": True, "nogil": True, "fastmath": {"contract", "arcp", "nsz"}}


@numba.njit(**_OPTIONS)
def read_pixel(channels, values, response, spectra, shares, by_channel, first, second):
    """Sums over the counts of one pixel.

    With ``m = sum_k spectra[e, k] shares[k]``, adds ``(y / m^2) shares[k] shares[l]``
    to ``by_channel[e, k, l]``, ``(y / m) response[e, j]`` to ``first[j]``, ``(y / m^2)
    response[e, j] spectra[e, k]`` to ``second[k, j]``, and returns the matrix ``sum_e
    (y / m^2) spectra[e, k] spectra[e, l]``.
    """
    n_columns, n_phases = response.shape[1], spectra.shape[1]
    overlap = np.zeros((n_phases, n_phases))
    for i in range(channels.size):
        e = channels[i]
        model = 0.0
        for k in range(n_phases):
            model += spectra[e, k] * shares[k]
        if model <= 0.0:
            continue
        ratio = values[i] / model
        for j in range(n_columns):
            first[j] += ratio * response[e, j]
        for k in range(n_phases):
            a = ratio / model * spectra[e, k]
            b = ratio / model * shares[k]
            for j in range(n_columns):
                second[k, j] += a * response[e, j]
            for m in range(n_phases):
                overlap[k, m] += a * spectra[e, m]
                by_channel[e, k, m] += b * shares[m]
    return overlap


@numba.njit(**_OPTIONS)
def write_pixel(overlap, stiffness, shares, first, second, column_shares, score, lost):
    """Score of one pixel, and the root of the information that its shares take.

    ``score[k, j]`` is the derivative of the bound by the column share j of phase k,
    less its mean over the phase. The information on them that is lost because the
    shares are not known is ``lost.T @ lost``, ``lost[l, k, j]``.
    """
    n_phases, n_columns = second.shape
    curvature = np.empty((n_phases, n_phases))
    for k in range(n_phases):
        for m in range(n_phases):
            curvature[k, m] = shares[k] * shares[m] * overlap[k, m]
        curvature[k, k] += stiffness[k]
    slope = np.empty((n_phases, n_phases, n_columns))
    for k in range(n_phases):
        mean = 0.0
        for j in range(n_columns):
            mean += column_shares[k, j] * first[j]
        for j in range(n_columns):
            score[k, j] = shares[k] * (first[j] - mean)
            for m in range(n_phases):
                slope[m, k, j] = -shares[k] * shares[m] * second[m, j]
            slope[k, k, j] += shares[k] * first[j]
    factor_and_solve(curvature, slope, lost)


@numba.njit(**_OPTIONS)
def factor_and_solve(matrix, right, solution):
    """Solve ``L x = right`` for the Cholesky factor L of a small matrix.

    Directions in which the matrix is not positive get nothing.
    """
    n = matrix.shape[0]
    for k in range(n):
        pivot = matrix[k, k]
        for m in range(k):
            pivot -= matrix[k, m] * matrix[k, m]
        useful = pivot > 1e-10 * (1.0 + matrix[k, k])
        inverse = 1.0 / np.sqrt(pivot) if useful else 0.0
        solution[k] = right[k]
        for m in range(k):
            solution[k] -= matrix[k, m] * solution[m]
        solution[k] *= inverse
        for row in range(k + 1, n):
            value = matrix[row, k]
            for m in range(k):
                value -= matrix[row, m] * matrix[k, m]
            matrix[row, k] = value * inverse


@numba.njit(**_OPTIONS)
def pixel_information(
    channels,
    values,
    response,
    spectra,
    shares,
    stiffness,
    column_shares,
    by_channel,
    score,
    lost,
):
    """Score and lost information of one pixel, from its counts above zero."""
    n_columns, n_phases = response.shape[1], spectra.shape[1]
    first, second = np.zeros(n_columns), np.zeros((n_phases, n_columns))
    overlap = read_pixel(
        channels, values, response, spectra, shares, by_channel, first, second
    )
    write_pixel(overlap, stiffness, shares, first, second, column_shares, score, lost)


@numba.njit(**_OPTIONS)
def sparse_information(
    start,
    stop,
    offsets,
    channels,
    values,
    response,
    spectra,
    shares,
    stiffness,
    column_shares,
    by_channel,
    score,
    lost,
):
    """Scores and lost information of the pixels ``start`` to ``stop``.

    ``shares`` and ``stiffness`` are pixels by phases, ``column_shares`` phases by
    columns, ``score`` pixels by phases by columns, and ``lost`` pixels by phases by
    phases by columns.
    """
    for p in range(start, stop):
        own = slice(offsets[p], offsets[p + 1])
        pixel_information(
            channels[own],
            values[own],
            response,
            spectra,
            shares[p],
            stiffness[p],
            column_shares,
            by_channel,
            score[p - start],
            lost[p - start],
        )


@numba.njit(**_OPTIONS)
def dense_information(
    start,
    stop,
    values,
    response,
    spectra,
    shares,
    stiffness,
    column_shares,
    by_channel,
    score,
    lost,
):
    """As :func:`sparse_information`; ``values`` pixels by channels."""
    for p in range(start, stop):
        channels = np.nonzero(values[p])[0]
        pixel_information(
            channels,
            values[p][channels],
            response,
            spectra,
            shares[p],
            stiffness[p],
            column_shares,
            by_channel,
            score[p - start],
            lost[p - start],
        )


@numba.njit(**_OPTIONS)
def add_overlap(channels, values, spectra, shares, overlap):
    """Add ``sum_e y_e q_ek q_el`` of one pixel, q the part of each phase in m."""
    n_phases = spectra.shape[1]
    part = np.empty(n_phases)
    for i in range(channels.size):
        model = 0.0
        for k in range(n_phases):
            part[k] = spectra[channels[i], k] * shares[k]
            model += part[k]
        if model <= 0.0:
            continue
        ratio = values[i] / (model * model)
        for k in range(n_phases):
            for m in range(n_phases):
                overlap[k, m] += ratio * part[k] * part[m]


@numba.njit(**_OPTIONS)
def sparse_overlap(start, stop, offsets, channels, values, spectra, shares, overlap):
    """Overlap of the phases in the pixels ``start`` to ``stop``."""
    for p in range(start, stop):
        own = slice(offsets[p], offsets[p + 1])
        add_overlap(channels[own], values[own], spectra, shares[p], overlap[p])


@numba.njit(**_OPTIONS)
def dense_overlap(start, stop, values, spectra, shares, overlap):
    """As :func:`sparse_overlap`; ``values`` pixels by channels."""
    for p in range(start, stop):
        channels = np.nonzero(values[p])[0]
        add_overlap(channels, values[p][channels], spectra, shares[p], overlap[p])
