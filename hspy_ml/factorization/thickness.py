# SPDX-License-Identifier: GPL-3.0-or-later
"""From shares of the counts to abundances: how brightly each phase shines.

Shares of the counts are not yet abundances: a phase that emits twice the photons
of another fills two thirds of the spectrum with half of the pixel. With ``s_k``
the counts of a pixel full of phase k, a pixel of abundances h and relative mass
thickness t holds ``t sum_k s_k h_k`` counts.

Where dose and mass thickness are the same in all pixels, the totals tell the
``s_k``. Where they are not, the physics does: columns of G are photons per unit
of mass (or per atom), so that abundances become fractions of the mass (of the
atoms) in the pixel, and t is what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hspy_ml.physics.fractions import reference_columns

if TYPE_CHECKING:
    from hspy_ml.physics.gmatrix import GMatrix

MASS_THICKNESS = ("auto", "constant", "free")

_NEWTON_STEPS = 50
_RIDGE = 1e-3
_LEAST_SCATTER = 0.05
_LEAST_AMOUNT = 1e-6


@dataclass(frozen=True, eq=False)
class Brightness:
    """Counts of a pixel full of each phase.

    Parameters
    ----------
    counts : ndarray, shape (n_phases,)
        s, counts per pixel of unit mass thickness.
    constant : bool
        Whether all pixels have the same mass thickness.
    """

    counts: np.ndarray
    constant: bool


def brightness_from_totals(shares: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Brightness of the phases if all pixels are equally thick.

    The total of a pixel is Poisson with mean ``1 / sum_k pi_k u_k``, ``u_k = 1 /
    s_k``; its likelihood is maximised over the logarithms of u by Fisher
    scoring, with a weak pull towards equal brightness that decides for phases
    of which the totals say nothing.

    Parameters
    ----------
    shares : ndarray, shape (n_pixels, n_phases)
        Shares of the counts.
    totals : ndarray, shape (n_pixels,)
        Counts of the pixels.

    Returns
    -------
    ndarray, shape (n_phases,)
        s, in counts.
    """
    n_phases = shares.shape[1]
    middle = -np.log(totals.mean())
    log_u = np.full(n_phases, middle)
    pull = _RIDGE * totals.sum() / n_phases * np.eye(n_phases)
    for _ in range(_NEWTON_STEPS):
        parts = shares * np.exp(log_u)
        mean = 1.0 / parts.sum(axis=1)
        slope = parts * mean[:, None]
        gradient = slope.T @ (mean - totals) - pull @ (log_u - middle)
        step = np.linalg.solve((slope * mean[:, None]).T @ slope + pull, gradient)
        log_u = log_u + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-10:
            break
    return np.exp(-log_u)


def brightness_from_physics(column_shares: np.ndarray, g_matrix: GMatrix) -> np.ndarray:
    """Counts per unit of mass (or per atom) of each phase.

    Parameters
    ----------
    column_shares : ndarray, shape (n_columns, n_phases)
        Shares of a phase's counts that each column gives.
    g_matrix : GMatrix
        The G-matrix.

    Returns
    -------
    ndarray, shape (n_phases,)
        Counts per unit of what the columns count, over all channels used.
    """
    totals = g_matrix.matrix.sum(axis=0)
    reference = list(reference_columns(g_matrix).values())
    amounts = (column_shares / totals[:, None])[reference].sum(axis=0)
    # A phase that is all continuum holds no element whose mass could be told.
    return 1.0 / np.maximum(amounts, _LEAST_AMOUNT / totals.mean())


def is_constant(shares: np.ndarray, totals: np.ndarray, brightness: np.ndarray) -> bool:
    """Tell whether totals scatter no more than Poisson counts do.

    Parameters
    ----------
    shares : ndarray, shape (n_groups, n_phases)
        Shares of the counts, of pixels or of blocks of pixels.
    totals : ndarray, shape (n_groups,)
        Their counts.
    brightness : ndarray, shape (n_groups, n_phases) or (n_phases,)
        Counts that each would have if it were full of a phase.

    Returns
    -------
    bool
        True if Pearson's chi-square of the totals is within five standard
        deviations of its mean, or the excess scatter is under five percent.
    """
    mean = 1.0 / (shares / brightness).sum(axis=1)
    dispersion = ((totals - mean) ** 2 / mean).mean()
    chance = 5 * np.sqrt(2.0 / len(totals))
    excess_scatter = (dispersion - 1) / mean.mean()
    return bool(dispersion < 1 + chance or excess_scatter < _LEAST_SCATTER**2)


@dataclass(frozen=True, eq=False)
class Totals:
    """Counts of groups of pixels and how they are shared.

    Parameters
    ----------
    shares : ndarray, shape (n_groups, n_phases)
        Shares of the counts.
    counts : ndarray, shape (n_groups,)
        Counts.
    n_pixels : ndarray, shape (n_groups,)
        Pixels in each.
    """

    shares: np.ndarray
    counts: np.ndarray
    n_pixels: np.ndarray


def find_brightness(
    blocks: Totals,
    pixels: Totals,
    column_shares: np.ndarray,
    g_matrix: GMatrix,
    mass_thickness: str,
) -> Brightness:
    """Find how brightly each phase shines.

    Parameters
    ----------
    blocks : Totals
        Of blocks of pixels, whose shares are well known.
    pixels : Totals
        Of the pixels themselves, among which holes show.
    column_shares : ndarray, shape (n_columns, n_phases)
        Shares of a phase's counts that each column gives.
    g_matrix : GMatrix
        The G-matrix.
    mass_thickness : {"auto", "constant", "free"}
        Whether all pixels are equally thick; "auto" asks the totals.

    Returns
    -------
    Brightness
        Scaled so that the mean mass thickness of the pixels is one.
    """
    if mass_thickness != "free":
        brightness = brightness_from_totals(
            blocks.shares, blocks.counts / blocks.n_pixels
        )
        if mass_thickness == "constant" or all(
            is_constant(t.shares, t.counts, brightness * t.n_pixels[:, None])
            for t in (blocks, pixels)
        ):
            return Brightness(brightness, True)
    physical = brightness_from_physics(column_shares, g_matrix)
    thickness = (pixels.counts[:, None] * pixels.shares / physical).sum(axis=1).mean()
    return Brightness(physical * thickness, False)
