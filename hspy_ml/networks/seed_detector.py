# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's first network: is this a spectrum like those that we know?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["SeedDetector", "line_loss"]

NEURONS = 100
HIDDEN_LAYERS = 5
POINTS_OF_LINE = 100
THRESHOLD = 100.0  # variance of the residual above which a spectrum is ill


class SeedDetector(nn.Module):
    """Five layers of 100 neurons that are taught to answer with a straight line.

    The network sees known spectra alone, and learns to give the numbers 0 to 99 for
    each of them. What it answers to other spectra is chance; where the answer strays
    from the line, the spectrum is ill. It takes counts as they are.

    Parameters
    ----------
    n_channels : int
        Channels of the spectra.

    References
    ----------
    Y. Zhang et al., "Reduced electron exposure for energy-dispersive spectroscopy
    using dynamic sampling", Ultramicroscopy 184 (2018) 90.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.hyperparameters = {"n_channels": n_channels}
        layers: list[nn.Module] = []
        n_inputs = n_channels
        for _ in range(HIDDEN_LAYERS):
            layers += [nn.Linear(n_inputs, NEURONS), nn.ReLU()]
            n_inputs = NEURONS
        self.layers = nn.Sequential(*layers, nn.Linear(NEURONS, POINTS_OF_LINE))
        self.register_buffer("line", torch.arange(POINTS_OF_LINE).float())

    def forward(self, spectra: Tensor) -> Tensor:
        """Answer to spectra.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_channels)
            Counts.

        Returns
        -------
        Tensor, shape (n, 100)
            The numbers 0 to 99 where the spectrum is known.
        """
        return self.layers(spectra)

    def residual_variance(self, spectra: Tensor) -> Tensor:
        """Variance of what is left of the answers without the line.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_channels)

        Returns
        -------
        Tensor, shape (n,)
            Above 100 the seed calls a spectrum ill.
        """
        return (self(spectra) - self.line).var(dim=1, unbiased=False)


def line_loss(network: SeedDetector, batch: tuple[Tensor, ...]) -> Tensor:
    """Mean squared distance of the answers from the line.

    Parameters
    ----------
    network : SeedDetector
    batch : tuple of Tensor
        Spectra; what follows them is not looked at.

    Returns
    -------
    Tensor
        Scalar.
    """
    return ((network(batch[0]) - network.line) ** 2).mean()
