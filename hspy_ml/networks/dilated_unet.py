# SPDX-License-Identifier: GPL-3.0-or-later
"""A U-net for spectra of any number of channels, dilated at its coarsest level."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["FOLD", "DilatedUNet"]

FOLD = 2  # neighbouring channels that enter side by side, as features of one place
WIDEST_GROWTH = 4  # levels deeper than this get no wider


class DilatedUNet(nn.Module):
    """Convolutions at halved resolutions, and back, each level beside its equal [1]_.

    Level `l` has ``width (2 + l) / 2`` features. At the coarsest level, convolutions
    with dilations 1, 2, 4, ... see far [2]_. Every convolution but those between levels
    is added to what it was given (a residual path), so that depth costs nothing at the
    start. There is no normalisation over the spectrum: what comes out at one channel
    depends on its neighbourhood alone, not on how long the spectrum is.

    Two neighbouring channels enter as features of one place and leave so. In
    PyTorch, two-dimensional convolutions of height one with the features last in
    memory are several times as fast on a CPU as one-dimensional ones.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Numbers per channel of the spectrum.
    width : int, default 32
        Features of the finest level, even.
    n_levels : int, default 4
    n_dilations : int, default 5
        Dilated convolutions at the coarsest level.

    References
    ----------
    .. [1] O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for
       biomedical image segmentation", MICCAI (2015).
    .. [2] F. Yu, V. Koltun, "Multi-scale context aggregation by dilated
       convolutions", ICLR (2016).
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        width: int = 32,
        n_levels: int = 4,
        n_dilations: int = 5,
    ) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        widths = [width * (2 + min(n, WIDEST_GROWTH)) // 2 for n in range(n_levels)]
        pairs = list(zip(widths, widths[1:], strict=False))
        self.enter = _convolution(n_inputs * FOLD, width, kernel=5)
        self.before = nn.ModuleList(_Residual(w) for w in widths[:-1])
        self.down = nn.ModuleList(
            nn.Conv2d(fine, coarse, (1, 2), stride=(1, 2)) for fine, coarse in pairs
        )
        dilations = [2**n for n in range(n_dilations)]
        self.middle = nn.Sequential(
            *(_Residual(widths[-1], dilation) for dilation in [*dilations, 1])
        )
        self.up = nn.ModuleList(
            nn.Conv2d(coarse, 2 * fine, 1) for fine, coarse in pairs
        )
        self.after = nn.ModuleList(_Residual(w) for w in widths[:-1])
        self.leave = _convolution(width, n_outputs * FOLD)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self._multiple = FOLD * 2 ** (n_levels - 1)

    def forward(self, spectra: Tensor, added: Tensor | None = None) -> Tensor:
        """Numbers for each channel.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_inputs, n_channels)
        added : Tensor, shape (n, width), optional
            To the features of the finest level, in all channels: what is to be known
            of a spectrum as a whole.

        Returns
        -------
        Tensor of float32, shape (n, n_outputs, n_channels)
            All zero before the network has been trained.
        """
        n_channels = spectra.shape[-1]
        lacking = -n_channels % self._multiple
        if lacking:
            spectra = functional.pad(spectra, (0, lacking), mode="replicate")
        features = self.enter(_folded(spectra))
        if added is not None:
            features = features + added[:, :, None, None]
        finer = []
        for convolve, halve in zip(self.before, self.down, strict=True):
            features = convolve(features)
            finer.append(features)
            features = halve(features)
        features = self.middle(features)
        levels = zip(self.up, self.after, finer, strict=True)
        for double, convolve, fine in reversed(list(levels)):
            coarse = _doubled(double(functional.relu(features)))
            features = convolve(coarse + fine)
        numbers = self.leave(functional.relu(features)).float()
        return _unfolded(numbers, self.n_outputs)[..., :n_channels]


class _Residual(nn.Module):
    """What comes in, and a convolution of what of it is above zero."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.convolution = _convolution(width, width, dilation=dilation)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.convolution(functional.relu(features))


def _convolution(
    n_inputs: int, n_outputs: int, kernel: int = 3, dilation: int = 1
) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(
        n_inputs, n_outputs, (1, kernel), padding=(0, padding), dilation=(1, dilation)
    )


def _folded(spectra: Tensor) -> Tensor:
    """(n, inputs, channels) to (n, inputs FOLD, 1, channels / FOLD), features last."""
    n, n_inputs, n_channels = spectra.shape
    pairs = spectra.reshape(n, n_inputs, n_channels // FOLD, FOLD)
    places = pairs.permute(0, 2, 1, 3).reshape(n, 1, n_channels // FOLD, -1)
    return places.permute(0, 3, 1, 2)


def _unfolded(numbers: Tensor, n_outputs: int) -> Tensor:
    """(n, outputs FOLD, 1, places) to (n, outputs, places FOLD)."""
    n, _, _, n_places = numbers.shape
    pairs = numbers.reshape(n, n_outputs, FOLD, n_places).permute(0, 1, 3, 2)
    return pairs.reshape(n, n_outputs, n_places * FOLD)


def _doubled(features: Tensor) -> Tensor:
    """Half of the features become every other place."""
    n, twice, _, n_places = features.shape
    last = features.permute(0, 2, 3, 1).reshape(n, 1, 2 * n_places, twice // 2)
    return last.permute(0, 3, 1, 2)
