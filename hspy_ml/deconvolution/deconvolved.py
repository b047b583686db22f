# SPDX-License-Identifier: GPL-3.0-or-later
"""What deconvolution gives, and its finish: counts conserved, folded back, judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .transfer import gaussian_line

if TYPE_CHECKING:
    import torch

    from .arbiter import Choice
    from .measured import Measured
    from .response import Response

__all__ = ["Deconvolved", "finished", "reduced_deviance", "unsharpened"]

#: What stands for the results of spectra that could not be used.
_MISSING = {
    "spectra": np.nan,
    "errors": np.nan,
    "refolded": np.nan,
    "deviance": np.nan,
    "flagged": True,
    "shifts": np.nan,
    "zero_channels": np.nan,
    "target_width": np.nan,
}
_SAMPLED = 3.0  # channels: wider peaks can be moved by parts of channels
_LEAST_VARIANCE = 1e-3  # electrons^2


@dataclass(frozen=True, eq=False)
class Deconvolved:
    """Spectra at the target resolution, without noise.

    Attributes
    ----------
    spectra : ndarray of float32, shape (n, n_channels)
        Counts, not negative; they sum to those measured above the offset.
    errors : ndarray of float32, shape (n, n_channels)
        Standard errors.
    refolded : ndarray of float32, shape (n, n_channels)
        Counts that the result would give with the response, offset included, where
        they were measured.
    deviance : ndarray, shape (n,)
        Mean square of measured less refolded counts, over their variance.
    flagged : ndarray of bool, shape (n,)
        Spectra whose result is not to be trusted.
    shifts : ndarray, shape (n,)
        Channels from 0 eV to the measured zero loss.
    choice : Choice
    zero_channels : ndarray, shape (n,)
        Where the zero loss of the result is.
    target_width : ndarray, shape (n,)
        FWHM in channels.
    lines : ndarray, shape (n, n_channels), optional
        The zero-loss lines of area one, where they are no Gaussians.
    """

    spectra: np.ndarray
    errors: np.ndarray
    refolded: np.ndarray
    deviance: np.ndarray
    flagged: np.ndarray
    shifts: np.ndarray
    choice: Choice
    zero_channels: np.ndarray
    target_width: np.ndarray
    lines: np.ndarray | None = None

    def spread_over(self, usable: np.ndarray) -> Deconvolved:
        """The result among spectra that could not be used.

        Parameters
        ----------
        usable : ndarray of bool, shape (n_all,)
            Which the result is of.

        Returns
        -------
        Deconvolved
            NaN, and flagged, where they are not.
        """
        filled = {}
        for name, missing in _MISSING.items():
            values = getattr(self, name)
            shape = (usable.size, *values.shape[1:])
            filled[name] = np.full(shape, missing, dtype=values.dtype)
            filled[name][usable] = values
        if self.lines is not None:
            filled["lines"] = np.full((usable.size, self.lines.shape[1]), np.nan)
            filled["lines"][usable] = self.lines
        return replace(self, **filled)

    def with_rows(self, rows: np.ndarray, others: Deconvolved) -> Deconvolved:
        """The same with some spectra replaced.

        Parameters
        ----------
        rows : ndarray of bool, shape (n,)
        others : Deconvolved
            As many as there are True.

        Returns
        -------
        Deconvolved
        """
        replaced = {}
        for name in _MISSING:
            values = np.array(getattr(self, name))
            values[rows] = getattr(others, name)
            replaced[name] = values
        n_channels = self.spectra.shape[1]
        lines = gaussian_line(n_channels, self.zero_channels, self.target_width)
        lines[rows] = others.lines
        return replace(self, **replaced, lines=lines)

    def single_scattering(self) -> Deconvolved:
        """Plural scattering removed.

        Returns
        -------
        Deconvolved
            The single-scattering distributions and the zero-loss lines, see
            `plural.single_scattering`; errors are scaled as the spectra are.
        """
        from .plural import single_scattering

        lines = self.lines
        if lines is None:
            n_channels = self.spectra.shape[1]
            lines = gaussian_line(n_channels, self.zero_channels, self.target_width)
        single = single_scattering(self.spectra, lines)
        ratio = np.divide(
            single,
            self.spectra,
            out=np.ones_like(single),
            where=self.spectra > 0,
        )
        return replace(
            self, spectra=single, errors=self.errors * np.clip(ratio, 0.1, 10.0)
        )


def finished(
    spectra: Measured,
    scene: torch.Tensor,
    target_width: np.ndarray,
    losses: np.ndarray | None = None,
) -> np.ndarray:
    """A scene as a result whose counts are those measured.

    Parameters
    ----------
    spectra : Measured
    scene : torch.Tensor, shape (n, n_scene)
    target_width : ndarray, shape (n,)
        FWHM in channels.
    losses : ndarray, shape (n, n_channels), optional
        At the target resolution, with the zero loss at `spectra.zero`, where they are
        known better than by the scene; NaN elsewhere.

    Returns
    -------
    ndarray, shape (n, n_channels)
        Electrons, not negative. What is too many or too few goes to the zero-loss
        line; if that does not suffice, all is scaled.
    """
    result = np.empty(spectra.electrons.shape)
    known = np.zeros(len(result), bool)
    if losses is not None:
        known = np.isfinite(losses).all(axis=1)
        result[known] = _moved_losses(losses[known], spectra.moves[known])
    if not known.all():
        blurred = spectra.select(~known).result(scene[~known], target_width[~known])
        result[~known] = blurred.numpy()
    total = np.maximum(spectra.electrons.double().sum(dim=1).numpy(), 0.0)
    missing = total - result.sum(axis=1)
    centre = spectra.zero + spectra.moves
    line = gaussian_line(result.shape[1], centre, target_width)
    core = line > 1e-3 * line.max(axis=1, keepdims=True)
    held = np.where(core, result, 0).sum(axis=1)
    scale = np.where(missing < 0, -missing / np.maximum(held, 1e-30), 0)
    fewer = np.where(core, result * (1 - np.minimum(scale, 1.0))[:, None], result)
    result = fewer + np.maximum(missing, 0)[:, None] * line
    left = result.sum(axis=1)
    return result * (total / np.where(left > 0, left, 1.0))[:, None]


def _moved_losses(losses: np.ndarray, channels: np.ndarray) -> np.ndarray:
    from .restore import moved

    if not channels.any():
        return losses
    return np.maximum(moved(losses.astype(float), channels), 0)


def unsharpened(spectra: Measured, choice: Choice) -> Deconvolved:
    """Spectra as they are, but for the offset, and moved.

    A peak that is hardly wider than the target would be made wider. Where it has less
    than three channels it is moved by whole ones.

    Parameters
    ----------
    spectra : Measured
    choice : Choice

    Returns
    -------
    Deconvolved
        Its deviance is zero: nothing was changed.
    """
    n, n_channels = spectra.electrons.shape
    electrons = spectra.electrons.numpy().astype(float)
    read = spectra.read_variance.numpy()
    way = spectra.moves - spectra.transfer.shifts
    steps = np.rint(way).astype(int)
    source = np.arange(n_channels) - steps[:, None]
    inside = (source >= 0) & (source < n_channels)
    source = np.clip(source, 0, n_channels - 1)
    total = np.maximum(electrons.sum(axis=1), 0)
    counted = np.maximum(electrons, 0)
    errors = np.sqrt(counted + read)
    kept = np.where(inside, np.take_along_axis(counted, source, axis=1), 0)
    part = np.where(spectra.fwhm >= _SAMPLED, way - steps, 0.0)
    kept = _moved_losses(kept, part)
    kept *= (total / np.maximum(kept.sum(axis=1), 1e-30))[:, None]
    zero = spectra.centre + steps + part
    gain, offset = (
        np.broadcast_to(values, n)[:, None]
        for values in (spectra.noise.gain, spectra.noise.offset)
    )
    return Deconvolved(
        (kept * gain).astype(np.float32),
        (np.take_along_axis(errors, source, axis=1) * gain).astype(np.float32),
        (electrons * gain + offset).astype(np.float32),
        np.zeros(n),
        spectra.problem != "",
        spectra.shifts,
        choice,
        zero,
        spectra.fwhm,
        _lines(spectra.response, zero, n_channels),
    )


def _lines(response: Response, zero: np.ndarray, n_channels: int) -> np.ndarray:
    """Zero-loss lines of the response's own shape."""
    kernel = response.kernel
    channels = np.arange(n_channels)
    own = np.arange(kernel.shape[1]) - response.half_width
    rows = np.broadcast_to(kernel, (len(zero), kernel.shape[1]))
    return np.stack(
        [
            np.interp(channels - place, own, row, left=0, right=0)
            for row, place in zip(rows, zero, strict=True)
        ]
    )


def reduced_deviance(
    electrons: np.ndarray, expected: np.ndarray, read_variance: np.ndarray
) -> np.ndarray:
    """Mean square of residuals over their variance.

    Parameters
    ----------
    electrons, expected : ndarray, shape (n, n_channels)
    read_variance : ndarray, shape (n, 1)

    Returns
    -------
    ndarray, shape (n,)
    """
    expected = np.maximum(expected, 0)
    variance = expected + read_variance + _LEAST_VARIANCE
    return np.mean((electrons - expected) ** 2 / variance, axis=1, dtype=float)
