# SPDX-License-Identifier: GPL-3.0-or-later
"""Which spectra lie outside what the deconvolution was made and trained for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .outlying_statistics import misfit, peak_share, unexplained_before
from .zero_loss import ZeroLoss, find_zero_loss

if TYPE_CHECKING:
    from .blind_response import BlindResponse
    from .measured import Measured
    from .noise import DetectorNoise
    from .response import Response

__all__ = ["REASONS", "Outlying", "flags"]

#: What is looked at, and the value from which a spectrum is flagged. Simulated spectra
#: within the family stay below, nineteen of twenty at every dose.
REASONS = {
    "no zero-loss peak": 0.5,
    "peak not explained": 0.02,  # relative error of the refolded result
    "losses not explained": 0.1,
    "counts before the peak": 0.03,  # over those of the peak
    "few electrons without loss": 20.0,  # all electrons over them
    "width not trained for": 1.0,
    "response of an unknown shape": 1.0,
}
ODD = 0.015  # share of the electrons that usual shapes would put elsewhere
DOUBTFUL = 0.02  # expected squared error of the response's tail over that of losses
TRAINED_WIDTHS = (1.5, 60.0)  # channels
PEAK_WITHIN = 2.0  # widths


@dataclass(frozen=True, eq=False)
class Outlying:
    """Spectra that are not to be trusted, and why.

    Attributes
    ----------
    flagged : ndarray of bool, shape (n,)
    reasons : tuple of str
    values : ndarray, shape (n, n_reasons)
        How strongly each reason speaks; 1 and more flags.
    """

    flagged: np.ndarray
    reasons: tuple[str, ...]
    values: np.ndarray

    def why(self, row: int) -> tuple[str, ...]:
        """The reasons for which a spectrum is flagged, the strongest first.

        Parameters
        ----------
        row : int

        Returns
        -------
        tuple of str
        """
        order = np.argsort(-self.values[row])
        return tuple(self.reasons[k] for k in order if self.values[row, k] >= 1)


def flags(
    electrons: np.ndarray,
    noise: DetectorNoise,
    response: Response,
    refolded: np.ndarray,
    *,
    blind: BlindResponse | None = None,
    peaks: Measured | ZeroLoss | BlindResponse | None = None,
) -> Outlying:
    """Judge spectra and what was made of them.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Measured, without offset.
    noise : DetectorNoise
    response : Response
        That was removed; one row, or one for each spectrum.
    refolded : ndarray, shape (n, n_channels)
        Electrons expected by the result, by that response.
    blind : BlindResponse, optional
        Where the response was estimated from the spectra themselves.
    peaks : Measured, ZeroLoss or BlindResponse, optional
        `centre` and `problem` of their zero-loss peaks; found in them if not given.

    Returns
    -------
    Outlying
        What is judged is how far spectra are from what is expected, in relative terms,
        where that is more than noise: values do not grow with the dose. A response of
        an unknown shape matters where its likely error is not small beside the losses.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    electrons, refolded = _checked(electrons, refolded)
    n, n_channels = electrons.shape
    peaks = find_zero_loss(electrons) if peaks is None else peaks
    centre = np.where(np.isfinite(peaks.centre), peaks.centre, 0.0)
    width = np.broadcast_to(response.fwhm, n)
    distance = (np.arange(n_channels) - centre[:, None]) / width[:, None]
    line = _line(response, centre, n_channels)
    read = np.broadcast_to(noise.read_electrons, n)
    number, share = peak_share(electrons, line, distance)
    peak = number[:, None] * line
    residuals = (electrons - refolded) / np.sqrt(refolded + read[:, None] + 1e-3)
    narrow, wide = TRAINED_WIDTHS
    near, past = np.abs(distance) < PEAK_WITHIN, distance > PEAK_WITHIN
    values = {
        "no zero-loss peak": (peaks.problem != "").astype(float),
        "peak not explained": misfit(residuals, refolded, near),
        "losses not explained": misfit(residuals, refolded, past),
        "counts before the peak": unexplained_before(electrons, peak, distance, read),
        "few electrons without loss": 1 / np.maximum(share, 1e-6),
        "width not trained for": np.maximum(width / wide, narrow / width),
    }
    if blind is not None:
        losses = np.where(distance > 0.5, refolded - peak, 0)
        values["response of an unknown shape"] = _unknown_shape(blind, number, losses)
    table = np.stack([values[name] / REASONS[name] for name in values], axis=1)
    table = np.nan_to_num(table, nan=0.0)
    return Outlying((table >= 1).any(axis=1), tuple(values), table)


def _checked(
    electrons: np.ndarray, refolded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both as finite real numbers of one shape, expected counts not below zero."""
    electrons = np.asarray(electrons, dtype=float)
    refolded = np.asarray(refolded, dtype=float)
    if electrons.ndim != 2 or electrons.shape != refolded.shape:
        raise ValueError(
            f"`electrons` has the shape {electrons.shape}, `refolded` "
            f"{refolded.shape}; give the same spectra, one a row, in both."
        )
    electrons = np.nan_to_num(electrons, nan=0.0, posinf=0.0, neginf=0.0)
    return electrons, np.maximum(np.nan_to_num(refolded, nan=0.0, posinf=0.0), 0)


def _unknown_shape(
    blind: BlindResponse, number: np.ndarray, losses: np.ndarray
) -> np.ndarray:
    """How odd a response is, as far as its likely error is not small beside losses.

    `number` are the electrons of the peak; `losses` those expected in each channel.
    """
    energy = np.maximum(np.sum(losses**2, axis=1), 1e-12)
    return np.minimum(blind.oddness / ODD, number**2 * blind.doubt / energy / DOUBTFUL)


def _line(response: Response, centre: np.ndarray, n_channels: int) -> np.ndarray:
    """The peak of one electron without loss, on the axis."""
    kernel = response.kernel
    at = np.arange(n_channels) - centre[:, None] + response.half_width
    left = np.floor(at).astype(int)
    part = at - left
    inside = (left >= 0) & (left < kernel.shape[1] - 1)
    left = np.where(inside, left, 0)
    rows = np.arange(len(centre))[:, None] if len(response) > 1 else 0
    values = (1 - part) * kernel[rows, left] + part * kernel[rows, left + 1]
    return np.where(inside, values, 0)
