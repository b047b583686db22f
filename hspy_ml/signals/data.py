# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a signal as pixels by channels."""

from __future__ import annotations

from typing import Any

import numpy as np


def signal_array(s: Any) -> Any:
    """Return the data of a signal as a two-dimensional array, without a copy.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        A signal with one signal axis and any number of navigation axes.

    Returns
    -------
    array, shape (n_pixels, n_channels)
        Of the type of ``s.data``: a view of a numpy array whose memory allows
        it, else a dask or ``sparse`` array. Pixels run in the order of
        ``s.data``, and a single spectrum is one pixel.

    Raises
    ------
    TypeError
        If the data are not real numbers.
    ValueError
        If there is not exactly one signal axis, if the signal is empty, or, for
        numpy arrays, if it holds no counts.
    """
    channel_axis = _channel_axis(s)
    data = s.data
    _check_dtype(data.dtype)
    _check_not_empty(data)
    if channel_axis != data.ndim - 1:
        data = np.moveaxis(data, channel_axis, -1)
    n_channels = data.shape[-1]
    n_pixels = int(np.prod(data.shape[:-1], dtype=np.int64))
    return data.reshape((n_pixels, n_channels))


def map_shape(s: Any) -> tuple[int, ...]:
    """Return the shape of the map in the order of the array.

    Parameters
    ----------
    s : hyperspy.api.signals.BaseSignal
        The signal.

    Returns
    -------
    tuple of int
        The reverse of HyperSpy's ``navigation_shape``; ``(1,)`` for a single
        spectrum.
    """
    return tuple(s.axes_manager.navigation_shape[::-1]) or (1,)


def real_numbers(values: Any, name: str) -> np.ndarray:
    """Return the numbers in what a user gave.

    Parameters
    ----------
    values : signal, array or sequence
        Real numbers; the data of lazy signals are computed.
    name : str
        The parameter, for the error.

    Returns
    -------
    ndarray of float
        Of the shape that was given.

    Raises
    ------
    TypeError
        If they are no real numbers.
    """
    data = values.data if hasattr(values, "axes_manager") else values
    try:
        return np.asarray(data).astype(float, casting="same_kind")
    except (TypeError, ValueError):
        raise TypeError(
            f"`{name}` holds {values!r}, which is neither a signal nor an array of "
            "real numbers."
        ) from None


def _channel_axis(s: Any) -> int:
    indices = s.axes_manager.signal_indices_in_array
    if len(indices) != 1:
        raise ValueError(
            f"`s` has {len(indices)} signal axes, but spectra have one, the energy. "
            "Choose it with `s.transpose(signal_axes=[...])`."
        )
    return indices[0]


def _check_dtype(dtype: np.dtype) -> None:
    if not (np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)):
        raise TypeError(
            f"The data of `s` are of the type {dtype}; counts are real numbers. Change "
            "them with `s.change_dtype('float64')`, or take `s.real` if they are "
            "complex."
        )


def _check_not_empty(data: Any) -> None:
    if 0 in data.shape:
        raise ValueError(
            f"`s` is empty: its data have the shape {data.shape}. Check the file it "
            "was loaded from."
        )
    if isinstance(data, np.ndarray) and not data.any():
        raise ValueError("`s` holds no counts: all its data are zero.")
