# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of measured pixels in the light of those around."""

from __future__ import annotations

import numpy as np

from .neighbours import N_NEIGHBOURS, nearest_measurements
from .reconstruction import labels_on_map

__all__ = ["refined_labels"]

DOUBT = 0.05
"""Prior weight of all phases alike: an isolated pixel of another phase can be."""


def refined_labels(
    shape: tuple[int, int],
    positions: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
) -> np.ndarray:
    r"""Correct labels of spectra with few counts by the labels of their neighbours.

    Bayes' rule, pixel by pixel: what the spectrum says times what is expected there,

    .. math:: P_k \propto q_k \left[(1 - \epsilon) v_k + \epsilon / K\right]

    with :math:`q_k` the probability of phase k from the spectrum alone, :math:`v_k` the
    share of the kriging from the other measurements, and :math:`\epsilon = 0.05`. A
    spectrum that is sure (the probability of no other phase above 0.02) stays.

    Parameters
    ----------
    shape, positions, labels
        See :func:`hspy_ml.sampling.reconstruction.reconstruct`; positions that differ.
    probabilities : ndarray, shape (n_measured, n_phases)
        Of each phase, all phases held for equally likely before; rows sum to one.

    Returns
    -------
    ndarray of int16, shape (n_measured,)
        For :func:`~hspy_ml.sampling.reconstruction.reconstruct`. Ill spectra (label 0)
        stay ill.

    Raises
    ------
    TypeError, ValueError
        As :func:`~hspy_ml.sampling.reconstruction.reconstruct`; also if the
        probabilities do not belong to the labels.
    """
    from .reconstruction_kernels import krige_others, room_for

    known = labels_on_map(shape, positions, labels)
    labels = np.asarray(labels)
    chances = _checked(probabilities, labels)
    near = nearest_measurements(known > 0, N_NEIGHBOURS + 1)
    places = np.ascontiguousarray(positions, np.int64)
    shares = np.zeros(chances.shape)
    krige_others(near, known, places, N_NEIGHBOURS, room_for(N_NEIGHBOURS), shares)
    shares = np.clip(shares, 0, 1)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    expected = (1 - DOUBT) * shares + DOUBT / chances.shape[1]
    best = 1 + np.argmax(chances * expected, axis=1)
    return np.where(labels > 0, best, 0).astype(np.int16)


def _checked(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    array = np.asarray(probabilities, dtype=float)
    if array.ndim != 2 or len(array) != len(labels) or array.shape[1] < labels.max():
        raise ValueError(
            f"`probabilities` have the shape {array.shape}; {len(labels)} rows with "
            "one number for each phase are expected."
        )
    known = array[labels > 0]
    if not (known >= 0).all() or np.abs(known.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError(
            "`probabilities` must not be negative or NaN, and must sum to 1 for each "
            "measurement."
        )
    return array
