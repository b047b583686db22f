# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of a core-loss EELS signal."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..physics.composition import atomic_number
from .acquisition import acquisition_from_signal
from .data import signal_array
from .elements import elements_from_signal
from .low_loss import low_loss_from_signal

if TYPE_CHECKING:
    from ..physics.acquisition import Acquisition
    from ..physics.gmatrix import GMatrix

_DEFAULT_ANGLES_MRAD = {"convergence_angle": 25.0, "collection_angle": 40.0}
_LARGEST_GAIN = 3.0
_FEWEST_COUNTS = 20.0
_SOME_PIXELS = 9


def eels_g_matrix(
    s: Any,
    elements: Iterable[str] | None = None,
    *,
    low_loss: Any = None,
    gos: str | PathLike[str] = "hydrogenic",
    white_lines: bool = True,
    fit_window: tuple[float, float] | None = None,
) -> GMatrix:
    """Return what each element would add to core-loss spectra.

    Parameters
    ----------
    s : EELSSpectrum
        The core-loss signal. Beam energy and angles are read from its metadata, the
        channels from its energy axis; its sum over all pixels tells the exponent of
        the background and which white lines there are.
    elements : sequence of str, optional
        Symbols. By default those of the metadata, by atomic number.
    low_loss : EELSSpectrum, optional
        The low-loss spectrum, or an image of which the mean is taken, that edges are
        convolved with.
    gos, white_lines, fit_window
        See :func:`hspy_ml.physics.eels_gmatrix.build_eels_g_matrix`.

    Returns
    -------
    GMatrix
        Channels by columns. A weight divided by
        :func:`hspy_ml.signals.low_loss.incident_counts` is in atoms/nm2.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If the signal, its metadata or a parameter does not allow it; the message says
        what to do.

    Warns
    -----
    UserWarning
        If angles are missing, so that 25 and 40 mrad are assumed, or the variance of
        the noise is more than three times that of counts.
    """
    from ..physics.eels_gmatrix import build_eels_g_matrix

    symbols = elements_from_signal(s, elements)
    if elements is None:  # exspy keeps them in no order
        symbols = sorted(symbols, key=atomic_number)
    spectrum = _sum_spectrum(s)
    g_matrix = build_eels_g_matrix(
        _with_angles(acquisition_from_signal(s)),
        symbols,
        low_loss=None if low_loss is None else low_loss_from_signal(low_loss),
        spectrum=spectrum,
        gos=gos,
        white_lines=white_lines,
        fit_window=fit_window,
    )
    if spectrum.any():
        _warn_of_gain(g_matrix, s)
    return g_matrix


def _with_angles(acquisition: Acquisition) -> Acquisition:
    """Fill in the angles that are missing, and say so once."""
    missing = {
        name: angle
        for name, angle in _DEFAULT_ANGLES_MRAD.items()
        if getattr(acquisition, f"{name}_mrad") is None
    }
    if not missing:
        return acquisition
    assumed = ", ".join(f"{name}={angle:g}" for name, angle in missing.items())
    warnings.warn(
        f"The metadata do not hold {' and '.join(missing)}, on which the ratios of "
        "cross sections depend, and still more their sizes. Assumed, in mrad: "
        f"{assumed}. Set what was used with `s.set_microscope_parameters({assumed})`.",
        UserWarning,
        stacklevel=4,
    )
    return replace(acquisition, **{f"{k}_mrad": v for k, v in missing.items()})


def _sum_spectrum(s: Any) -> np.ndarray:
    """Sum over the pixels; what is not finite is refused when counts are read."""
    channels = s.axes_manager.signal_indices_in_array
    pixels = tuple(axis for axis in range(s.data.ndim) if axis not in channels)
    total = np.real(np.asarray(s.data.sum(axis=pixels)))
    return np.nan_to_num(total.astype(float), posinf=0, neginf=0)


def _warn_of_gain(g_matrix: GMatrix, s: Any) -> None:
    """Say so if the numbers of a few pixels scatter more than counts do."""
    from ..physics.eels_white_lines import fit_poisson, noise_gain

    inside = g_matrix.matrix.sum(axis=1) > 0
    matrix = g_matrix.matrix[inside] / g_matrix.matrix[inside].sum(axis=0)
    gains = [
        noise_gain(counts, matrix @ fit_poisson(counts, matrix))
        for counts in _some_pixels(s)[:, inside]
        if counts.min() >= 0 and counts.mean() > _FEWEST_COUNTS
    ]
    gain = float(np.median(gains)) if gains else 1.0
    if gain > _LARGEST_GAIN:
        warnings.warn(
            f"The variance of the noise of `s` is {gain:.3g} times its mean, so that "
            "its numbers are not single electrons: compositions are right, but "
            f"standard errors come out {np.sqrt(gain):.2g} times too small. Divide the "
            f"signal, `s / {gain:.3g}`.",
            UserWarning,
            stacklevel=4,
        )


def _some_pixels(s: Any) -> np.ndarray:
    array = signal_array(s)
    chosen = np.unique(np.linspace(0, array.shape[0] - 1, _SOME_PIXELS).astype(int))
    return np.nan_to_num(np.asarray(array[chosen], float), nan=-1.0)
