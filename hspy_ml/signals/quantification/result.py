# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ml_quantify` found: a list of composition maps, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frame import SignalFrame

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

    from ...physics.gmatrix import GMatrix

_PERCENT = {"atomic": "at.%", "weight": "wt.%"}


@dataclass(frozen=True, eq=False)
class QuantificationArrays:
    """The numbers of a quantification; pixels in the order of the array.

    Parameters
    ----------
    composition, errors : ndarray, shape (n_pixels, n_elements)
        Percent; NaN in pixels that are masked or empty.
    total, total_errors : ndarray, shape (n_pixels,)
        Sum of the elements before normalisation, in the unit of
        `QuantificationResult.total_kind`.
    goodness : ndarray, shape (n_pixels,)
        Standardised deviance.
    counts : ndarray, shape (n_pixels,)
        Counts that were fitted.
    converged : ndarray of bool, shape (n_pixels,)
    observed, fitted : ndarray, shape (n_channels,)
        Sum over the pixels of counts and fit; NaN in channels that were not fitted.
    """

    composition: np.ndarray
    errors: np.ndarray
    total: np.ndarray
    total_errors: np.ndarray
    goodness: np.ndarray
    counts: np.ndarray
    converged: np.ndarray
    observed: np.ndarray
    fitted: np.ndarray


@dataclass(frozen=True)
class Summary:
    """Settings, and what was found on the way, as plain values.

    Parameters
    ----------
    composition_units : {"atomic", "weight"}
    total_kind : str
        What the total is: "Analytical total (%)", "Mass thickness (g/cm2)" and so on.
    settings : dict
        Of the call.
    energy_scale : dict, optional
        Offset (eV), gain and resolution (eV) that were refined, with errors.
    notes : tuple of str
        What a reader of the numbers has to know.
    """

    composition_units: str
    total_kind: str
    settings: dict[str, Any]
    energy_scale: dict[str, float] | None = None
    notes: tuple[str, ...] = field(default=())


class ElementSignals(list):
    """A list of signals, one for each element, that symbols index too.

    Parameters
    ----------
    elements : sequence of str
        Symbols, in the order of the list.
    signals : sequence of hyperspy.api.signals.BaseSignal

    Examples
    --------
    >>> result["Fe"].plot()  # doctest: +SKIP
    """

    def __init__(self, elements: Sequence[str], signals: Sequence[Any]) -> None:
        self.elements = tuple(elements)
        super().__init__(signals)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, str):
            return super().__getitem__(index)
        if index not in self.elements:
            raise KeyError(f"{index!r} is not among the elements, {self.elements}.")
        return super().__getitem__(self.elements.index(index))

    def __reduce__(self) -> tuple:
        return ElementSignals, (self.elements, list(self))


