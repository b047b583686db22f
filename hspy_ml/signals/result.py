# SPDX-License-Identifier: GPL-3.0-or-later
"""What `physics_nmf` found, as HyperSpy signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .frame import SignalFrame
from .result_composition import Compositions
from .result_shapes import check_shapes

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

    from ..factorization.factorization import Factorization
    from ..physics.gmatrix import GMatrix


@dataclass(frozen=True, eq=False, repr=False)
class PhysicsNMFResult:
    """Phases of a spectrum image: where they are and what they are made of.

    The counts of pixel p are taken as Poisson with the mean ``scale_p G W h_p``.
    Phases have the index 0, 1, ... on a navigation axis "Phase".

    Parameters
    ----------
    frame : SignalFrame
        Axes and metadata of the signal.
    factorization : Factorization
        W, H and the scale of each pixel.
    g_matrix : GMatrix
        G.
    navigation_mask : ndarray of bool, shape (n_pixels,), optional
        Pixels that were excluded.
    signal_mask : ndarray of bool, shape (n_channels,), optional
        Channels that were excluded.
    weights_covariance : ndarray, shape (n_phases, n_columns, n_columns), optional
        Covariance of the weights of each phase.
    abundance_covariance : ndarray, shape (n_pixels, n_phases, n_phases), optional
        Covariance of the abundances of each pixel.
    pixel_deviance : ndarray, shape (n_pixels,), optional
        Poisson deviance of each pixel.
    channel_deviance : ndarray, shape (n_channels,), optional
        Poisson deviance of each channel.
    """

    frame: SignalFrame
    factorization: Factorization
    g_matrix: GMatrix
    navigation_mask: np.ndarray | None = None
    signal_mask: np.ndarray | None = None
    weights_covariance: np.ndarray | None = None
    abundance_covariance: np.ndarray | None = None
    pixel_deviance: np.ndarray | None = None
    channel_deviance: np.ndarray | None = None

    @classmethod
    def from_factorization(
        cls, s: Any, factorization: Factorization, g_matrix: GMatrix, **arrays: Any
    ) -> PhysicsNMFResult:
        """Make the result of a signal.

        Parameters
        ----------
        s : hyperspy.api.signals.Signal1D
            The signal; only its axes and metadata are read.
        factorization : Factorization
            What the solver found.
        g_matrix : GMatrix
            What it was given.
        **arrays
            The other parameters of the class, by name.

        Returns
        -------
        PhysicsNMFResult

        Raises
        ------
        ValueError
            If the shapes do not fit each other.
        """
        return cls(SignalFrame.from_signal(s), factorization, g_matrix, **arrays)

    def __post_init__(self) -> None:
        check_shapes(self)

    # --- numbers -------------------------------------------------------------

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return self.factorization.n_phases

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols, in the order of the concentrations."""
        return self.g_matrix.elements

    @property
    def loss(self) -> np.ndarray:
        """Penalised negative log-likelihood per count, along the iterations."""
        return self.factorization.loss

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that made the result."""
        return self.factorization.settings

    @cached_property
    def area_fractions(self) -> np.ndarray:
        """Mean abundance of each phase in the pixels used, shape (n_phases,)."""
        used = np.isfinite(self.factorization.abundances).all(axis=1)
        return self.factorization.abundances[used].mean(axis=0)

    # --- maps and spectra ----------------------------------------------------

    @cached_property
    def abundances(self) -> Any:
        """How much of each phase a pixel holds: maps that sum to one.

        NaN where a pixel is excluded or empty.
        """
        return self.frame.phase_maps(self.factorization.abundances, "Abundances")

    @cached_property
    def abundance_errors(self) -> Any:
        """Standard errors of the abundances, or None if not computed."""
        if self.abundance_covariance is None:
            return None
        errors = np.sqrt(np.diagonal(self.abundance_covariance, axis1=1, axis2=2))
        errors = np.where(np.isnan(self.factorization.abundances), np.nan, errors)
        return self.frame.phase_maps(errors, "Abundances (uncertainty)")

    @cached_property
    def spectra(self) -> Any:
        """Counts per pixel of each phase, with the continuum.

        For a pixel of mean mass thickness that is filled by the phase.
        """
        columns = [True] * len(self.g_matrix.columns)
        return self._part(columns, "Phase spectra", self.elements)

    @cached_property
    def element_spectra(self) -> dict[str, Any]:
        """Counts per pixel of each phase that come from one element, by symbol."""
        return {
            element: self._part(
                [c.element == element for c in self.g_matrix.columns],
                f"{element} in phase spectra",
                [element],
            )
            for element in self.elements
        }

    @cached_property
    def continuum(self) -> Any:
        """Counts per pixel of each phase that come from no element."""
        columns = [c.kind != "element" for c in self.g_matrix.columns]
        return self._part(columns, "Continuum of phase spectra", self.elements)

    @cached_property
    def deviance_map(self) -> Any:
        """Poisson deviance of each pixel, or None if not computed."""
        if self.pixel_deviance is None:
            return None
        return self.frame.map(self.pixel_deviance, "Deviance per pixel")

    @cached_property
    def deviance_spectrum(self) -> Any:
        """Poisson deviance of each channel, or None if not computed."""
        if self.channel_deviance is None:
            return None
        return self.frame.spectrum(self.channel_deviance, "Deviance per channel")

    # --- compositions --------------------------------------------------------

    @cached_property
    def concentrations(self) -> list[Any]:
        """Atomic percent of each element in each phase."""
        return self.get_concentrations("atomic")

    @cached_property
    def concentration_errors(self) -> list[Any] | None:
        """Standard errors of the concentrations, or None if not computed."""
        return self.get_concentration_errors("atomic")

    @cached_property
    def elemental_maps(self) -> list[Any]:
        """Atomic percent of each element in each pixel."""
        return self.get_elemental_maps("atomic")

    @cached_property
    def elemental_map_errors(self) -> list[Any] | None:
        """Standard errors of the elemental maps, or None if not computed."""
        return self.get_elemental_map_errors("atomic")

    def get_concentrations(self, composition_units: str = "atomic") -> list[Any]:
        """Return the composition of the phases.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        list of BaseSignal
            One for each element, with the navigation axis "Phase".
        """
        values = self._compositions.phases(composition_units)
        return self._by_element(self.frame.phase_quantity, values, composition_units)

    def get_concentration_errors(
        self, composition_units: str = "atomic"
    ) -> list[Any] | None:
        """Return the standard errors of the composition of the phases.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        list of BaseSignal or None
            One for each element, with the navigation axis "Phase"; None if there
            is no ``weights_covariance``.
        """
        values = self._compositions.phase_errors(composition_units)
        return self._errors_by_element(
            self.frame.phase_quantity, values, composition_units
        )

    def get_elemental_maps(self, composition_units: str = "atomic") -> list[Any]:
        """Return the composition of the pixels.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        list of BaseSignal
            One for each element, with the map as navigation space; NaN where a
            pixel is excluded or empty.
        """
        values = self._compositions.pixels(composition_units)
        return self._by_element(self.frame.map, values, composition_units)

    def get_elemental_map_errors(
        self, composition_units: str = "atomic"
    ) -> list[Any] | None:
        """Return the standard errors of the composition of the pixels.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}
            Atomic or weight percent.

        Returns
        -------
        list of BaseSignal or None
            One for each element, with the map as navigation space; None without
            ``weights_covariance`` or ``abundance_covariance``.
        """
        values = self._compositions.pixel_errors(composition_units)
        return self._errors_by_element(self.frame.map, values, composition_units)

    # --- to look at and to keep ----------------------------------------------

    def plot(self) -> Figure:
        """Draw each phase: its map, its spectrum and its composition.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from .result_plot import plot_result

        return plot_result(self)

    def save(self, path: str | PathLike[str], overwrite: bool | None = None) -> None:
        """Save to a file that :func:`hspy_ml.signals.result_io.load_result` reads.

        HyperSpy opens it too, as the abundances.

        Parameters
        ----------
        path : str or path
            Ends in ".hspy" or ".zspy".
        overwrite : bool, optional
            Whether to replace a file; by default HyperSpy asks.

        Raises
        ------
        ValueError
            If the path ends in something else.
        """
        from .result_io import save_result

        save_result(self, path, overwrite)

    def __repr__(self) -> str:
        from .result_table import result_table

        return result_table(self)

    # --- details -------------------------------------------------------------

    @cached_property
    def _compositions(self) -> Compositions:
        return Compositions(
            self.factorization,
            self.g_matrix,
            self.weights_covariance,
            self.abundance_covariance,
        )

    def _part(self, columns: list[bool], title: str, elements: Sequence[str]) -> Any:
        weights = self.factorization.weights[columns]
        counts = self.g_matrix.matrix[:, columns] @ weights
        return self.frame.phase_spectra(counts, title, elements)

    def _by_element(
        self, make: Callable, values: np.ndarray, units: str, ending: str = ""
    ) -> list[Any]:
        return [
            make(column, f"{units} percent of {element}{ending}", element)
            for column, element in zip(values.T, self.elements, strict=True)
        ]

    def _errors_by_element(
        self, make: Callable, values: np.ndarray | None, units: str
    ) -> list[Any] | None:
        if values is None:
            return None
        return self._by_element(make, values, units, " (uncertainty)")
