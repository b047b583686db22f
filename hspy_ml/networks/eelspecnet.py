# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's network: a spectrum without its response, by a deep strided U-net."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["EELSpecNet", "seed_loss"]

KERNEL = 4
STRIDE = 2
LARGEST_GROWTH = 32  # features of the deepest levels, in those of the first
PEDESTAL = 1e-3  # on truth and estimate, in the loss
NEAREST_TO_ONE = 1e-6


class EELSpecNet(nn.Module):
    """A U-net of strided convolutions, one down and one up for each level.

    Kernels of four channels with stride 2 halve the spectrum at each level, twice the
    features of the level before, up to 32 times those of the first; transposed
    convolutions double it again, and what they give is put beside what the way down had
    at that length. ReLU follows all layers but the last, whose output `x` becomes
    ``tanh(relu(x))``. No normalisation and no residual path.

    With 64 features, ten levels and no dilation it is the published program, of 218
    million weights; the number of weights goes with the square of `width`. Its authors
    name dilated networks as their model, their program has no dilation: here each level
    has one, in both directions. It must be odd: with a stride of 2 an even one never
    sees every other channel.

    Parameters
    ----------
    width : int, default 8
        Features of the first level; published: 64.
    dilations : sequence of int, default (3, 3, 3, 3, 3, 3, 1, 1, 1, 1)
        One for each level, the first first. Ten ones are the published program.

    Raises
    ------
    ValueError
        If the width is below 1, or a dilation is even or below 1, or there is none.

    References
    ----------
    S. S. Mousavi M. et al., "Alignment-invariant signal reality reconstruction in
    hyperspectral imaging using a deep convolutional neural network architecture", Sci.
    Rep. 12 (2022) 17462.
    """

    def __init__(
        self, width: int = 8, dilations: Sequence[int] = (3,) * 6 + (1,) * 4
    ) -> None:
        super().__init__()
        _check(width, dilations)
        self.hyperparameters = {"width": width, "dilations": list(dilations)}
        n_levels = len(dilations)
        features = [width * min(2**k, LARGEST_GROWTH) for k in range(n_levels)]
        self.down = nn.ModuleList(
            nn.Conv2d(n_in, n_out, (1, KERNEL), (1, STRIDE), **_padding(dilation))
            for n_in, n_out, dilation in zip(
                [1, *features[:-1]], features, dilations, strict=True
            )
        )
        self.up = nn.ModuleList()
        n_in = features[-1]
        for level in reversed(range(n_levels)):
            n_out = features[level - 1] if level else 1
            how = _padding(dilations[level])
            self.up.append(
                nn.ConvTranspose2d(n_in, n_out, (1, KERNEL), (1, STRIDE), **how)
            )
            n_in = 2 * n_out
        for layer, n_seen in [
            *((layer, KERNEL) for layer in self.down),
            *((layer, KERNEL // STRIDE) for layer in self.up),
        ]:
            nn.init.normal_(layer.weight, std=(2 / (n_seen * layer.in_channels)) ** 0.5)
            nn.init.zeros_(layer.bias)
        self.to(memory_format=torch.channels_last)

    @property
    def multiple(self) -> int:
        """What the number of channels must be a multiple of; others are padded."""
        return STRIDE ** len(self.down)

    def forward(self, spectra: Tensor) -> Tensor:
        """Remove the response.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_channels)
            Each divided by its sum.

        Returns
        -------
        Tensor, shape (n, n_channels)
            From 0 to 1.
        """
        n_channels = spectra.shape[1]
        missing = -n_channels % self.multiple
        found = functional.pad(spectra, (0, missing))[:, None, None]
        found = found.contiguous(memory_format=torch.channels_last)
        kept = []
        for layer in self.down:
            found = functional.relu(layer(found))
            kept.append(found)
        kept.pop()
        for layer in self.up[:-1]:
            found = torch.cat([functional.relu(layer(found)), kept.pop()], dim=1)
        found = torch.tanh(_rectified(self.up[-1](found)))
        return found[:, 0, 0, :n_channels]


def seed_loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    r"""Cross entropy of spectra between 0 and 1, as published.

    .. math:: -\langle t \ln p + (1 - t) \ln (1 - p) \rangle

    with 0.001 added to truth :math:`t` and estimate :math:`p`. The layers are computed
    in numbers of 16 bits.

    Parameters
    ----------
    network : torch.nn.Module
        An :class:`EELSpecNet`.
    batch : tuple of Tensor
        Measured and true spectra, each shape (n, n_channels), from 0 to 1.

    Returns
    -------
    Tensor
        Scalar.
    """
    spectra, truth = batch
    with torch.autocast(spectra.device.type, dtype=torch.bfloat16):
        found = network(spectra)
    found = (found.float() + PEDESTAL).clamp(max=1 - NEAREST_TO_ONE)
    truth = (truth + PEDESTAL).clamp(max=1.0)
    return functional.binary_cross_entropy(found, truth)


def _rectified(found: Tensor) -> Tensor:
    """ReLU whose gradient is one everywhere.

    A channel below zero is moved by the error of the zero that it gives; with no
    gradient there, the network soon gives nothing but zeros, for ever.
    """
    return found + (functional.relu(found) - found).detach()


def _padding(dilation: int) -> dict[str, object]:
    """So that the stride alone decides the length."""
    reach = (KERNEL - 1) * dilation
    return {"padding": (0, reach // 2), "dilation": (1, dilation)}


def _check(width: int, dilations: Sequence[int]) -> None:
    if width < 1:
        raise ValueError(f"`width` is {width}; give 1 or more (published: 64).")
    if not len(dilations) or any(d < 1 or d % 2 == 0 for d in dilations):
        raise ValueError(
            f"`dilations` are {tuple(dilations)}; give an odd number for each level: "
            "with a stride of 2 an even one never sees every other channel."
        )
