# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks as HyperSpy takes them, turned into flat arrays: True is excluded."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from .data import map_shape


def flat_navigation_mask(s: Any, navigation_mask: Any = None) -> np.ndarray:
    """Return which pixels are excluded.

    Parameters
    ----------
    s : hyperspy.api.signals.BaseSignal
        The signal that the mask is for.
    navigation_mask : None, float, ndarray of bool or signal, optional
        The pixels to exclude. A float is the threshold of ``s.vacuum_mask``: a
        pixel with no channel above it is excluded. An array has HyperSpy's
        ``navigation_shape`` (x, y), as for ``s.decomposition``, or, if that
        differs, the shape of the map in the array (y, x). A signal has the
        navigation axes of ``s``.

    Returns
    -------
    ndarray of bool, shape (n_pixels,)
        True where a pixel is excluded, in the order of
        :func:`hspy_ml.signals.data.signal_array`.

    Raises
    ------
    TypeError
        If the mask is not boolean.
    ValueError
        If it has another shape, excludes every pixel, or is a float for a signal
        that has no ``vacuum_mask``.
    """
    shape = map_shape(s)
    if navigation_mask is None:
        return np.zeros(int(np.prod(shape)), dtype=bool)
    if isinstance(navigation_mask, Real) and not isinstance(navigation_mask, bool):
        navigation_mask = _vacuum_mask(s, float(navigation_mask))
    mask = _boolean_array(navigation_mask, "navigation_mask")
    if not _is_signal(navigation_mask) and mask.shape == shape[::-1]:
        mask = mask.T
    if mask.shape != shape:
        mask = _single_pixel(mask, shape)
    return _checked_not_all(mask.ravel(), "navigation_mask", "pixel")


def flat_signal_mask(s: Any, signal_mask: Any = None) -> np.ndarray:
    """Return which channels are excluded.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        The signal that the mask is for.
    signal_mask : None, ndarray of bool or signal, optional
        The channels to exclude.

    Returns
    -------
    ndarray of bool, shape (n_channels,)
        True where a channel is excluded.

    Raises
    ------
    TypeError
        If the mask is not boolean.
    ValueError
        If it has another shape or excludes every channel.
    """
    shape = tuple(s.axes_manager.signal_shape)
    if signal_mask is None:
        return np.zeros(shape, dtype=bool)
    mask = _boolean_array(signal_mask, "signal_mask")
    if mask.shape != shape:
        raise ValueError(
            f"`signal_mask` has the shape {mask.shape}, but the signal has the shape "
            f"{shape}."
        )
    return _checked_not_all(mask, "signal_mask", "channel")


def _vacuum_mask(s: Any, threshold: float) -> Any:
    if not hasattr(s, "vacuum_mask"):
        raise ValueError(
            f"`navigation_mask` is the number {threshold:g}, a threshold for "
            f"`s.vacuum_mask`, which a {type(s).__name__} does not have; give a "
            "boolean array or signal, such as `s.max(-1) <= threshold`."
        )
    if s.axes_manager.navigation_dimension == 0:
        raise ValueError(
            f"`navigation_mask` is the number {threshold:g}, but `s` is a single "
            "spectrum, in which there is no vacuum to mask; give None."
        )
    if not np.isfinite(threshold):
        raise ValueError(
            f"`navigation_mask` is {threshold}; as a threshold of `s.vacuum_mask` it "
            "must be finite."
        )
    return s.vacuum_mask(threshold)


def _boolean_array(mask: Any, name: str) -> np.ndarray:
    array = np.asarray(mask.data if _is_signal(mask) else mask)
    if array.dtype != bool:
        raise TypeError(
            f"`{name}` is of the type {array.dtype}; it must be boolean, with True "
            "for what is excluded. Change it with `mask.astype(bool)`."
        )
    return array


def _is_signal(mask: Any) -> bool:
    return hasattr(mask, "axes_manager")


def _single_pixel(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Accept any mask of one element where there is one pixel."""
    if mask.size == 1 and shape == (1,):
        return mask.reshape(shape)
    raise ValueError(
        f"`navigation_mask` has the shape {mask.shape}, but the navigation shape of "
        f"the signal is {shape[::-1]} (and {shape} in the array)."
    )


def _checked_not_all(mask: np.ndarray, name: str, what: str) -> np.ndarray:
    if mask.all():
        raise ValueError(
            f"`{name}` excludes every {what}: True means excluded. Invert it with "
            "`~mask` if True was meant to keep."
        )
    return mask
