# SPDX-License-Identifier: GPL-3.0-or-later
"""What `classify_phases` found: a map of phases, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classification.classified import NO_PHASE, Classified
from ..frame import SignalFrame

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.figure import Figure

    from ...classification.area_fractions import AreaFractions

__all__ = ["ClassificationResult", "PhaseArrays"]


@dataclass(frozen=True, eq=False)
class PhaseArrays:
    """The numbers of a classification; pixels in the order of the array.

    Parameters
    ----------
    probabilities : ndarray, shape (n_pixels, n_phases)
        NaN in pixels that are masked or empty.
    oddness, threshold : ndarray, shape (n_pixels,)
        How little a spectrum looks like those that are known, and above what it is
        none of them; NaN in pixels that are masked or empty.
    counts : ndarray, shape (n_pixels,)
        Counts of each pixel in the channels that were looked at.
    mean_spectra : ndarray, shape (n_phases + 1, n_channels)
        Of the pixels without a phase, and of those of each phase; zero where there is
        no such pixel.
    """

    probabilities: np.ndarray
    oddness: np.ndarray
    threshold: np.ndarray
    counts: np.ndarray
    mean_spectra: np.ndarray


@dataclass(frozen=True, eq=False)
class ClassificationResult:
    """Phases of the pixels of a spectrum image.

    Parameters
    ----------
    frame : SignalFrame
        Axes and metadata of the signal.
    names : tuple of str
        The phases; the first has the label 1.
    arrays : PhaseArrays
    settings : dict
        Of the call, as plain values.
    notes : tuple of str
        What a reader of the map has to know.
    """

    frame: SignalFrame
    names: tuple[str, ...]
    arrays: PhaseArrays
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_phases(self) -> int:
        """Number of phases that are known."""
        return len(self.names)

    @cached_property
    def is_classified(self) -> np.ndarray:
        """Which pixels were neither masked nor empty, shape (n_pixels,)."""
        return np.isfinite(self.arrays.oddness)

    @cached_property
    def label_array(self) -> np.ndarray:
        """Label of each pixel, shape (n_pixels,): 0 for none, 1 for the first phase."""
        arrays = self.arrays
        known = np.zeros(self.frame.n_pixels, dtype=bool)
        seen = self.is_classified
        known[seen] = arrays.oddness[seen] <= arrays.threshold[seen]
        labels = np.full(known.size, NO_PHASE, dtype=np.int16)
        labels[known] = arrays.probabilities[known].argmax(axis=1) + 1
        return labels

    @cached_property
    def labels(self) -> Any:
        """Map of labels: 1 for the first of `names`, 0 for no phase that is known."""
        signal = self.frame.map(self.label_array, "Phases")
        signal.metadata.set_item("Phases.names", list(self.names))
        return signal

    @cached_property
    def likeliest(self) -> Any:
        """Map of the likeliest phase of each pixel, known or not; 0 where masked."""
        best = np.full(self.frame.n_pixels, NO_PHASE, dtype=np.int16)
        seen = self.is_classified
        best[seen] = self.arrays.probabilities[seen].argmax(axis=1) + 1
        signal = self.frame.map(best, "Likeliest phases")
        signal.metadata.set_item("Phases.names", list(self.names))
        return signal

    @cached_property
    def probabilities(self) -> Any:
        """Probability of each phase in each pixel, if it is one of them."""
        return self.frame.phase_maps(self.arrays.probabilities, "Probabilities")

    @cached_property
    def confidence(self) -> Any:
        """Probability of the likeliest phase in each pixel."""
        best = np.full(self.frame.n_pixels, np.nan)
        seen = self.is_classified
        best[seen] = self.arrays.probabilities[seen].max(axis=1)
        return self.frame.map(best, "Confidence")

    @cached_property
    def oddness(self) -> Any:
        """How little each spectrum looks like those that are known."""
        return self.frame.map(self.arrays.oddness, "Oddness")

    @cached_property
    def unknown(self) -> Any:
        """Pixels whose spectra are of no phase that is known; False where masked."""
        odd = self.is_classified & (self.label_array == NO_PHASE)
        return self.frame.map(odd, "Unknown")

    @cached_property
    def mean_spectra(self) -> Any:
        """Mean spectrum of the pixels of each phase, in the order of `names`."""
        return self.frame.phase_spectra(self.arrays.mean_spectra[1:].T, "Mean spectra")

    @cached_property
    def mean_unknown_spectrum(self) -> Any:
        """Mean spectrum of the pixels of no phase, without those that are masked."""
        return self.frame.spectrum(self.arrays.mean_spectra[0], "Mean unknown spectrum")

    @cached_property
    def area_fractions(self) -> AreaFractions:
        """Shares of the area that the phases cover, with intervals; and of none."""
        from ...classification.area_fractions import area_fractions

        seen = self.is_classified
        return area_fractions(self.classified(seen))

    def classified(self, pixels: np.ndarray) -> Classified:
        """What the classifier said of some pixels.

        Parameters
        ----------
        pixels : ndarray of bool, shape (n_pixels,)

        Returns
        -------
        Classified
        """
        arrays = self.arrays
        return Classified(
            self.names,
            arrays.probabilities[pixels],
            arrays.oddness[pixels],
            arrays.threshold[pixels],
        )

    def mask_of(self, name: str) -> Any:
        """The pixels that are not of a phase, as a `navigation_mask` for it alone.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        hyperspy.api.signals.BaseSignal
            True where the label is another one.

        Raises
        ------
        ValueError
            If there is no such phase.

        Examples
        --------
        >>> s.ml_quantify(navigation_mask=result.mask_of("olivine"))  # doctest: +SKIP
        """
        if name not in self.names:
            raise ValueError(
                f"`name` is {name!r}; the phases are {', '.join(self.names)}."
            )
        others = self.label_array != self.names.index(name) + 1
        return self.frame.map(others, f"All but {name}")

    def confusion(self, truth: Any) -> Any:
        """How often each true phase got each label.

        Parameters
        ----------
        truth : array of int or signal
            True labels in the shape of the map: 1 for the first of `names`, 0 for
            no phase that is known; negative where nobody knows.

        Returns
        -------
        Confusion
            Its ``table`` has a row for each true label and a column for each one
            found, both from 0; ``print`` it.

        Raises
        ------
        TypeError, ValueError
            If `truth` does not fit the map and the phases.
        """
        from .confusion import Confusion

        return Confusion.of(self, truth)

    def table(self) -> str:
        """Area fractions and notes as text.

        Returns
        -------
        str
        """
        from .table import table

        return table(self)

    def plot(self, **kwargs: Any) -> Figure:
        """Draw the map of phases with a legend, the confidence and the mean spectra.

        Parameters
        ----------
        **kwargs
            Given to ``matplotlib.pyplot.figure``.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from .plot import plot

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
        from .io import save_classification

        save_classification(self, path, overwrite)

    def __repr__(self) -> str:
        return self.table()
