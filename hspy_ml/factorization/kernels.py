# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot loops of the factorisation, compiled.

Every kernel works on the pixels ``start`` to ``stop``, releases the GIL and
writes into the arrays that it is given;
:mod:`hspy_ml.factorization.passes` splits the pixels and sums the blocks. They
hold no validation: shapes and types are the caller's duty. ``spectra`` is
``G W``, channels by phases (phases by channels in the dense kernels, where the
loops run along channels); ``abundances`` is pixels by phases.

The number of phases is a constant of the compiled code, so that the inner loops
are unrolled: worth a factor of two to three. Hence the factories.
"""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
from numba.extending import overload

_OPTIONS = {"cache": True, "nogil": True, "fastmath": {"contract", "arcp", "nsz"}}
# Along channels, sums may be taken in any order and divisions by zero are masked:
# so the loops become vector instructions, five to ten times faster. Without
# "arcp", since 0 times the reciprocal of a tiny model might be NaN.
_DENSE_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "reassoc"},
}

_PIXELS = 32  # at a time: some thousand counts

# Bits of float64: the mantissa; sqrt(1/2); 1 less sqrt(1/2), added so that the
# exponent changes there; 2**52, which makes an exponent a float (plus 1023).
_MANTISSA = np.uint64(2**52 - 1)
_SQRT_HALF = np.float64(np.sqrt(0.5)).view(np.uint64)
_TO_SQRT_HALF = np.float64(1).view(np.uint64) - _SQRT_HALF
_TO_EXPONENT = np.uint64(52)
_AS_FLOAT = np.float64(2**52).view(np.uint64)
_EXPONENT_OF_ONE = float(2**52 + 1023)
_LN_2 = float(np.log(2))


# Without "reassoc", which would spoil the subtraction of _EXPONENT_OF_ONE.
@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def logarithm(x):
    """Natural logarithm of a normal float64 to 4e-16, in vector instructions.

    With ``x = 2**n f`` and f from sqrt(1/2) to sqrt(2), it is ``n log 2 + 2 artanh
    s``, ``s = (f - 1) / (f + 1)`` (Abramowitz & Stegun 1964, eq. 4.1.27). Finite at
    0, so that 0 counts times the logarithm of 0 are 0.
    """
    bits = np.float64(x).view(np.uint64) + _TO_SQRT_HALF
    exponent = np.uint64((bits >> _TO_EXPONENT) | _AS_FLOAT).view(np.float64)
    f = np.uint64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64)
    s = (f - 1.0) / (f + 1.0)
    q = s * s
    series = q / 19 + 1 / 17
    series = series * q + 1 / 15
    series = series * q + 1 / 13
    series = series * q + 1 / 11
    series = series * q + 1 / 9
    series = series * q + 1 / 7
    series = series * q + 1 / 5
    series = series * q + 1 / 3
    return (exponent - _EXPONENT_OF_ONE) * _LN_2 + 2 * (s + s * q * series)


def plus_row(values, factor, array, i):
    """Add a multiple of row i of an array to a tuple of as many numbers."""
    return tuple(value + factor * array[i, k] for k, value in enumerate(values))


@overload(plus_row, jit_options={"fastmath": _OPTIONS["fastmath"]})
def _plus_row(values, factor, array, i):
    last = len(values) - 1
    if last == 0:
        return lambda values, factor, array, i: (values[0] + factor * array[i, 0],)

    def add_up(values, factor, array, i):
        tail = (values[last] + factor * array[i, last],)
        return plus_row(values[:last], factor, array, i) + tail

    return add_up


@cache
def sparse_pass(n_phases: int):
    """Compile the fused pass over non-zero counts.

    Parameters
    ----------
    n_phases : int
        Number of phases.

    Returns
    -------
    callable
        ``kernel(start, stop, offsets, channels, counts, spectra, abundances,
        allocated, correlation) -> float``. For each non-zero count y in channel e of
        pixel p, with ``m = sum_k spectra[e, k] abundances[p, k]``, it writes
        ``allocated[p, k] = abundances[p, k] sum_e (y / m) spectra[e, k]``, the
        expected counts of phase k in pixel p, and adds ``(y / m) abundances[p,
        k]`` to ``correlation[e, k]``: one read of the data serves H and W. It
        returns the sum of ``y log m``.

        The pixels are taken a few at a time, whose model and ratios stay in the
        fastest memory: divisions and logarithms are vector instructions there.
        Tuples instead of arrays keep a pixel's numbers in registers.
    """
    zeros = (0.0,) * n_phases

    @numba.njit(**_OPTIONS)
    def kernel(
        start,
        stop,
        offsets,
        channels,
        counts,
        spectra,
        abundances,
        allocated,
        correlation,
    ):
        longest = 0
        for first in range(start, stop, _PIXELS):
            last = min(first + _PIXELS, stop)
            longest = max(longest, offsets[last] - offsets[first])
        model = np.empty(longest, spectra.dtype)
        ratio = np.empty(longest, spectra.dtype)
        log_likelihood = 0.0
        for first in range(start, stop, _PIXELS):
            last = min(first + _PIXELS, stop)
            begin = offsets[first]
            size = offsets[last] - begin
            for p in range(first, last):
                h = plus_row(zeros, 1.0, abundances, p)
                for i in range(offsets[p], offsets[p + 1]):
                    m = spectra[channels[i], 0] * h[0]
                    for k in range(1, n_phases):
                        m += spectra[channels[i], k] * h[k]
                    model[i - begin] = m
            log_likelihood += divide_by_model(
                counts[begin : begin + size], model[:size], ratio[:size]
            )
            for p in range(first, last):
                h = plus_row(zeros, 1.0, abundances, p)
                total = zeros
                for i in range(offsets[p], offsets[p + 1]):
                    e = channels[i]
                    r = np.float64(ratio[i - begin])
                    total = plus_row(total, r, spectra, e)
                    for k in range(n_phases):
                        correlation[e, k] += r * h[k]
                for k in range(n_phases):
                    allocated[p, k] = h[k] * total[k]
        return log_likelihood

    return kernel


@numba.njit(**_DENSE_OPTIONS)
def divide_by_model(counts, model, ratio):
    """Write ``y / m``, zero where the model vanishes; return the sum of ``y log m``.

    That is minus infinity if there are counts where the model vanishes.
    """
    zero = ratio.dtype.type(0)
    one = ratio.dtype.type(1)
    log_likelihood = 0.0
    unexplained = zero
    for i in range(model.size):
        y = ratio.dtype.type(counts[i])
        m = model[i] if model[i] > zero else one
        explained = y if model[i] > zero else zero
        unexplained += y - explained
        log_likelihood += np.float64(y) * logarithm(np.float64(m))
        ratio[i] = explained / m
    return log_likelihood if unexplained == zero else -np.inf


@cache
def dense_pass(n_phases: int):
    """Compile the fused pass over all channels, for data that are not sparse.

    Parameters
    ----------
    n_phases : int
        Number of phases.

    Returns
    -------
    callable
        ``kernel(start, stop, counts, spectra, abundances, allocated,
        correlation) -> float``, as :func:`sparse_pass`, with ``counts`` pixels by
        channels, and ``spectra`` and ``correlation`` phases by channels. Needs
        three spectra of memory.
    """

    @numba.njit(**_DENSE_OPTIONS)
    def kernel(start, stop, counts, spectra, abundances, allocated, correlation):
        n_channels = counts.shape[1]
        y = np.empty(n_channels, spectra.dtype)
        model = np.empty(n_channels, spectra.dtype)
        ratio = np.empty(n_channels, spectra.dtype)
        zero = spectra.dtype.type(0)
        log_likelihood = 0.0
        unexplained = zero
        for p in range(start, stop):
            for e in range(n_channels):
                y[e] = counts[p, e]
            for e in range(n_channels):
                m = spectra[0, e] * abundances[p, 0]
                for k in range(1, n_phases):
                    m += spectra[k, e] * abundances[p, k]
                model[e] = m
                ratio[e] = y[e] / m if m > 0 else zero
                unexplained += zero if m > 0 else y[e]
            for e in range(n_channels):
                log_likelihood += np.float64(y[e]) * logarithm(np.float64(model[e]))
            for k in range(n_phases):
                h = abundances[p, k]
                total = zero
                for e in range(n_channels):
                    total += ratio[e] * spectra[k, e]
                for e in range(n_channels):
                    correlation[k, e] += ratio[e] * h
                allocated[p, k] = h * total
        return log_likelihood if unexplained == 0 else -np.inf

    return kernel


@numba.njit(cache=True, nogil=True)
def sparse_log_likelihood(start, stop, offsets, channels, counts, spectra, abundances):
    """Sum of ``y log m`` over the non-zero counts of some pixels.

    Counts where the model vanishes make it minus infinity.
    """
    n_phases = spectra.shape[1]
    total = 0.0
    for p in range(start, stop):
        for i in range(offsets[p], offsets[p + 1]):
            e = channels[i]
            model = 0.0
            for k in range(n_phases):
                model += spectra[e, k] * abundances[p, k]
            total += counts[i] * np.log(model)
    return total


@numba.njit(cache=True, nogil=True)
def dense_log_likelihood(start, stop, counts, spectra, abundances):
    """As :func:`sparse_log_likelihood`; ``spectra`` phases by channels."""
    n_phases = spectra.shape[0]
    total = 0.0
    for p in range(start, stop):
        for e in range(counts.shape[1]):
            if counts[p, e] > 0:
                model = 0.0
                for k in range(n_phases):
                    model += spectra[k, e] * abundances[p, k]
                total += counts[p, e] * np.log(model)
    return total