class QuantificationResult(ElementSignals):
    """Composition of every pixel: a list of signals, one for each element.

    It is a list, as HyperSpy users know it from ``s.quantification``:
    ``hs.plot.plot_images(result)`` works; ``result["Fe"]`` is the signal of iron.
    Percentages of each pixel sum to 100.

    Parameters
    ----------
    frame : SignalFrame
        Axes and metadata of the signal.
    elements : sequence of str
        Symbols, in the order of the list.
    arrays : QuantificationArrays
    summary : Summary
    g_matrix : GMatrix
        The response that was fitted, for the mean composition.
    """

    def __init__(
        self,
        frame: SignalFrame,
        elements: Sequence[str],
        arrays: QuantificationArrays,
        summary: Summary,
        g_matrix: GMatrix,
    ) -> None:
        self.frame = frame
        self.arrays = arrays
        self.summary = summary
        self.g_matrix = g_matrix
        title = "{units} percent of {element}"
        maps = self._maps(elements, arrays.composition, title)
        super().__init__(elements, maps)

    @cached_property
    def standard_errors(self) -> ElementSignals:
        """Standard errors of the percentages, one signal for each element.

        From the counts (Fisher information) and those of the standards; what the
        physics does not know is not in them.
        """
        title = "{units} percent of {element} (standard error)"
        maps = self._maps(self.elements, self.arrays.errors, title)
        return ElementSignals(self.elements, maps)

    @cached_property
    def total(self) -> Any:
        """What the elements sum to before normalisation; the title says of what.

        The analytical total of a bulk, the mass thickness of a film or the atoms per
        area of EELS, in absolute units if the dose is known and else relative to the
        mean.
        """
        return self.frame.map(self.arrays.total, self.summary.total_kind)

    @cached_property
    def total_errors(self) -> Any:
        """Standard errors of `total`."""
        title = f"{self.summary.total_kind} (standard error)"
        return self.frame.map(self.arrays.total_errors, title)

    @property
    def mass_thickness(self) -> Any:
        """Mass thickness of a film: `total`.

        Raises
        ------
        AttributeError
            If the specimen is no film, or the technique no EDS.
        """
        if "thickness" not in self.summary.total_kind:
            raise AttributeError(
                "`mass_thickness` is for films measured by EDS; here `total` is the "
                f"{self.summary.total_kind[0].lower()}{self.summary.total_kind[1:]}."
            )
        return self.total

    @cached_property
    def goodness_of_fit(self) -> Any:
        """Deviance in standard deviations from what the counts let expect.

        About normal, with mean 0 and variance 1, where the elements explain the
        spectrum; large where something else is there, or where many counts show the
        limits of the model.
        """
        return self.frame.map(self.arrays.goodness, "Goodness of fit (deviance)")

    @cached_property
    def unexplained(self) -> Any:
        """Probability of a spectrum as odd as this one, if nothing else is there.

        Small where the elements named do not explain the spectrum: holes with spurious
        peaks, contamination, elements that nobody named. From `goodness_of_fit`.
        """
        from scipy.stats import norm

        title = "Probability of a spectrum as odd as this"
        return self.frame.map(norm.sf(self.arrays.goodness), title)

    @cached_property
    def flagged(self) -> Any:
        """Pixels whose spectra the elements named do not explain.

        One in a hundred is flagged by chance.
        """
        from ...quantification.network_quantify import flagged

        return self.frame.map(flagged(self.arrays.goodness), "Flagged")

    @cached_property
    def counts(self) -> Any:
        """Counts of each pixel that were fitted."""
        return self.frame.map(self.arrays.counts, "Counts fitted")

    @cached_property
    def converged(self) -> Any:
        """Whether fit and composition of a pixel came to an end."""
        return self.frame.map(self.arrays.converged, "Converged")

    @cached_property
    def fitted_spectrum(self) -> Any:
        """The fit, summed over the pixels; NaN in channels that were not fitted."""
        return self.frame.spectrum(self.arrays.fitted, "Fit")

    @property
    def energy_scale(self) -> dict[str, float] | None:
        """Offset (eV), gain and resolution (eV) as refined; None if they were not."""
        return self.summary.energy_scale

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers has to know."""
        return self.summary.notes

    def with_note(self, note: str) -> QuantificationResult:
        """The same result with one more note, the first.

        Parameters
        ----------
        note : str

        Returns
        -------
        QuantificationResult
        """
        summary = replace(self.summary, notes=(note, *self.summary.notes))
        return QuantificationResult(
            self.frame, self.elements, self.arrays, summary, self.g_matrix
        )

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that made the result."""
        return self.summary.settings

    def table(self) -> str:
        """Composition of the specimen as text.

        Returns
        -------
        str
            For a single spectrum percentages and standard errors; for a map the mean
            over the pixels, weighted by their counts, and the scatter between them.
        """
        from .table import table

        return table(self)

    def plot(self, beside: QuantificationResult | None = None, **kwargs: Any) -> Figure:
        """Draw maps and errors, or for a single spectrum the fit and the composition.

        Parameters
        ----------
        beside : QuantificationResult, optional
            Of the same signal by another method, to be drawn in the same figure.
        **kwargs
            Given to ``matplotlib.pyplot.figure``.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from .plot import plot
        from .plot_beside import plot_beside

        if beside is not None:
            return plot_beside(self, beside, kwargs)
        return plot(self, **kwargs)

    def save(self, path: str | PathLike[str], overwrite: bool | None = None) -> None:
        """Save as a HyperSpy file; ``hspy_ml.load_result(path)`` loads it.

        Parameters
        ----------
        path : str or path
            Ends in ".hspy" or ".zspy".
        overwrite : bool, optional
            Whether to replace a file; by default HyperSpy asks.
        """
        from .io import save_quantification

        save_quantification(self, path, overwrite)

    def _maps(
        self, elements: Sequence[str], values: np.ndarray, title: str
    ) -> list[Any]:
        units = self.summary.composition_units
        return [
            self.frame.map(
                values[:, index],
                title.format(units=units.capitalize(), element=element),
                element,
            )
            for index, element in enumerate(elements)
        ]

    @property
    def unit(self) -> str:
        """ "at.%" or "wt.%"."""
        return _PERCENT[self.summary.composition_units]

    def __repr__(self) -> str:
        return self.table()

    def __reduce__(self) -> tuple:
        parts = (self.frame, self.elements, self.arrays, self.summary, self.g_matrix)
        return type(self), parts
