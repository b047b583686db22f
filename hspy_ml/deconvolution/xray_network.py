# SPDX-License-Identifier: GPL-3.0-or-later
"""A dilated U-net that corrects Richardson-Lucy on X-ray spectra, with errors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..networks.dilated_unet import DilatedUNet
from .xray_inputs import N_INPUTS

__all__ = ["XrayNetwork", "standard_errors", "xray_loss"]

BEND = 4.0  # of the curve that keeps square roots above zero
LEAST = 0.02  # counts, added to the start so that none is stuck at zero
LOG_SCALES = (-5.0, 4.0)  # of the errors of square roots
LOG_DOSES = (3.0, 15.0)  # natural logarithm of the counts of a spectrum
CALIBRATION_GRID = 7  # doses at which errors are calibrated
PEAKS = 0.3  # weight of the error of the spectrum as a whole
LEAST_ERROR = 1e-3  # of the same, beneath which less is gained
LEAST_ENERGY = 1.0  # squared counts


class XrayNetwork(nn.Module):
    """Square roots of counts at the target resolution, and the scale of their errors.

    The square root of a count has the same noise whatever its mean, so that faint and
    strong lines are learned alike. It is that of the start, times one more than an
    output, plus another.

    Parameters
    ----------
    width, n_levels, n_dilations : int
        See :class:`hspy_ml.networks.dilated_unet.DilatedUNet`.
    """

    def __init__(self, width: int = 24, n_levels: int = 4, n_dilations: int = 5):
        super().__init__()
        self.hyperparameters = {
            "width": width,
            "n_levels": n_levels,
            "n_dilations": n_dilations,
        }
        self.unet = DilatedUNet(N_INPUTS, 3, width, n_levels, n_dilations)
        self.register_buffer("log_doses", torch.linspace(*LOG_DOSES, CALIBRATION_GRID))
        self.register_buffer("log_widening", torch.zeros(CALIBRATION_GRID))

    def forward(self, shown: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Correct a start.

        Parameters
        ----------
        shown : Tensor, shape (n, N_INPUTS, n_channels)
        start : Tensor, shape (n, n_channels)

        Returns
        -------
        root, log_scale : Tensor, shape (n, n_channels)
            Of the counts, and of the mean absolute error of it.
        """
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            numbers = self.unet(shown)
        relative, absolute, scale = numbers.float().unbind(dim=1)
        root = torch.sqrt(start + LEAST) * (1 + relative) + absolute
        root = functional.softplus(root, beta=BEND)
        return root, scale.clamp(*LOG_SCALES)

    def widening(self, dose: np.ndarray) -> np.ndarray:
        """Standard errors over the scale that the network gives.

        Parameters
        ----------
        dose : ndarray, shape (n,)
            Counts of the spectra.

        Returns
        -------
        ndarray, shape (n,)
            1.25 for a normal distribution.
        """
        grid, logs = self.log_doses.numpy(), self.log_widening.numpy()
        return np.exp(np.interp(np.log(np.maximum(dose, 1.0)), grid, logs))


def standard_errors(root: Tensor, scale: Tensor) -> Tensor:
    """Errors of counts from those of their square roots.

    Parameters
    ----------
    root, scale : Tensor, shape (n, n_channels)

    Returns
    -------
    Tensor, shape (n, n_channels)
        Up to the upper end of the interval; the lower end is nearer.
    """
    return (2 * root + scale) * scale


def xray_loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Laplace likelihood of square roots, and the error of the spectrum as a whole.

    Parameters
    ----------
    network : XrayNetwork
    batch : tuple of Tensor
        What :meth:`hspy_ml.deconvolution.xray_stream.XrayStream.draw` gives.

    Returns
    -------
    Tensor
        Scalar.
    """
    shown, start, truth, weight, _ = batch
    root, log_scale = network(shown, start)
    off = (root - torch.sqrt(truth)).abs()
    likelihood = off * torch.exp(-log_scale) + log_scale
    likelihood = (weight * likelihood).sum() / weight.sum()
    squared = (weight * (root**2 - truth) ** 2).sum(dim=1)
    energy = (weight * truth**2).sum(dim=1) + LEAST_ENERGY
    whole = torch.log(squared / energy + LEAST_ERROR).mean()
    return likelihood + PEAKS * whole
