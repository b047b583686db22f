# SPDX-License-Identifier: GPL-3.0-or-later
"""EELSpecNet in the place of the dilated network: it is not told the response."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..networks.eelspecnet import EELSpecNet, seed_loss
from .deconvolution_network import CALIBRATION_GRID, DeconvolutionNetwork, Restored
from .exposure import Exposure
from .network_stream import USUAL_TARGET, Batch
from .seed_stream import ZERO_CHANNEL

__all__ = ["SeedNetwork", "batch_loss", "compressed", "expanded", "share_loss"]

UNIT = 1e-4  # of the electrons, in a channel: intensities below it are linear
FULL = float(torch.asinh(torch.tensor(1 / UNIT)))
LINE_REACH = 2.5  # target widths beside the zero loss, within which losses run on
NOISE_PASSED = 0.3  # of the standard deviation of a channel, that comes through
FIRST_SPREAD = 0.01  # of compressed intensities, before it is measured
LEAST_VARIANCE = 0.5  # electrons^2
SIGMA_PER_FWHM = 0.42466


class SeedNetwork(nn.Module):
    """Losses by EELSpecNet, from the spectrum alone.

    The network sees the share of the electrons in each channel, compressed by the
    inverse hyperbolic sine: as published, with linear intensities, losses of a
    thousandth of the zero-loss line cost as much training as there are (30 CPU-days).
    Spectra are moved by whole channels to where the zero loss was in its training.

    Parameters
    ----------
    width : int, default 8
        Features of the first level; published: 64.
    n_levels : int, default 10
    dilation : int, default 3
        Of the first `n_dilated` levels; published: 1.
    n_dilated : int, default 6

    Attributes
    ----------
    target_width : Tensor, shape (1,)
        FWHM in channels of what it was trained to make of the zero loss.
    spread : Tensor, shape (1,)
        Scale of its errors, as compressed intensities.
    """

    def __init__(
        self, width: int = 8, n_levels: int = 10, dilation: int = 3, n_dilated: int = 6
    ) -> None:
        super().__init__()
        n_dilated = min(n_dilated, n_levels)
        dilations = (dilation,) * n_dilated + (1,) * (n_levels - n_dilated)
        self.network = EELSpecNet(width, dilations)
        self.hyperparameters = {
            "width": width,
            "n_levels": n_levels,
            "dilation": dilation,
            "n_dilated": n_dilated,
        }
        self.register_buffer("target_width", torch.tensor([USUAL_TARGET]))
        self.register_buffer("spread", torch.tensor([FIRST_SPREAD]))
        laplace = torch.tensor([[1.139], [2.996]])  # its 68 % and 95 % intervals
        self.register_buffer("log_widening", laplace.log().repeat(1, CALIBRATION_GRID))

    standard_errors = DeconvolutionNetwork.standard_errors
    place_of = DeconvolutionNetwork.place_of

    def forward(self, exposure: Exposure) -> Restored:
        """Find the losses.

        Parameters
        ----------
        exposure : Exposure
            Of which the response is not looked at.

        Returns
        -------
        Restored
            The scale of the errors is that on spectra like those of its training, and
            part of the noise.
        """
        centre = -exposure.distance[:, 0]
        dose = exposure.electrons.sum(dim=1, keepdim=True).clamp(min=1.0)
        seen = compressed(_placed(exposure.electrons / dose, centre))
        share = expanded(self.network(seen).float())
        share = _taken_back(share, centre, exposure.n_channels)
        reach = LINE_REACH * float(self.target_width)
        losses = _beneath_line(share, exposure.distance, reach) * dose
        noise = torch.sqrt(
            exposure.electrons.clamp(min=0) + exposure.read_variance + LEAST_VARIANCE
        )
        slope = FULL * torch.hypot(losses / dose, torch.tensor(UNIT)) * dose
        scale = torch.hypot(self.spread * slope, NOISE_PASSED * noise)
        return Restored(losses, torch.log(scale / noise), noise)


def compressed(shares: Tensor) -> Tensor:
    """Shares of the electrons, of up to one, as numbers of up to one.

    Parameters
    ----------
    shares : Tensor

    Returns
    -------
    Tensor
    """
    return torch.asinh(shares / UNIT) / FULL


def expanded(numbers: Tensor) -> Tensor:
    """The inverse of :func:`compressed`.

    Parameters
    ----------
    numbers : Tensor

    Returns
    -------
    Tensor
    """
    return torch.sinh(numbers * FULL) * UNIT


def share_loss(network: SeedNetwork, batch: tuple[Tensor, ...]) -> Tensor:
    """The published loss, on compressed intensities.

    Parameters
    ----------
    network : SeedNetwork
    batch : tuple of Tensor
        Shares of the electrons, measured and true, shape (n, n_channels), the zero
        loss where it has to be; see :class:`hspy_ml.deconvolution.seed_stream`.

    Returns
    -------
    Tensor
        Scalar.
    """
    spectra, truth = batch
    return seed_loss(network.network, (compressed(spectra), compressed(truth)))


def batch_loss(network: SeedNetwork, batch: tuple[Tensor, ...]) -> Tensor:
    """The published loss, on spectra with counting noise.

    Parameters
    ----------
    network : SeedNetwork
    batch : tuple of Tensor
        See :class:`hspy_ml.deconvolution.network_stream.Batch`.

    Returns
    -------
    Tensor
        Scalar.
    """
    batch = Batch(*batch)
    total = batch.electrons.sum(dim=1, keepdim=True).clamp(min=1.0)
    area = (total - batch.losses.sum(dim=1, keepdim=True)).clamp(min=1.0)
    sigma = SIGMA_PER_FWHM * batch.target_width[:, None]
    channel = torch.arange(batch.electrons.shape[1], device=total.device)
    distance = channel - batch.centre[:, None]
    line = torch.exp(-0.5 * (distance / sigma) ** 2)
    line = line / line.sum(dim=1, keepdim=True).clamp(min=1e-6)
    truth = (batch.losses + area * line) / total
    shares = batch.electrons / total
    return share_loss(
        network, (_placed(shares, batch.centre), _placed(truth, batch.centre))
    )


def _placed(spectra: Tensor, centre: Tensor) -> Tensor:
    """Moved so that the zero loss is in the channel of the training; else zero."""
    first = centre.round().long() - ZERO_CHANNEL
    return _gathered(spectra, first, spectra.shape[1] + ZERO_CHANNEL)


def _taken_back(spectra: Tensor, centre: Tensor, n_channels: int) -> Tensor:
    """The inverse of `_placed`."""
    return _gathered(spectra, ZERO_CHANNEL - centre.round().long(), n_channels)


def _gathered(spectra: Tensor, first: Tensor, n_channels: int) -> Tensor:
    """So many channels from a first one, zero where there are none."""
    channel = torch.arange(n_channels, device=spectra.device) + first[:, None]
    there = (channel >= 0) & (channel < spectra.shape[1])
    found = torch.gather(spectra, 1, channel.clamp(0, spectra.shape[1] - 1))
    return found * there


def _beneath_line(share: Tensor, distance: Tensor, reach: float) -> Tensor:
    """Losses without the zero-loss line: beneath it they run on evenly."""
    inside = distance.abs() <= reach
    rows = torch.arange(len(share))
    first = inside.int().argmax(dim=1)
    last = share.shape[1] - 1 - inside.int().flip(1).argmax(dim=1)
    before = share[rows, (first - 1).clamp(min=0)]
    after = share[rows, (last + 1).clamp(max=share.shape[1] - 1)]
    level = torch.minimum(before, after)[:, None]
    return torch.where(inside, torch.minimum(share, level), share)
