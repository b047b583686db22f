# SPDX-License-Identifier: GPL-3.0-or-later
"""Plural scattering removed: the single-scattering distribution."""

from __future__ import annotations

import numpy as np

__all__ = ["single_scattering"]

_PADDED = 3  # times the axis, so that what fades out does not come round
_LEAST_TARGET = 0.01  # of the target's transform, where it is divided by


def single_scattering(spectra: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Fourier-log deconvolution of spectra whose zero-loss line is known.

    Parameters
    ----------
    spectra : ndarray, shape (n, n_channels)
        Counts, with little noise.
    line : ndarray, shape (n, n_channels)
        Their zero-loss lines of area one, where they are.

    Returns
    -------
    ndarray, shape (n, n_channels)
        The zero-loss line and the single-scattering distribution, at the same
        resolution; not negative. The distribution's area is the zero-loss counts times
        the thickness in mean free paths.

    Notes
    -----
    With the spectrum's transform j, the line's z and its counts I_0, the distribution's
    is ``z ln(j / z)`` (R. F. Egerton, "Electron Energy-Loss Spectroscopy in the
    Electron Microscope", 3rd ed., Springer 2011, eq. 4.10), where the line's transform
    is large, and the measured losses' where it is small. The spectrum fades out beyond
    the end of the axis.
    """
    from scipy import fft

    spectra = np.asarray(spectra, dtype=float)
    n_channels = spectra.shape[1]
    zero_loss = _zero_loss_counts(spectra, line)
    losses = spectra - zero_loss[:, None] * line
    length = fft.next_fast_len(_PADDED * n_channels, real=True)
    of_line = fft.rfft(line, length)
    sharp = of_line.conj() / (np.abs(of_line) ** 2 + _LEAST_TARGET**2)
    sharp *= 1 + _LEAST_TARGET**2
    scale = np.where(zero_loss > 0, zero_loss, 1.0)[:, None]
    ratio = 1 + fft.rfft(_faded(losses, length)) * sharp / scale
    logarithm = _continuous_log(ratio) / sharp
    single = fft.irfft(logarithm * scale, length)[:, :n_channels]
    result = np.maximum(single + zero_loss[:, None] * line, 0)
    known = (zero_loss > 0) & np.isfinite(result).all(axis=1)
    return np.where(known[:, None], result, spectra)


def _zero_loss_counts(spectra: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Height of the line in the upper half of the peak."""
    top = line > 0.5 * line.max(axis=1, keepdims=True)
    return np.maximum((spectra * top).sum(axis=1) / (line * top).sum(axis=1), 0)


def _faded(losses: np.ndarray, length: int) -> np.ndarray:
    """Losses, and beyond the end of the axis a smooth way to zero."""
    n_channels = losses.shape[1]
    padded = np.zeros((len(losses), length))
    padded[:, :n_channels] = losses
    n_last = max(4, n_channels // 64)
    level = losses[:, -n_last:].mean(axis=1, keepdims=True)
    fall = 0.5 * (1 + np.cos(np.pi * np.linspace(0, 1, n_channels)))
    padded[:, n_channels : 2 * n_channels] = level * fall
    return padded


def _continuous_log(values: np.ndarray) -> np.ndarray:
    """Logarithm whose phase, zero at the first frequency, makes no jumps."""
    size = np.log(np.maximum(np.abs(values), 1e-12))
    return size + 1j * np.unwrap(np.angle(values), axis=1)
