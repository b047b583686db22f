# SPDX-License-Identifier: GPL-3.0-or-later
r"""Ways in which a spectrum may depart from the reference of its phase.

Each departure is an alternative expectation `f` beside the reference `q`, and a weight
for every channel, :math:`w = \ln[(1 - \alpha) + \alpha f / q]`: the sum of the weights
of the counts is the log-likelihood ratio of a mixture. A small share :math:`\alpha` is
the score test, best for a little of something; a large one is better for a spectrum of
something else altogether, and for few counts.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d, shift

__all__ = ["departure_weights"]

LITTLE, MUCH = 0.03, 0.5
SHIFTS = (1.0, 4.0)  # channels, both ways
N_WINDOWS = 24
BACKGROUND_SPAN = 0.03  # of the axis: wider than a peak


def departure_weights(
    shapes: np.ndarray, alternatives: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the channels that show each departure best.

    Departures are of kinds: more and less of every other phase, halves of another
    phase, a flat spectrum, shifts of the whole spectrum, excesses in windows of the
    axis, and the alternatives, added to the phase or in place of its peaks.

    Parameters
    ----------
    shapes : ndarray, shape (n_phases, n_channels)
        References, above zero, each with a sum of one.
    alternatives : ndarray, shape (n_alternatives, n_channels)
        Spectra of what else could be there; each sums to one.

    Returns
    -------
    weights : ndarray, shape (n_phases, n_departures, n_channels)
        The mean weight of a count of the phase is zero.
    penalties : ndarray, shape (n_departures,)
        Logarithm of the number of departures of the same kind: all kinds are equally
        likely, however many there are of one.
    """
    kinds = [_kinds(shapes, phase, alternatives) for phase in range(len(shapes))]
    weights = np.array([np.vstack(of_phase) for of_phase in kinds])
    weights -= np.einsum("kdc,kc->kd", weights, shapes)[:, :, None]
    sizes = [len(kind) for kind in kinds[0]]
    return weights, np.concatenate([np.full(n, np.log(n)) for n in sizes if n])


def _kinds(
    shapes: np.ndarray, phase: int, alternatives: np.ndarray
) -> list[np.ndarray]:
    q = shapes[phase]
    others = np.delete(shapes, phase, axis=0)
    flat = np.full((1, q.size), 1 / q.size)
    more = _log_ratio(q, others, LITTLE)
    return [
        more,
        -more,
        _log_ratio(q, others, MUCH),
        _log_ratio(q, flat, LITTLE),
        _log_ratio(q, _shifted(q), 1.0),
        _log_ratio(q, _windows(q.size), LITTLE),
        _log_ratio(q, alternatives, LITTLE),
        _log_ratio(q, _in_place_of_peaks(q, alternatives), MUCH),
    ]


def _log_ratio(q: np.ndarray, spectra: np.ndarray, share: float) -> np.ndarray:
    return np.log((1 - share) + share * spectra / q)


def _windows(n_channels: int) -> np.ndarray:
    """Flat parts of the axis, each with a sum of one."""
    number = min(N_WINDOWS, n_channels)
    part = np.arange(n_channels) * number // n_channels
    windows = (part == np.arange(number)[:, None]).astype(float)
    return windows / windows.sum(axis=1, keepdims=True)


def _shifted(q: np.ndarray) -> np.ndarray:
    moves = [sign * s for s in SHIFTS for sign in (-1, 1)]
    moved = np.array([shift(q, s, order=1, mode="nearest") for s in moves])
    return moved / moved.sum(axis=1, keepdims=True)


def _in_place_of_peaks(q: np.ndarray, alternatives: np.ndarray) -> np.ndarray:
    """The background of a phase with something else on it."""
    background = _background(q)
    peaks = 1 - background.sum()
    return background + peaks * alternatives


def _background(q: np.ndarray) -> np.ndarray:
    """Lowest values nearby, smoothed: what is left without peaks."""
    span = max(3, int(BACKGROUND_SPAN * q.size))
    lowest = minimum_filter1d(gaussian_filter1d(q, span / 20), span, mode="nearest")
    return np.minimum(gaussian_filter1d(lowest, span / 3, mode="nearest"), q)
