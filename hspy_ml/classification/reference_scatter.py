# SPDX-License-Identifier: GPL-3.0-or-later
r"""How far spots of one phase scatter beyond what counting explains.

The expected spectrum of a spot is :math:`N (q + \sum_r a_r v_r)` with few modes `v`,
each with a variance, and what is left of the errors of the reference itself, which is
alike in all directions. Counts of a spectrum then have the covariance

.. math:: \mathrm{Cov}(y) = N (1 + N \rho)\,\mathrm{diag}(q)
          + N^2 \sum_r \lambda_r v_r v_r^T.

The modes are spanned by what nearly every measurement has: relative variations that
change slowly along the spectrum, counted in units of its counts, so that peaks can vary
singly, and a shift and a broadening of all of it. How large they are is a prior; spots
of labelled spectra correct it as far as they tell, three of them a little, a hundred
entirely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..counts import Counts
from .count_sums import own_sums

__all__ = ["Scatter", "measured_scatter", "prior_scatter"]

N_WAVES = 10
RELATIVE = 0.025  # standard deviation of the slow variations together
SHIFT = 0.3  # channels
BROADENING = 0.15  # of the squared width over two, channels squared
SMOOTHING = 1.0  # channels, before derivatives are taken of a noisy reference
PRIOR_SPOTS = 4.0  # how many perfectly measured spots the prior is worth
LEAST_LEFT = 0.1  # of the prior's variance in any direction


@dataclass(frozen=True, eq=False)
class Scatter:
    """Scatter of the spots of each phase about its reference.

    Parameters
    ----------
    modes : ndarray, shape (n_phases, n_modes, n_channels)
        Changes of the shape: their sums are zero, and their scalar products, each
        channel divided by the reference, are one with themselves and zero with others.
    variances : ndarray, shape (n_phases, n_modes)
        Of the modes' amplitudes.
    equal : ndarray, shape (n_phases,)
        Variance that is the same in all directions.
    freedom : ndarray, shape (n_phases,)
        Degrees of freedom of the variances: few mean that they may well be larger.
    """

    modes: np.ndarray
    variances: np.ndarray
    equal: np.ndarray
    freedom: np.ndarray


def prior_scatter(
    shapes: np.ndarray, errors: np.ndarray, uncertainty: float = 1.0
) -> Scatter:
    """What is expected where nothing was measured.

    Parameters
    ----------
    shapes : ndarray, shape (n_phases, n_channels)
        References, which sum to one and are above zero.
    errors : ndarray, shape (n_phases,)
        Relative variance of their channels times the share of the counts.
    uncertainty : float, default 1
        How much more references may differ from spectra than spots do from each other.

    Returns
    -------
    Scatter
    """
    priors = [_prior(q) for q in shapes]
    found = [
        _main_axes(q, basis, uncertainty**2 * covariance)
        for q, (basis, covariance) in zip(shapes, priors, strict=True)
    ]
    freedom = np.full(shapes.shape[0], PRIOR_SPOTS)
    return _scatter(found, np.asarray(errors, float), freedom)


def measured_scatter(
    counts: Counts, which: np.ndarray, shapes: np.ndarray, errors: np.ndarray
) -> Scatter:
    r"""Correct the prior by the scatter of labelled spectra.

    Of amplitudes :math:`z` in units of the prior's standard deviation, each known up to
    a variance of :math:`1 / (N \lambda)`, the covariance is estimated with weights
    :math:`(N \lambda / (1 + N \lambda))^2`, the prior counting as four spots. The
    reference is the mean of `n` spots, which scatters too: :math:`1 + 1/n` times.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        Labelled spectra.
    which : ndarray of int, shape (n_spectra,)
        Phase of each from 0, -1 for none.
    shapes : ndarray, shape (n_phases, n_channels)
        References that were made of them.
    errors : ndarray, shape (n_phases,)
        As for `prior_scatter`.

    Returns
    -------
    Scatter
    """
    found, freedom = [], []
    for phase, q in enumerate(shapes):
        basis, variances = _prior(q)
        own = np.where((which == phase) & (counts.pixel_totals > 0), 0, -1)
        weights = np.ascontiguousarray((basis / q).T, np.float32)[None]
        amplitudes = own_sums(counts, weights, own)[own == 0].astype(float)
        totals = counts.pixel_totals[own == 0]
        covariance, n_spots = _corrected(amplitudes, totals, variances)
        of_mean = 1 + 1 / max(totals.size, 1)
        found.append(_main_axes(q, basis, of_mean * covariance))
        freedom.append(PRIOR_SPOTS + n_spots)
    return _scatter(found, np.asarray(errors, float), np.array(freedom))


def _scatter(
    found: list[tuple[np.ndarray, np.ndarray]], equal: np.ndarray, freedom: np.ndarray
) -> Scatter:
    modes = np.array([modes for modes, _ in found])
    variances = np.array([variances for _, variances in found])
    return Scatter(modes, variances, equal, freedom)


def _prior(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions, orthonormal in units of the counting error, and their covariance."""
    changes, deviations = _usual_changes(shape)
    root = np.sqrt(shape)
    basis, triangle = np.linalg.qr((changes / root).T)
    spread = triangle * deviations
    return basis.T * root, spread @ spread.T


def _usual_changes(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slow relative variations, shift and broadening; with standard deviations."""
    order = np.arange(1, N_WAVES + 1)
    middle = np.cumsum(shape) - shape / 2
    waves = np.sqrt(2) * shape * np.cos(np.pi * order[:, None] * middle)
    variances = RELATIVE**2 / order / (1 / order).sum()
    smooth = gaussian_filter1d(shape, SMOOTHING)
    slope = np.gradient(smooth)
    bend = np.gradient(slope)
    changes = np.vstack([waves, -slope, bend])
    changes -= changes.sum(axis=1, keepdims=True) * shape
    return changes, np.array([*np.sqrt(variances), SHIFT, BROADENING])


def _main_axes(
    shape: np.ndarray, basis: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    variances, axes = np.linalg.eigh(covariance)
    modes = axes.T @ basis
    modes -= modes.sum(axis=1, keepdims=True) * shape
    return modes[::-1], np.maximum(variances[::-1], 0)


def _corrected(
    amplitudes: np.ndarray, totals: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, float]:
    """Covariance of the amplitudes given spots; and how many spots they are worth."""
    n = totals.size
    if n < 2:
        return prior, 0.0
    values, axes = np.linalg.eigh(prior)
    values = np.maximum(values, 1e-12 * values.max())
    shapes = amplitudes / totals[:, None]
    mean = (totals[:, None] * shapes).sum(axis=0) / totals.sum()
    z = (shapes - mean) @ axes / np.sqrt(values) * np.sqrt(n / (n - 1))
    known = totals[:, None] * values
    weight = known / (1 + known)
    seen = np.einsum("ia,ib->ab", weight * z, weight * z)
    seen -= np.diag((weight**2 / known).sum(axis=0))
    worth = weight.T @ weight * (n - 1) / n
    seen *= (n - 1) / n
    scaled = (PRIOR_SPOTS * np.eye(values.size) + seen) / (PRIOR_SPOTS + worth)
    strength, turned = np.linalg.eigh(scaled)
    scaled = (turned * np.maximum(strength, LEAST_LEFT)) @ turned.T
    out = axes * np.sqrt(values)
    return out @ scaled @ out.T, float(np.median(np.diag(worth)))
