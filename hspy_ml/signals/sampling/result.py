# SPDX-License-Identifier: GPL-3.0-or-later
"""What `dynamic_sampling` measured, and the map that it made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..frame import SignalFrame

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

__all__ = ["SamplingArrays", "SamplingResult"]

NOT_SAMPLED = -1


@dataclass(frozen=True, eq=False)
class SamplingArrays:
    """The numbers of a replay; maps have the shape (n_rows, n_columns).

    Parameters
    ----------
    positions : ndarray of int, shape (n_measured, 2)
        Row and column of each measurement, in their order.
    measured_labels : ndarray of int, shape (n_measured,)
        What was found there: 0 for no phase that is known.
    reconstruction : ndarray of int
        Label of every pixel, from the measured ones.
    wrong_probability : ndarray
        Of each label of the reconstruction: 0 where it was measured.
    full_labels : ndarray of int
        Labels of all pixels from the whole map: 0 for none, -1 where there is no
        spectrum or it is masked.
    counts : ndarray
        Counts of the pixels of the whole map.
    measured_counts : ndarray, shape (n_measured,)
        Counts that each measurement took.
    history_measured : ndarray of int, shape (n_checks,)
        Measurements at each check.
    history_distortion : ndarray, shape (n_checks,)
        Share of wrong pixels then, against the whole map.
    history_estimate : ndarray, shape (n_checks, 3)
        What the sampler thought it was, with the ends of the interval of 68 %.
    """

    positions: np.ndarray
    measured_labels: np.ndarray
    reconstruction: np.ndarray
    wrong_probability: np.ndarray
    full_labels: np.ndarray
    counts: np.ndarray
    measured_counts: np.ndarray
    history_measured: np.ndarray
    history_distortion: np.ndarray
    history_estimate: np.ndarray


@dataclass(frozen=True, eq=False)
class SamplingResult:
    """A map of phases from part of the pixels.

    Parameters
    ----------
    frame : SignalFrame
        Axes and metadata of the signal.
    names : tuple of str
        The phases; the first has the label 1.
    arrays : SamplingArrays
    settings : dict
        Of the call, as plain values.
    notes : tuple of str
        What a reader of the map has to know.
    """

    frame: SignalFrame
    names: tuple[str, ...]
    arrays: SamplingArrays
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_measured(self) -> int:
        """Pixels that were measured."""
        return len(self.arrays.positions)

    @property
    def fraction(self) -> float:
        """Share of the pixels that were measured."""
        return self.n_measured / self.arrays.reconstruction.size

    @cached_property
    def mask_array(self) -> np.ndarray:
        """True where a pixel was measured, shape (n_rows, n_columns)."""
        mask = np.zeros(self.arrays.reconstruction.shape, dtype=bool)
        mask[tuple(self.arrays.positions.T)] = True
        return mask

    @cached_property
    def mask(self) -> Any:
        """Pixels that were measured: True."""
        return self._map(self.mask_array, "Measured pixels")

    @cached_property
    def navigation_mask(self) -> Any:
        """Pixels that were not measured: True, as HyperSpy's methods take it."""
        return self._map(~self.mask_array, "Pixels not measured")

    @cached_property
    def order(self) -> Any:
        """When each pixel was measured, from 0; -1 if never."""
        order = np.full(self.mask_array.shape, NOT_SAMPLED)
        order[tuple(self.arrays.positions.T)] = np.arange(self.n_measured)
        return self._map(order, "Order of measurement")

    @cached_property
    def reconstruction(self) -> Any:
        """Labels of all pixels from those measured: 1 for the first of `names`."""
        signal = self._map(self.arrays.reconstruction, "Reconstructed phases")
        signal.metadata.set_item("Phases.names", list(self.names))
        return signal

    @cached_property
    def wrong_probability(self) -> Any:
        """Probability that the reconstruction of a pixel is wrong."""
        return self._map(self.arrays.wrong_probability, "Probability of a wrong label")

    @cached_property
    def full_labels(self) -> Any:
        """Labels of all pixels from the whole map; 0 for none, -1 for no spectrum."""
        return self._map(self.arrays.full_labels, "Phases of the whole map")

    @property
    def distortion(self) -> float:
        """Share of pixels that differ from the labels of the whole map."""
        return float(self.arrays.history_distortion[-1])

    @property
    def estimated_distortion(self) -> float:
        """What the sampler, which has not seen the whole map, thought it was."""
        return float(self.arrays.history_estimate[-1, 0])

    @cached_property
    def dose(self) -> dict[str, float]:
        """What was measured, of what the whole map took.

        ``pixels`` and ``counts`` are shares, ``saved`` is the share of counts that was
        not needed.
        """
        counts = self.arrays.measured_counts.sum() / max(self.arrays.counts.sum(), 1)
        return {
            "pixels": self.fraction,
            "counts": float(counts),
            "saved": float(1 - counts),
        }

    def inpaint(self, maps: Any) -> Any:
        """Fill maps of which only the measured pixels are known.

        Each pixel gets the mean of near measured ones of its own phase. What the maps
        hold where nothing was measured is not looked at.

        Parameters
        ----------
        maps : signal, or list of signals
            Maps with the navigation axes of the signal and no signal axis, such as
            those of ``s.get_lines_intensity()`` and ``s.ml_quantify(...)``.

        Returns
        -------
        signal, or list of signals
            New ones, with the same axes and titles.

        Raises
        ------
        TypeError, ValueError
            If `maps` are no signals, or of another shape.
        """
        from .inpaint import inpainted

        return inpainted(self, maps)

    def table(self) -> str:
        """Dose, distortion and notes as text.

        Returns
        -------
        str
        """
        from .table import table

        return table(self)

    def plot(self, n_steps: int = 3, **kwargs: Any) -> Figure:
        """Draw how the map came to be, beside the whole one.

        Parameters
        ----------
        n_steps : int, default 3
            Reconstructions to draw, the last of them the outcome.
        **kwargs
            Given to ``matplotlib.pyplot.figure``.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from .plot import plot

        return plot(self, n_steps, **kwargs)

    def animate(self, n_frames: int = 40, **kwargs: Any) -> FuncAnimation:
        """Show the acquisition as an animation.

        Parameters
        ----------
        n_frames : int, default 40
        **kwargs
            Given to ``matplotlib.pyplot.figure``.

        Returns
        -------
        matplotlib.animation.FuncAnimation
            ``animation.save("sampling.gif")`` writes it; in a notebook,
            ``IPython.display.HTML(animation.to_jshtml())`` shows it.
        """
        from .animation import animate

        return animate(self, n_frames, **kwargs)

    def save(self, path: str | PathLike[str], overwrite: bool | None = None) -> None:
        """Save as a HyperSpy file; ``hspy_ml.load_result(path)`` loads it.

        Parameters
        ----------
        path : str or path
            Ends in ".hspy" or ".zspy".
        overwrite : bool, optional
            Whether to replace a file; by default HyperSpy asks.
        """
        from .io import save_sampling

        save_sampling(self, path, overwrite)

    def _map(self, values: np.ndarray, title: str) -> Any:
        return self.frame.map(values.ravel(), title)

    def __repr__(self) -> str:
        return self.table()
