# SPDX-License-Identifier: GPL-3.0-or-later
"""The deconvolving network: likelihood steps first, then a dilated U-net."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..networks.dilated_unet import DilatedUNet
from ..networks.threads import has_half_precision
from .exposure import Exposure
from .network_inputs import N_INPUTS, NOISE_SHARES, Estimate, network_inputs

__all__ = ["DeconvolutionNetwork", "Restored"]

ITERATIONS = 5, 20  # of Richardson-Lucy, that the network is shown
LARGEST_OUTPUT = 7.0  # of the correction, whose hyperbolic sine counts
LOG_SCALES = -3.0, 8.0  # of errors over the noise, least and largest
SHARPNESS = 4.0  # of the bend at zero losses, per standard deviation of the noise
SHY = 2.0  # how far the weights of what is mixed in are below one half at the start
ERRORS, CORRECTION, WEIGHTS = 1, 0, 2  # which output is which
CALIBRATION_GRID = 9  # doses at which the errors are calibrated
NORMAL_95 = 1.96  # standard errors that cover 95 % of normal ones
LOG_DOSES = 10.0, 22.0  # natural logarithm of the electrons in the zero-loss line


class Restored(NamedTuple):
    """Losses at the target resolution, on the axis of the measured spectra.

    Attributes
    ----------
    losses : Tensor, shape (n, n_channels)
        Electrons.
    log_scale : Tensor, shape (n, n_channels)
        Logarithm of the scale (mean absolute deviation) of their errors over `noise`.
    noise : Tensor, shape (n, n_channels)
        Standard deviation of the measured electrons.
    """

    losses: Tensor
    log_scale: Tensor
    noise: Tensor

    @property
    def scale(self) -> Tensor:
        """Scale of the errors, electrons."""
        return torch.exp(self.log_scale) * self.noise


class DeconvolutionNetwork(nn.Module):
    """Losses at the target resolution from spectra whose response is known.

    Richardson-Lucy iterations, and the residual they leave, deconvolved by Wiener
    filters of several strengths, are shown to a dilated U-net. It says, channel by
    channel, how much of each filtered residual to add, what to add besides, and how
    large the error is.

    Parameters
    ----------
    width : int, default 32
        Features of the finest level.
    n_levels, n_dilations : int
        See :class:`hspy_ml.networks.dilated_unet.DilatedUNet`.
    """

    def __init__(self, width: int = 32, n_levels: int = 4, n_dilations: int = 5):
        super().__init__()
        self.hyperparameters = {
            "width": width,
            "n_levels": n_levels,
            "n_dilations": n_dilations,
        }
        n_outputs = WEIGHTS + len(NOISE_SHARES)
        self.unet = DilatedUNet(N_INPUTS, n_outputs, width, n_levels, n_dilations)
        self.doubting = nn.Parameter(torch.zeros(width))
        laplace = torch.tensor([[1.139], [2.996]])  # its 68 % and 95 % intervals
        self.register_buffer("log_widening", laplace.log().repeat(1, CALIBRATION_GRID))

    def forward(self, exposure: Exposure) -> Restored:
        """Find the losses.

        Parameters
        ----------
        exposure : Exposure
            On the CPU.

        Returns
        -------
        Restored
        """
        with torch.no_grad():
            start = exposure.rough_losses()
            (early, _), late = exposure.climb(start, exposure.area, ITERATIONS)
            found = Estimate.of(exposure, *late)
            seen = network_inputs(exposure, exposure.at_target(early), found)
        # half precision changes results by far less than their errors
        half = self.training or has_half_precision()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            outputs = self.unet(seen, exposure.doubt * self.doubting)
        return _restored(found, outputs)

    def standard_errors(self, restored: Restored, area: Tensor) -> Tensor:
        """Errors of which one covers about 68 % and 1.96 about 95 %.

        The errors have longer tails than normal ones, so that no width does both;
        the geometric mean of the two that do one each comes near.

        Parameters
        ----------
        restored : Restored
        area : Tensor, shape (n, 1)
            Electrons in the zero-loss line.

        Returns
        -------
        Tensor, shape (n, n_channels)
            Electrons.
        """
        place = self.place_of(area)
        lower = place.floor().long().clamp(max=CALIBRATION_GRID - 2)
        part = place - lower
        logs = self.log_widening
        between = (1 - part) * logs[:, lower] + part * logs[:, lower + 1]
        widening = between.mean(dim=0) - 0.5 * math.log(NORMAL_95)
        return widening.exp()[:, None] * restored.scale

    def place_of(self, area: Tensor) -> Tensor:
        """Where doses lie on the grid of the calibration.

        Parameters
        ----------
        area : Tensor, shape (n, 1)
            Electrons in the zero-loss line.

        Returns
        -------
        Tensor, shape (n,)
            From 0 to CALIBRATION_GRID - 1.
        """
        lowest, highest = LOG_DOSES
        last = CALIBRATION_GRID - 1
        place = (torch.log(area[:, 0]) - lowest) / (highest - lowest) * last
        return place.clamp(0, last)


def _restored(start: Estimate, outputs: Tensor) -> Restored:
    """Add to a start what the network wants added."""
    units = start.losses / start.noise
    weights = torch.sigmoid(outputs[:, WEIGHTS:] - SHY)
    units = units + (weights * start.sharpened).sum(dim=1)
    correction = outputs[:, CORRECTION].clamp(-LARGEST_OUTPUT, LARGEST_OUTPUT)
    units = functional.softplus(units + torch.sinh(correction), beta=SHARPNESS)
    log_scale = outputs[:, ERRORS].clamp(*LOG_SCALES)
    return Restored(units * start.noise, log_scale, start.noise)
