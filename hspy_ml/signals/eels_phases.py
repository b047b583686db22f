# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases of core-loss EELS: found in the counts of edges, told with the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .acquisition import technique_of
from .counted_image import ReadImage
from .data import real_numbers
from .known_phases import column_shares_of

if TYPE_CHECKING:
    from ..factorization.factorization import Factorization
    from ..quantification.edge_counts import EdgeCounts


@dataclass(frozen=True, eq=False)
class EdgeImage:
    """An image of which the background has been taken off.

    Parameters
    ----------
    read : ReadImage
        Counts of edges in the place of channels, see
        :mod:`hspy_ml.quantification.edge_counts`.
    edges : EdgeCounts
        How they came about.
    source : ReadImage
        The image as measured.
    """

    read: ReadImage
    edges: EdgeCounts
    source: ReadImage

    @classmethod
    def of(cls, source: ReadImage, num_workers: int | None = None) -> EdgeImage:
        """Fit every pixel, and keep the counts of its edges.

        Parameters
        ----------
        source : ReadImage
            The image as measured.
        num_workers : int, optional
            Threads.

        Returns
        -------
        EdgeImage

        Raises
        ------
        ValueError
            If no pixel has counts in any edge.
        """
        from ..counts.building import counts_from_array
        from ..quantification.edge_counts import edge_counts

        edges = edge_counts(
            source.image.counts, source.g_matrix, num_workers=num_workers
        )
        if not edges.values.any():
            raise ValueError(
                "The spectra of `s` are all background: nothing is seen of the edges "
                f"of {', '.join(source.g_matrix.elements)}. Check `elements`, and the "
                "energy axis."
            )
        read = replace(
            source,
            image=replace(source.image, counts=counts_from_array(edges.values)),
            g_matrix=edges.response,
            whole_g_matrix=edges.response,
            excluded_channels=np.zeros(edges.columns.size, dtype=bool),
        )
        return cls(read, edges, source)

    def shares_of(self, fixed_phases: Any, output_dimension: Any) -> np.ndarray | None:
        """Turn known phases into shares of the edges' columns.

        Parameters
        ----------
        fixed_phases, output_dimension
            As for :func:`hspy_ml.signals.known_phases.column_shares_of`.

        Returns
        -------
        ndarray, shape (n_edges, n_fixed), or None
        """
        if column_shares_of(fixed_phases, self.source, output_dimension) is None:
            return None
        phases = [self._edges_of(phase) for phase in fixed_phases]
        return column_shares_of(phases, self.read, output_dimension)

    def _edges_of(self, phase: Any) -> Any:
        if hasattr(phase, "keys"):
            return phase
        spectrum = real_numbers(phase, "fixed_phases").squeeze()
        used = spectrum[~self.source.excluded_channels]
        return self.edges.of_spectrum(used, self.source.g_matrix)

    def with_background(self, found: Factorization) -> Factorization:
        """Say of phases found in the edges what background they have.

        Parameters
        ----------
        found : Factorization
            Of :attr:`read`.

        Returns
        -------
        Factorization
            Of :attr:`source`.
        """
        pixels = self.source.image.pixels
        loadings = np.nan_to_num(
            found.abundances[pixels] * found.pixel_scale[pixels, None]
        )
        weights = self.edges.with_background(found.weights, loadings)
        covariance = found.weights_covariance
        if covariance is not None:
            shape = (found.n_phases, len(weights), len(weights))
            columns = self.edges.columns
            whole = np.zeros(shape)
            whole[:, columns[:, None], columns] = covariance
            covariance = whole
        return replace(found, weights=weights, weights_covariance=covariance)

    def spectra_and_loadings(
        self, weights: np.ndarray, loadings: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the model of the image is a product of.

        Parameters
        ----------
        weights : ndarray, shape (n_columns, n_phases)
            Of the phases.
        loadings : ndarray, shape (n_pixels, n_phases)
            What the pixels hold of the phases.

        Returns
        -------
        spectra : ndarray, shape (n_channels, n_parts)
            Edges of the phases, and the columns of the background.
        loadings : ndarray, shape (n_pixels, n_parts)
            Of these; the background is that of each pixel by itself.
        """
        columns, matrix = self.edges.columns, self.source.g_matrix.matrix
        edges = matrix[:, columns] @ weights[columns]
        background = np.delete(matrix, columns, axis=1)
        spectra = np.hstack([edges, background])
        return spectra, np.hstack([loadings, self.edges.background])


def edge_image(
    s: Any, read: ReadImage, num_workers: int | None = None
) -> EdgeImage | None:
    """Take the background off, if the signal is core-loss EELS with a background.

    Parameters
    ----------
    s : hyperspy.api.signals.BaseSignal
        The signal.
    read : ReadImage
        What was read from it.
    num_workers : int, optional
        Threads.

    Returns
    -------
    EdgeImage or None
        None for all other signals.
    """
    background = any(column.element is None for column in read.g_matrix.columns)
    if technique_of(s) != "EELS" or not background:
        return None
    return EdgeImage.of(read, num_workers)
