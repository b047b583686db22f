# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes and metadata of a measured signal, from which results are made."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .plain import plain_tree

_KEPT_METADATA = ("Acquisition_instrument", "Sample")
_ONE_PIXEL = {"size": 1, "name": "pixel"}


@dataclass(frozen=True, eq=False)
class SignalFrame:
    """What a result needs to know of the signal that it came from.

    Parameters
    ----------
    title : str
        Title of the signal.
    signal_type : str
        Its signal type, such as "EDS_TEM".
    map_axes : tuple of dict
        Its navigation axes in the order of the array; one axis of one pixel for
        a single spectrum.
    energy_axis : dict
        Its signal axis.
    metadata : dict
        ``Acquisition_instrument`` and ``Sample`` of its metadata.
    """

    title: str
    signal_type: str
    map_axes: tuple[dict[str, Any], ...]
    energy_axis: dict[str, Any]
    metadata: dict[str, Any]

    @classmethod
    def from_signal(cls, s: Any) -> SignalFrame:
        """Take axes and metadata from a signal.

        Parameters
        ----------
        s : hyperspy.api.signals.Signal1D
            The signal.

        Returns
        -------
        SignalFrame
        """
        tree = s.metadata.as_dictionary()
        return cls(
            title=s.metadata.get_item("General.title", ""),
            signal_type=s.metadata.Signal.signal_type,
            map_axes=cls.axes_of(s.axes_manager.navigation_axes) or (_ONE_PIXEL,),
            energy_axis=_plain_axis(s.axes_manager.signal_axes[0]),
            metadata={k: plain_tree(tree[k]) for k in _KEPT_METADATA if k in tree},
        )

    @staticmethod
    def axes_of(axes: Sequence[Any]) -> tuple[dict[str, Any], ...]:
        """Describe axes of a map.

        Parameters
        ----------
        axes : sequence of hyperspy.axes.BaseDataAxis
            In HyperSpy's order: x, y, ...

        Returns
        -------
        tuple of dict
            In the order of the array.
        """
        return tuple(_plain_axis(axis) for axis in axes[::-1])

    @property
    def map_shape(self) -> tuple[int, ...]:
        """Shape of the map in the order of the array."""
        return tuple(axis["size"] for axis in self.map_axes)

    @property
    def n_pixels(self) -> int:
        """Number of pixels of the map."""
        return int(np.prod(self.map_shape))

    @property
    def n_channels(self) -> int:
        """Number of channels of the energy axis."""
        return self.energy_axis["size"]

    def map(self, values: np.ndarray, title: str, element: str | None = None) -> Any:
        """Make a signal whose navigation space is the map.

        Parameters
        ----------
        values : ndarray, shape (n_pixels,)
            One value for each pixel.
        title : str
            Its title.
        element : str, optional
            The element that it is about, for ``metadata.Sample.elements``.

        Returns
        -------
        hyperspy.api.signals.BaseSignal
            With signal dimension 0.
        """
        axes = [{**axis, "navigate": True} for axis in self.map_axes]
        return _quantity(values.reshape(self.map_shape), axes, title, element)

    def phase_quantity(
        self, values: np.ndarray, title: str, element: str | None = None
    ) -> Any:
        """Make a signal of one value for each phase.

        Parameters
        ----------
        values : ndarray, shape (n_phases,)
            One value for each phase.
        title : str
            Its title.
        element : str, optional
            The element that it is about.

        Returns
        -------
        hyperspy.api.signals.BaseSignal
            With the navigation axis "Phase" and signal dimension 0.
        """
        return _quantity(values, [_phase_axis(values.size)], title, element)

    def phase_maps(self, values: np.ndarray, title: str) -> Any:
        """Make a stack of maps, one for each phase.

        Parameters
        ----------
        values : ndarray, shape (n_pixels, n_phases)
            One value for each pixel and phase.
        title : str
            Its title.

        Returns
        -------
        hyperspy.api.signals.BaseSignal
            With the navigation axis "Phase"; the map is the signal space, as in
            ``s.get_decomposition_loadings()``. A Signal1D or Signal2D where the
            map has one or two dimensions.
        """
        return self._stack(values, _phase_axis(values.shape[1]), title)

    def element_maps(self, values: np.ndarray, title: str) -> Any:
        """Make a stack of maps, one for each element.

        Parameters
        ----------
        values : ndarray, shape (n_pixels, n_elements)
            One value for each pixel and element.
        title : str
            Its title.

        Returns
        -------
        hyperspy.api.signals.BaseSignal
            With the navigation axis "Element", as `phase_maps`.
        """
        axis = {"size": values.shape[1], "name": "Element", "navigate": True}
        return self._stack(values, axis, title)

    def _stack(self, values: np.ndarray, stacked: dict[str, Any], title: str) -> Any:
        import hyperspy.api as hs

        kinds = {1: hs.signals.Signal1D, 2: hs.signals.Signal2D}
        kind = kinds.get(len(self.map_axes), hs.signals.BaseSignal)
        axes = [{**axis, "navigate": False} for axis in self.map_axes]
        signal = kind(
            values.T.reshape(values.shape[1], *self.map_shape), axes=[stacked, *axes]
        )
        return self._titled(signal, title)

    def phase_spectra(
        self, values: np.ndarray, title: str, elements: Sequence[str] = ()
    ) -> Any:
        """Make a stack of spectra, one for each phase.

        Parameters
        ----------
        values : ndarray, shape (n_channels, n_phases)
            One value for each channel and phase.
        title : str
            Its title.
        elements : sequence of str, optional
            The elements that they hold; by default those of the signal.

        Returns
        -------
        hyperspy.api.signals.Signal1D
            Of the class of the measured signal, with the navigation axis "Phase".
        """
        axes = [_phase_axis(values.shape[1]), self.energy_axis]
        return self._spectrum(values.T, axes, title, elements)

    def spectrum(self, values: np.ndarray, title: str) -> Any:
        """Make a single spectrum.

        Parameters
        ----------
        values : ndarray, shape (n_channels,)
            One value for each channel.
        title : str
            Its title.

        Returns
        -------
        hyperspy.api.signals.Signal1D
            Of the class of the measured signal.
        """
        return self._spectrum(values, [self.energy_axis], title, ())

    def _spectrum(
        self, data: np.ndarray, axes: list[Any], title: str, elements: Sequence[str]
    ) -> Any:
        import hyperspy.api as hs

        signal = hs.signals.Signal1D(data, axes=axes, metadata=deepcopy(self.metadata))
        signal.set_signal_type(self.signal_type)
        if elements:
            signal.metadata.set_item("Sample.elements", list(elements))
            signal.metadata.Sample.add_dictionary({"xray_lines": []})
        return self._titled(signal, title)

    def _titled(self, signal: Any, title: str) -> Any:
        ending = f" of {self.title}" if self.title else ""
        signal.metadata.General.title = title + ending
        return signal


def _quantity(
    data: np.ndarray, axes: list[Any], title: str, element: str | None
) -> Any:
    import hyperspy.api as hs

    signal = hs.signals.BaseSignal(data, axes=axes)
    signal.metadata.General.title = title
    if element is not None:
        signal.metadata.set_item("Sample.elements", [element])
    return signal


def _phase_axis(n_phases: int) -> dict[str, Any]:
    return {"size": n_phases, "name": "Phase", "navigate": True}


def _plain_axis(axis: Any) -> dict[str, Any]:
    """Return an axis as a dictionary, without what HyperSpy leaves undefined."""
    description = axis.get_axis_dictionary()
    undefined = ("<undefined>", "None")
    return {k: v for k, v in description.items() if str(v) not in undefined}
