# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network is trained for: the right composition, error and spectrum."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.quantifier import QuantifierNetwork

__all__ = ["quantification_loss"]

SHARE_OF_SPECTRUM = 0.3
SMALLEST_SHARE = 1e-12


def quantification_loss(
    network: QuantifierNetwork, batch: tuple[Tensor, ...]
) -> Tensor:
    r"""Loss of a batch.

    .. math:: \frac{(\hat f - f)^2}{2 \sigma_0^2}
              + \ln \hat\sigma + \frac{(\hat f_0 - f)^2}{2 \hat\sigma^2}
              - 0.3 \sum_k s_k \ln \hat s_k

    The first term makes the fractions the posterior mean, whatever the error bars do;
    :math:`\sigma_0`, what is to be expected at that dose, lets all doses count alike.
    The second is the Gaussian likelihood of the error bars, through which no gradient
    reaches the fractions. The third is that of the shares of the G-matrix's columns.

    Parameters
    ----------
    network : QuantifierNetwork
    batch : tuple of Tensor
        Spectra, populations, atomic fractions, and shares as
        :meth:`hspy_ml.simulation.spectrum_bank.SpectrumBank.draw` gives them.

    Returns
    -------
    Tensor
        Scalar.

    References
    ----------
    A. Stirn et al., "Faithful heteroscedastic regression with neural networks",
    AISTATS (2023): why the gradients are kept apart.
    """
    spectra, populations, fractions, shares = batch
    found = network(spectra, populations)
    counts = spectra.sum(dim=1, keepdim=True)
    squared = (found.fractions - fractions) ** 2
    accuracy = squared / network.expected_deviations(counts) ** 2
    variance = found.deviations**2
    likelihood = squared.detach() / variance + torch.log(variance)
    mismatch = -(shares * found.log_shares).sum(dim=1)
    return 0.5 * (accuracy + likelihood).mean() + SHARE_OF_SPECTRUM * mismatch.mean()
