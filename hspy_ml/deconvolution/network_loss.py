# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deconvolving network is trained to lower."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .exposure import Exposure
from .network_stream import Batch

if TYPE_CHECKING:
    from .deconvolution_network import DeconvolutionNetwork, Restored

__all__ = ["deconvolution_loss", "exposure_of"]

BEFORE, WITHIN = 0.3, 0.05  # weights of channels below and in the zero-loss peak
FAR = 10.0  # scales of the error, from where on it counts by its logarithm
NOISE_FLOOR = 0.1  # of the noise's energy, added to that of the losses
LEAST_ERROR = 3e-5  # relative squared error that is good enough
VARIATION_FLOOR = 0.01  # of the noise, added to the variation of the losses
LEAST_VARIATION = 0.01  # relative total variation that is good enough
USUAL_ERROR, USUAL_ELECTRONS, USUAL_POWER = 6e-3, 1e8, 0.4
LEAST_ELECTRONS = 1e4


def exposure_of(batch: Batch) -> Exposure:
    """The spectra of a batch with their operators.

    Parameters
    ----------
    batch : Batch of Tensor

    Returns
    -------
    Exposure
    """
    return Exposure(
        batch.electrons,
        batch.read_variance,
        batch.kernels,
        batch.centre,
        batch.fwhm,
        batch.target_width,
        batch.doubt,
    )


def deconvolution_loss(
    network: DeconvolutionNetwork, batch: tuple[Tensor, ...]
) -> Tensor:
    r"""Surprise at the true losses, and the relative squared error.

    The surprise is minus the log-likelihood of a Laplace distribution of the predicted
    scale, with heavier tails. The relative squared error `e` of the losses beyond half
    a width of the response counts as :math:`\tfrac12 \ln e + \ln(1 + e / e_0)`: it is
    lowered in every spectrum, most where it is above what is usual at the dose, `e_0`.
    The same is asked of the total variation of the error, over that of the losses:
    ripples that look like peaks cost more than errors that are smooth.

    Parameters
    ----------
    network : DeconvolutionNetwork
    batch : tuple of Tensor
        See :class:`hspy_ml.deconvolution.network_stream.Batch`.

    Returns
    -------
    Tensor
        Mean over the batch.
    """
    batch = Batch(*batch)
    exposure = exposure_of(batch)
    restored = network(exposure)
    terms = (_surprise, _relative_error, _relative_variation)
    return sum(term(restored, batch.losses, exposure).mean() for term in terms)


def _surprise(restored: Restored, truth: Tensor, exposure: Exposure) -> Tensor:
    """Per spectrum, mean over channels."""
    error = (restored.losses - truth).abs() / restored.scale
    error = torch.where(
        error < FAR, error, FAR * (1 + torch.log(error.clamp(min=FAR) / FAR))
    )
    weight = torch.where(exposure.distance > 0, 1.0, BEFORE)
    weight = torch.where(exposure.distance.abs() < exposure.fwhm / 2, WITHIN, weight)
    surprise = (error + restored.log_scale) * weight
    return surprise.sum(dim=1) / weight.sum(dim=1)


def _relative_error(restored: Restored, truth: Tensor, exposure: Exposure) -> Tensor:
    """Per spectrum."""
    region = (exposure.distance > exposure.fwhm / 2).float()
    energy = ((truth**2 + NOISE_FLOOR * restored.noise**2) * region).sum(dim=1)
    error = ((restored.losses - truth) ** 2 * region).sum(dim=1) / energy
    electrons = exposure.area[:, 0].clamp(min=LEAST_ELECTRONS)
    usual = USUAL_ERROR * (USUAL_ELECTRONS / electrons) ** USUAL_POWER
    return 0.5 * torch.log(error + LEAST_ERROR) + torch.log1p(error / usual)


def _relative_variation(
    restored: Restored, truth: Tensor, exposure: Exposure
) -> Tensor:
    """Per spectrum."""
    region = (exposure.distance > exposure.fwhm / 2)[:, 1:].float()
    error = ((restored.losses - truth).diff(dim=1).abs() * region).sum(dim=1)
    variation = (truth.diff(dim=1).abs() * region).sum(dim=1)
    floor = VARIATION_FLOOR * (restored.noise[:, 1:] * region).sum(dim=1)
    return 0.25 * torch.log(error / (variation + floor) + LEAST_VARIATION)
