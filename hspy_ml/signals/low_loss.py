# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss signals: what core losses are convolved with, and the dose."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..physics.low_loss import LowLoss, pedestal
from .acquisition import technique_of
from .axes import energy_axis
from .data import map_shape, signal_array

_EXPOSURES = (
    "Detector.EELS.dwell_time",
    "Detector.EELS.exposure",
    "dwell_time",
    "exposure",
)


def low_loss_from_signal(low_loss: Any) -> LowLoss:
    """Read the distribution of energy losses from a low-loss signal.

    Parameters
    ----------
    low_loss : EELSSpectrum
        One low-loss spectrum, or an image of which the mean is taken; its zero-loss
        peak is the maximum, and should be at the same energy in all pixels
        (``low_loss.align_zero_loss_peak()``).

    Returns
    -------
    LowLoss

    Raises
    ------
    TypeError, ValueError
        If it is no EELS signal with a zero-loss peak.
    """
    energy = _checked_axis(low_loss)
    return LowLoss.from_counts(energy, _mean_spectrum(low_loss))


def incident_counts(low_loss: Any, s: Any = None) -> np.ndarray:
    """Counts of all electrons that went through the aperture, for each pixel.

    They are what weights of core-loss columns are divided by to give atoms/nm2.

    Parameters
    ----------
    low_loss : EELSSpectrum
        The low-loss signal with its zero-loss peak, in the same units of counts as the
        core losses; a single spectrum serves all pixels.
    s : EELSSpectrum, optional
        The core-loss signal, to the exposure of which the counts are scaled. By
        default the counts are those of the low-loss signal.

    Returns
    -------
    ndarray, shape (n_pixels,)
        Sum over the low-loss spectrum less its pedestal
        (:func:`hspy_ml.physics.low_loss.pedestal`), in the order of
        :func:`hspy_ml.signals.data.signal_array` of ``s``.

    Raises
    ------
    TypeError, ValueError
        If it is no EELS signal with a zero-loss peak, if it holds no counts, or if its
        map differs from that of ``s``.

    Warns
    -----
    UserWarning
        If the exposures are not known, so that they are taken as the same.
    """
    energy = _checked_axis(low_loss)
    counts = np.asarray(signal_array(low_loss), float)
    total = (counts - pedestal(energy, counts)).sum(axis=1)
    if not (np.isfinite(total).all() and (total > 0).all()):
        raise ValueError(
            f"`low_loss` has {np.count_nonzero(~(total > 0))} pixels without counts "
            "above its pedestal; mask them, or give the mean spectrum."
        )
    return total if s is None else _over_map(total, low_loss, s) * _ratio(low_loss, s)


def _checked_axis(low_loss: Any) -> np.ndarray:
    if technique_of(low_loss) != "EELS":
        raise ValueError("`low_loss` is no EELS signal; give the low-loss spectrum.")
    energy = energy_axis(low_loss, "eV")
    if not energy[0] <= 0 < energy[-1]:
        raise ValueError(
            f"`low_loss` covers {energy[0]:.4g} to {energy[-1]:.4g} eV, without a "
            "zero-loss peak. Give the low-loss spectrum, or align it with "
            "`low_loss.align_zero_loss_peak()`."
        )
    return energy


def _mean_spectrum(low_loss: Any) -> np.ndarray:
    array = signal_array(low_loss)
    return np.asarray(array.mean(axis=0), float)


def _over_map(total: np.ndarray, low_loss: Any, s: Any) -> np.ndarray:
    shape = map_shape(s)
    if total.size == 1:
        return np.full(int(np.prod(shape)), total[0])
    if map_shape(low_loss) != shape:
        raise ValueError(
            f"`low_loss` has a map of the shape {map_shape(low_loss)}, `s` of {shape}; "
            "give the same map, or one spectrum, such as `low_loss.mean()`."
        )
    return total


def _ratio(low_loss: Any, s: Any) -> float:
    """How much longer the core losses were exposed."""
    core, low = _exposure(s), _exposure(low_loss)
    if core is None or low is None:
        warnings.warn(
            "The exposures of core loss and low loss are not both in the metadata, and "
            "are taken as the same. Set them, in seconds, with `metadata.set_item("
            "'Acquisition_instrument.TEM.Detector.EELS.dwell_time', ...)`.",
            UserWarning,
            stacklevel=3,
        )
        return 1.0
    return core / low


def _exposure(s: Any) -> float | None:
    for key in _EXPOSURES:
        value = s.metadata.get_item(f"Acquisition_instrument.TEM.{key}", None)
        if isinstance(value, (int, float, np.number)) and value > 0:
            return float(value)
    return None
