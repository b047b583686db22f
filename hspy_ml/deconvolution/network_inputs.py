# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deconvolving network is shown of a spectrum, channel by channel.

All in units that do not depend on the dose: counts by their square roots, differences
in standard deviations of the noise; large ones compressed by the inverse hyperbolic
sine.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .exposure import Exposure

__all__ = [
    "NOISE_SHARES",
    "N_INPUTS",
    "Estimate",
    "network_inputs",
]

NOISE_SHARES = 0.3, 0.03, 0.003, 0.0003  # of the Wiener filters
CONTEXT = 5
N_INPUTS = 5 + len(NOISE_SHARES) + CONTEXT
LARGEST_RESIDUAL = 100.0  # standard deviations
LARGEST_DIFFERENCE = 1e4  # standard deviations
LARGEST_DISTANCE = 10.0  # widths of the response
LEAST_VARIANCE = 0.5  # electrons^2


@dataclass(frozen=True, eq=False)
class Estimate:
    """Losses somebody has found, and what they leave unexplained.

    Parameters
    ----------
    losses : Tensor, shape (n, n_channels)
        At the target resolution.
    area : Tensor, shape (n, 1)
        Of the zero-loss line.
    noise : Tensor, shape (n, n_channels)
        Standard deviation of the electrons in each channel.
    residual : Tensor, shape (n, n_channels)
        Measured less expected electrons, in standard deviations.
    sharpened : Tensor, shape (n, n_filters, n_channels)
        The residual deconvolved, see `Exposure.sharpened`.
    """

    losses: Tensor
    area: Tensor
    noise: Tensor
    residual: Tensor
    sharpened: Tensor

    @classmethod
    def of(cls, exposure: Exposure, losses: Tensor, area: Tensor) -> Estimate:
        """Compare with the measured spectra.

        Parameters
        ----------
        exposure : Exposure
        losses : Tensor, shape (n, n_channels + 2 MARGIN)
        area : Tensor, shape (n, 1)
        """
        expected = exposure.expected(losses, area)
        variance = expected + exposure.read_variance + LEAST_VARIANCE
        noise = torch.sqrt(variance)
        residual = (exposure.electrons - expected) / noise
        residual.clamp_(-LARGEST_RESIDUAL, LARGEST_RESIDUAL)
        sharpened = exposure.sharpened(residual, NOISE_SHARES)
        sharp = exposure.at_target(losses)
        return cls(sharp, area, noise, residual, sharpened)


def network_inputs(exposure: Exposure, early: Tensor, late: Estimate) -> Tensor:
    """Measured spectra, what Richardson-Lucy iterations found, and what they left.

    Parameters
    ----------
    exposure : Exposure
    early : Tensor, shape (n, n_channels)
        Losses after few iterations, at the target resolution.
    late : Estimate
        After more.

    Returns
    -------
    Tensor, shape (n, N_INPUTS, n_channels)
    """
    parts = [
        _root(exposure, exposure.electrons),
        _root(exposure, late.area * exposure.line),
        _root(exposure, late.losses),
        compressed(late.residual),
        _difference(early, late.losses, late.noise),
    ]
    return _stacked(parts, late.sharpened, _context(exposure, late))


def _context(exposure: Exposure, late: Estimate) -> list[Tensor]:
    """Where a channel is and what the spectrum is like, CONTEXT tensors."""
    place = (exposure.distance / exposure.fwhm).clamp(
        -LARGEST_DISTANCE, LARGEST_DISTANCE
    )
    like = exposure.distance
    return [
        place / LARGEST_DISTANCE,
        torch.log(late.noise) / 3 - 1,
        (torch.log10(exposure.area) / 4 - 1.5).expand_as(like),
        torch.log(exposure.fwhm / 16).expand_as(like),
        torch.log(exposure.target_width / 4).expand_as(like),
    ]


def _stacked(parts: list[Tensor], sharpened: Tensor, around: list[Tensor]) -> Tensor:
    shown = [torch.stack(parts, dim=1), compressed(sharpened)]
    return torch.cat([*shown, torch.stack(around, dim=1)], dim=1)


def compressed(values: Tensor) -> Tensor:
    """The logarithm of one more than the size, with the sign; much like asinh."""
    return torch.log1p(values.abs()).copysign_(values)


def _root(exposure: Exposure, electrons: Tensor) -> Tensor:
    """Electrons in units in which their noise is alike, compressed."""
    floor = exposure.read_variance + 0.375  # F. J. Anscombe, Biometrika 35 (1948) 246
    root = torch.sqrt(electrons.clamp(min=0) + floor) - torch.sqrt(floor)
    return compressed(root)


def _difference(losses: Tensor, other: Tensor, noise: Tensor) -> Tensor:
    apart = (losses - other) / noise
    return compressed(apart.clamp_(-LARGEST_DIFFERENCE, LARGEST_DIFFERENCE))
