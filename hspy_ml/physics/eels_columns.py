# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of elements in EELS: continuum edges, and what may lie on their onsets."""

from __future__ import annotations

from os import PathLike

import numpy as np

from .acquisition import Acquisition
from .edges import Edge, edge_cross_section
from .low_loss import LowLoss

__all__ = ["NM2_PER_BARN", "edge_column", "white_line_centres", "white_line_columns"]

NM2_PER_BARN = 1e-10

WHITE_LINE_STEP_EV = 2.0
WHITE_LINE_SIGMA_EV = 1.0
_BEFORE_EV, _AFTER_EV = 8.0, 40.0


def edge_column(
    edge: Edge,
    acquisition: Acquisition,
    gos: str | PathLike[str],
    low_loss: LowLoss | None = None,
) -> np.ndarray:
    """Counts per electron and per atom in a nm2, of an edge.

    Parameters
    ----------
    edge : Edge
        The edge.
    acquisition : Acquisition
        Energy axis in eV, beam energy, angles.
    gos : str or path
        See :func:`~hspy_ml.physics.edges.edge_cross_section`.
    low_loss : LowLoss, optional
        What the edge is convolved with.

    Returns
    -------
    ndarray, shape (n_channels,)
        nm2: cross section per eV times the width of a channel.
    """
    width = acquisition.channel_width
    energy = _with_margins(acquisition, low_loss)
    section = edge_cross_section(edge, energy, acquisition, gos)
    return _spread(section, width, low_loss) * width * NM2_PER_BARN


def white_line_centres(edge: Edge) -> np.ndarray:
    """Energies of the bumps that stand for what a continuum edge lacks.

    Parameters
    ----------
    edge : Edge
        The edge.

    Returns
    -------
    ndarray
        eV, in steps of 2 eV from 8 eV before to 40 eV after the onset; likewise of
        other major subshells that lie further away.
    """
    steps = np.arange(-_BEFORE_EV, _AFTER_EV + 0.1, WHITE_LINE_STEP_EV)
    centres = edge.onset_eV + steps
    for onset in edge.sharp_onsets_eV[1:]:
        more = onset + steps
        centres = np.append(centres, more[more > centres[-1] + WHITE_LINE_STEP_EV / 2])
    return centres


def white_line_columns(
    centres_eV: np.ndarray, acquisition: Acquisition, low_loss: LowLoss | None = None
) -> np.ndarray:
    """Gaussian bumps, each of which sums to one before it is convolved.

    Parameters
    ----------
    centres_eV : ndarray, shape (n_columns,)
        See :func:`white_line_centres`.
    acquisition : Acquisition
        Energy axis in eV.
    low_loss : LowLoss, optional
        What the bumps are convolved with.

    Returns
    -------
    ndarray, shape (n_channels, n_columns)
    """
    from scipy.special import ndtr

    width = acquisition.channel_width
    energy = _with_margins(acquisition, low_loss)
    borders = np.append(energy - width / 2, energy[-1] + width / 2)
    sigma = max(WHITE_LINE_SIGMA_EV, width)
    bumps = np.diff(ndtr((borders[:, None] - centres_eV) / sigma), axis=0)
    return np.column_stack([_spread(bump, width, low_loss) for bump in bumps.T])


def _with_margins(acquisition: Acquisition, low_loss: LowLoss | None) -> np.ndarray:
    energy, width = acquisition.energy, acquisition.channel_width
    before, after = low_loss.margins(width) if low_loss else (0, 0)
    return energy[0] + width * np.arange(-before, energy.size + after)


def _spread(spectrum: np.ndarray, width: float, low_loss: LowLoss | None) -> np.ndarray:
    """Convolve, if there is something to convolve with; noise may not go below zero."""
    if low_loss is None:
        return spectrum
    return low_loss.convolve(spectrum, width).clip(0)
