# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's second network: of which phase is this spectrum?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SeedCNN", "phase_loss"]

KERNEL = 10
STRIDE = 2
FEATURES = (8, 16)
FULLY_CONNECTED = (100, 32, 8)
SPREAD_OF_WEIGHTS = 0.1  # at the start


class SeedCNN(nn.Module):
    """Two convolutions with pooling and three fully connected layers.

    Kernels of 10 channels, stride 2, 8 and 16 features, a maximum over 10 channels with
    stride 2 after each, "same" padding: 2040 channels become 1020, 510, 255 and 128.
    ReLU follows the convolutions only, and no layer has a bias, as in the program that
    its authors published: the fully connected layers are one linear map. It takes
    counts as they are.

    Parameters
    ----------
    n_channels : int
        Channels of the spectra.
    n_phases : int

    References
    ----------
    Y. Zhang et al., "Reduced electron exposure for energy-dispersive spectroscopy
    using dynamic sampling", Ultramicroscopy 184 (2018) 90.
    """

    def __init__(self, n_channels: int, n_phases: int) -> None:
        super().__init__()
        self.hyperparameters = {"n_channels": n_channels, "n_phases": n_phases}
        n_features = (1, *FEATURES)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_in, n_out, KERNEL, STRIDE, bias=False)
            for n_in, n_out in zip(n_features[:-1], n_features[1:], strict=True)
        )
        sizes = (self.flat_size(n_channels), *FULLY_CONNECTED, n_phases)
        self.layers = nn.Sequential(
            *(
                nn.Linear(n_in, n_out, bias=False)
                for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)
            )
        )
        for weight in self.parameters():
            limit = 2 * SPREAD_OF_WEIGHTS
            nn.init.trunc_normal_(weight, std=SPREAD_OF_WEIGHTS, a=-limit, b=limit)

    @staticmethod
    def flat_size(n_channels: int) -> int:
        """Numbers that the fully connected layers are given.

        Parameters
        ----------
        n_channels : int

        Returns
        -------
        int
            2048 for 2040 channels.
        """
        length = n_channels
        for _ in range(2 * len(FEATURES)):
            length = -(-length // STRIDE)
        return length * FEATURES[-1]

    def forward(self, spectra: Tensor) -> Tensor:
        """Logarithms of the phases' probabilities, but for a constant.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_channels)
            Counts.

        Returns
        -------
        Tensor, shape (n, n_phases)
        """
        found = spectra[:, None]
        for convolution in self.convolutions:
            found = functional.relu(convolution(_padded(found)))
            found = functional.max_pool1d(_padded(found), KERNEL, STRIDE)
        return self.layers(found.flatten(start_dim=1))


def phase_loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross entropy of the phases.

    Parameters
    ----------
    network : torch.nn.Module
        Gives logarithms of probabilities, but for a constant.
    batch : tuple of Tensor
        Spectra, and the number of the phase of each, from 0.

    Returns
    -------
    Tensor
        Scalar.
    """
    spectra, phases = batch
    return functional.cross_entropy(network(spectra).float(), phases)


def _padded(found: Tensor) -> Tensor:
    """Zeros at both ends, so that the stride alone decides the length.

    Behind a ReLU they change no maximum.
    """
    length = found.shape[-1]
    missing = max((-(-length // STRIDE) - 1) * STRIDE + KERNEL - length, 0)
    return functional.pad(found, (missing // 2, missing - missing // 2))
