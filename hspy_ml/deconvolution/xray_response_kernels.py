# SPDX-License-Identifier: GPL-3.0-or-later
"""Banded products of the response of an X-ray detector, compiled.

``weights[margin + k, j]`` is what channel ``j`` puts ``k`` channels away, for ``k``
from ``-margin`` to ``margin``; it is zero before channel ``first[margin + k]``, since
peaks get wider with the energy. What would leave the axis comes back as from a mirror
at its end. ``padded`` is scratch of ``n_channels + 2 * margin`` numbers. No validation
here: shapes and types are the caller's duty.
"""

from __future__ import annotations

import numba
import numpy as np

_OPTIONS = {"cache": True, "nogil": True, "fastmath": {"contract"}}
_NONE = np.float32(0.0)
_LEAST = np.float32(1e-20)
_LARGEST_FACTOR = np.float32(20.0)  # a guard; the first steps have up to 10


@numba.njit(inline="always")
def _add_products(one, other, total):
    for j in range(total.size):
        total[j] += one[j] * other[j]


@numba.njit(**_OPTIONS)
def forward_one(weights, first, scene, padded, broadened):
    """What the detector makes of a scene."""
    n = scene.size
    margin = (padded.size - n) // 2
    padded[:] = 0.0
    for k in range(2 * margin + 1):
        f = first[k]
        _add_products(scene[f:], weights[k, f:], padded[f + k : n + k])
    broadened[:] = padded[margin : margin + n]
    for k in range(margin):
        broadened[k] += padded[margin - 1 - k]
        broadened[n - 1 - k] += padded[margin + n + k]


@numba.njit(**_OPTIONS)
def backward_one(weights, first, ratio, padded, mean):
    """The transpose: the mean of a ratio over what each channel puts elsewhere."""
    n = ratio.size
    margin = (padded.size - n) // 2
    padded[margin : margin + n] = ratio
    for k in range(margin):
        padded[margin - 1 - k] = ratio[k]
        padded[margin + n + k] = ratio[n - 1 - k]
    mean[:] = 0.0
    for k in range(2 * margin + 1):
        f = first[k]
        _add_products(padded[f + k : n + k], weights[k, f:], mean[f:])


@numba.njit(**_OPTIONS)
def forward(weights, first, margin, scenes, broadened):
    """:func:`forward_one` of each row."""
    padded = np.empty(scenes.shape[1] + 2 * margin, scenes.dtype)
    for row in range(scenes.shape[0]):
        forward_one(weights, first, scenes[row], padded, broadened[row])


@numba.njit(**_OPTIONS)
def backward(weights, first, margin, ratios, means):
    """:func:`backward_one` of each row."""
    padded = np.empty(ratios.shape[1] + 2 * margin, ratios.dtype)
    for row in range(ratios.shape[0]):
        backward_one(weights, first, ratios[row], padded, means[row])


@numba.njit(**_OPTIONS)
def likelihood_steps(weights, first, margin, counts, scenes, n_steps):
    """Richardson-Lucy steps on ``scenes``, in place; ``n_steps`` of each row.

    A step multiplies no channel by more than 20. Rows get the sum of their counts.
    """
    n = counts.shape[1]
    padded = np.empty(n + 2 * margin, scenes.dtype)
    ratio = np.empty(n, scenes.dtype)
    factor = np.empty(n, scenes.dtype)
    for row in range(counts.shape[0]):
        total = 0.0
        for i in range(n):
            total += counts[row, i]
        for _ in range(n_steps[row]):
            forward_one(weights, first, scenes[row], padded, ratio)
            for i in range(n):
                seen = counts[row, i]
                expected = max(ratio[i], _LEAST)
                ratio[i] = seen / expected if seen > 0 else _NONE
            backward_one(weights, first, ratio, padded, factor)
            found = 0.0
            for j in range(n):
                scenes[row, j] *= min(factor[j], _LARGEST_FACTOR)
                found += scenes[row, j]
            if found > 0.0:
                scale = scenes.dtype.type(total / found)
                for j in range(n):
                    scenes[row, j] *= scale
