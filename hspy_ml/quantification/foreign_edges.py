# SPDX-License-Identifier: GPL-3.0-or-later
"""Core-loss edges of elements that nobody named, as a spectrum would show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..physics.composition import symbol
from ..physics.edges_exspy import HYDROGENIC
from ..physics.eels_columns import edge_column
from ..physics.eels_window import edges_inside
from ..physics.gmatrix import GMatrix
from ..physics.low_loss import LowLoss

if TYPE_CHECKING:
    from ..simulation.channel_bins import ChannelBins

__all__ = ["foreign_edges"]

LIGHTEST, HEAVIEST = 3, 92
LEAST_OF_ITS_OWN = 0.05  # of an edge's information, beside the columns of G


def foreign_edges(
    g_matrix: GMatrix,
    reference: np.ndarray,
    bins: ChannelBins,
    low_loss: LowLoss | None = None,
) -> np.ndarray:
    r"""Edges of all elements that are not named, less what the named ones can be.

    A spectrum with an edge that nobody named is explained in part by edges and
    background that are there. What is left is the edge `f` less its projection on the
    columns of G, with the weights of counts at a reference spectrum `m`:

    .. math:: \sum_e f^\perp_e G_{ek} / m_e = 0 \quad \text{for all } k

    so that small errors of the amounts of the named ones do not look like it.

    Parameters
    ----------
    g_matrix : GMatrix
        Of the elements that are named, with the background.
    reference : ndarray, shape (n_bins,)
        A spectrum of them.
    bins : ChannelBins
    low_loss : LowLoss, optional
        What edges are convolved with.

    Returns
    -------
    ndarray, shape (n_foreign, n_bins)
        Without the edges that the columns of G explain; each is the difference of two
        spectra, of one count before the projection.

    References
    ----------
    J. Neyman, in Probability and Statistics, ed. U. Grenander (1959) 213: tests with
    other parameters unknown.
    """
    edges = _edges(g_matrix, bins, low_loss)
    seen = reference > 0
    weight = np.zeros_like(reference)
    weight[seen] = 1 / np.sqrt(reference[seen])
    own, others = edges * weight, bins.summed(g_matrix.matrix.T) * weight
    projected = own - own @ np.linalg.pinv(others) @ others
    share = (projected**2).sum(axis=1) / np.maximum((own**2).sum(axis=1), 1e-300)
    left = np.where(seen, projected / np.where(seen, weight, 1), 0.0)
    return left[share > LEAST_OF_ITS_OWN]


def _edges(
    g_matrix: GMatrix, bins: ChannelBins, low_loss: LowLoss | None
) -> np.ndarray:
    """One spectrum for each element with edges in the window, of one count."""
    acquisition = g_matrix.acquisition
    energy = acquisition.energy[bins.used_channels]
    spectra = []
    for element in map(symbol, range(LIGHTEST, HEAVIEST + 1)):
        if element in g_matrix.elements:
            continue
        whole = np.zeros(acquisition.energy.size)
        for edge in edges_inside(element, energy[0], energy[-1]):
            whole += edge_column(edge, acquisition, HYDROGENIC, low_loss)
        spectra.append(bins.summed(whole))
    spectra = [s / s.sum() for s in spectra if s.sum() > 0]
    return np.array(spectra).reshape(-1, bins.n_bins)
