# SPDX-License-Identifier: GPL-3.0-or-later
"""The signal that `deconvolve_net` returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..frame import SignalFrame
from ..node_io import to_json
from .blocks import DeconvolvedArrays

__all__ = ["NODE", "deconvolved_signal"]

NODE = "Deconvolution"
FORMAT_VERSION = 1


def deconvolved_signal(
    s: Any,
    arrays: DeconvolvedArrays,
    *,
    settings: dict[str, Any],
    notes: Sequence[str],
    response: np.ndarray | None,
    offset_change: float = 0.0,
) -> Any:
    """Make the result, with all that is known of it in its metadata.

    Parameters
    ----------
    s : EELSSpectrum, EDSTEMSpectrum or EDSSEMSpectrum
        What was measured; not changed.
    arrays : DeconvolvedArrays
        Pixels by channels.
    settings : dict
        Plain values: what was done and why.
    notes : sequence of str
    response : ndarray, shape (2 m + 1,), or None
        The mean PSF, by channels from its zero.
    offset_change : float, default 0
        To be added to the offset of the energy axis, in its units.

    Returns
    -------
    BaseSignal
        Of the class of `s`. Its noise variance is that of the standard errors.
    """
    result = s._deepcopy_with_new_data(_shaped(s, arrays.spectra))
    title = s.metadata.get_item("General.title", "")
    result.metadata.General.title = f"Deconvolved {title}".strip()
    result.axes_manager.signal_axes[0].offset += offset_change
    variance = result._deepcopy_with_new_data(_shaped(s, arrays.variance))
    variance.metadata.General.title = f"Variance of {result.metadata.General.title}"
    _remove(variance, "Signal.Noise_properties", NODE)
    _remove(result, "Signal.Noise_properties", NODE)
    result.set_noise_variance(variance)
    result.metadata.set_item(
        NODE,
        {
            "format_version": FORMAT_VERSION,
            "settings": to_json(settings),
            "notes": to_json(list(notes)),
            **_maps(s, arrays, result.metadata.General.title),
            **({} if response is None else {"response": _response(s, response)}),
        },
    )
    return result


def _shaped(s: Any, values: Any) -> Any:
    """Pixels by channels, in the order of the data of the signal."""
    indices = s.axes_manager.signal_indices_in_array
    shape = [n for axis, n in enumerate(s.data.shape) if axis != indices[0]]
    return _moved(values.reshape(*shape, values.shape[-1]), indices[0])


def _moved(data: Any, channel_axis: int) -> Any:
    if channel_axis == data.ndim - 1:
        return data
    if isinstance(data, np.ndarray):
        return np.moveaxis(data, -1, channel_axis)
    import dask.array as da

    return da.moveaxis(data, -1, channel_axis)


def _maps(s: Any, arrays: DeconvolvedArrays, title: str) -> dict[str, Any]:
    frame = SignalFrame.from_signal(s)
    named = {
        "flagged": (arrays.flagged, "Flagged spectra"),
        "deviance": (arrays.deviance, "Reduced deviance"),
        "zero_loss_shift": (arrays.shift, "Shift of the zero loss (channels)"),
    }
    return {
        name: _lazy_like(s, frame.map(values, f"{what} of {title}"))
        for name, (values, what) in named.items()
    }


def _lazy_like(s: Any, quantity: Any) -> Any:
    return quantity.as_lazy() if s._lazy and not quantity._lazy else quantity


def _response(s: Any, kernel: np.ndarray) -> Any:
    """The PSF as a spectrum with its zero at 0."""
    import hyperspy.api as hs

    axis = s.axes_manager.signal_axes[0]
    described = {
        "size": kernel.size,
        "name": axis.name,
        "units": axis.units,
        "scale": axis.scale,
        "offset": -axis.scale * (kernel.size // 2),
    }
    signal = hs.signals.Signal1D(np.asarray(kernel), axes=[described])
    signal.set_signal_type(s.metadata.Signal.signal_type)
    signal.metadata.General.title = "Point spread function"
    return signal


def _remove(signal: Any, *items: str) -> None:
    for item in items:
        if signal.metadata.has_item(item):
            parent, _, name = item.rpartition(".")
            node = signal.metadata.get_item(parent) if parent else signal.metadata
            delattr(node, name)
