# SPDX-License-Identifier: GPL-3.0-or-later
"""The response as an operator: from the scene to the electrons expected."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from .response import Response

__all__ = ["Transfer", "gaussian_line", "gaussian_transform", "phase_ramps"]

_MARGIN_WIDTHS = 3.0  # of the response, beyond both ends of the axis
_LEAST_MARGIN = 32
_FAST_FACTORS = (1, 3, 5, 9)  # times powers of two: where the transforms are fast
_RINGING_BELOW = 4.0  # channels wide
_SHORT = 64  # frequencies of a short step of a phase ramp
_SIGMA_PER_FWHM = 1 / (2 * np.sqrt(2 * np.log(2)))


class Transfer:
    """Convolution with the response, from a wider axis, and its transpose.

    The scene lives on an axis with a margin at both ends: the tails of losses beyond
    the ends reach into the spectrum. Transforms are long enough for nothing to come
    round from one end to the other.

    Parameters
    ----------
    response : Response
        One row, or one for each spectrum.
    n_channels : int
        Of the spectra.
    shifts : ndarray, shape (n,), optional
        Channels from the zero loss of the scene to that of each spectrum; may be
        fractions. The scene is aligned, whatever the spectra are.

    Attributes
    ----------
    fwhm : torch.Tensor, shape (n or 1, 1)
        Of the response, in channels.
    shifts : ndarray, shape (n or 1,)
    n_channels, n_scene, margin : int
        Channels of a spectrum, of a scene, and of its margin at either end: channel
        `margin` of the scene is channel 0 of the spectrum.
    sensitivity : torch.Tensor, shape (n or 1, n_scene)
        Share of the electrons of a channel of the scene that arrive on the axis.
    """

    def __init__(
        self,
        response: Response,
        n_channels: int,
        shifts: np.ndarray | None = None,
    ):
        import torch

        self.n_channels = int(n_channels)
        self.fwhm = torch.from_numpy(response.fwhm.astype(np.float32))[:, None]
        widest = float(np.max(response.fwhm))
        margin = max(_LEAST_MARGIN, int(np.ceil(_MARGIN_WIDTHS * widest)))
        self.margin = min(margin, self.n_channels)
        self.n_scene = self.n_channels + 2 * self.margin
        largest_shift = 0 if shifts is None else int(np.ceil(np.abs(shifts).max()))
        reach = max(self.margin, self.n_channels - self.margin - largest_shift - 1)
        kernel = _within(response.kernel, reach)
        half_width = kernel.shape[1] // 2
        self._length = _fast_length(
            self.n_channels
            + self.margin
            + max(half_width, self.margin)
            + largest_shift
            + 1
        )
        self._unmoved = _centred_transform(kernel, self._length)
        self._move(np.zeros(1) if shifts is None else np.asarray(shifts, float))

    def _move(self, shifts: np.ndarray) -> None:
        import torch

        self.shifts = shifts
        transform = self._unmoved * phase_ramps(shifts - self.margin, self._length)
        if float(self.fwhm.min()) < _RINGING_BELOW:
            transform = _without_ringing(transform, self._length)
        self._transform = torch.from_numpy(transform.astype(np.complex64))
        self._adjoint = self._transform.conj().resolve_conj().contiguous()
        self.sensitivity = self.backward(torch.ones(1, self.n_channels)).clamp_(0, 1)

    def moved(self, shifts: np.ndarray) -> Transfer:
        """The same with other shifts.

        Parameters
        ----------
        shifts : ndarray, shape (n,)
            In channels; within one of those that it was made with.

        Returns
        -------
        Transfer
        """
        other = copy(self)
        other._move(np.asarray(shifts, float))
        return other

    def select(self, rows: np.ndarray | slice) -> Transfer:
        """The operator of some spectra.

        Parameters
        ----------
        rows : ndarray of int or bool, or slice

        Returns
        -------
        Transfer
            Itself, where it serves all spectra.
        """
        if len(self) == 1:
            return self
        other = copy(self)
        if len(self._unmoved) > 1:
            other._unmoved = self._unmoved[rows]
        if self.shifts.size > 1:
            other.shifts = self.shifts[rows]
        if len(self.fwhm) > 1:
            other.fwhm = self.fwhm[rows]
        other._transform = self._transform[rows]
        other._adjoint = self._adjoint[rows]
        other.sensitivity = self.sensitivity[rows]
        return other

    def __len__(self) -> int:
        return self._transform.shape[0]

    def forward(self, scene: torch.Tensor) -> torch.Tensor:
        """Electrons expected in each channel.

        Parameters
        ----------
        scene : torch.Tensor of float32, shape (n, n_scene)

        Returns
        -------
        torch.Tensor of float32, shape (n, n_channels)
            May be below zero by the rounding of the transforms.
        """
        return self._convolved(scene, self._transform)[..., : self.n_channels]

    def backward(self, ratio: torch.Tensor) -> torch.Tensor:
        """The transpose of :meth:`forward`.

        Parameters
        ----------
        ratio : torch.Tensor of float32, shape (n, n_channels)

        Returns
        -------
        torch.Tensor of float32, shape (n, n_scene)
        """
        return self._convolved(ratio, self._adjoint)[..., : self.n_scene]

    def on_axis(self, scene: torch.Tensor) -> torch.Tensor:
        """A scene without its margins.

        Parameters
        ----------
        scene : torch.Tensor, shape (n, n_scene)

        Returns
        -------
        torch.Tensor, shape (n, n_channels)
            A view.
        """
        return scene[..., self.margin : self.margin + self.n_channels]

    def with_margins(self, spectra: torch.Tensor) -> torch.Tensor:
        """A scene from spectra on the axis; its margins continue the end channels.

        Parameters
        ----------
        spectra : torch.Tensor, shape (n, n_channels)

        Returns
        -------
        torch.Tensor, shape (n, n_scene)
        """
        import torch

        pad = (self.margin, self.margin)
        return torch.nn.functional.pad(spectra[:, None], pad, mode="replicate")[:, 0]

    def at_target(
        self,
        scene: torch.Tensor,
        target_width: np.ndarray | float,
        move: np.ndarray | float = 0.0,
    ) -> torch.Tensor:
        """A scene of infinite resolution at that of the target.

        Parameters
        ----------
        scene : torch.Tensor, shape (n, n_scene)
        target_width : float or ndarray, shape (n,)
            FWHM of the Gaussian in channels.
        move : float or ndarray, shape (n,), default 0
            Channels to move it up by, at most a few.

        Returns
        -------
        torch.Tensor, shape (n, n_scene)
            Non-negative where the scene is, with its sum, but for what leaves the ends.
        """
        import torch

        transform = gaussian_transform(target_width, self._length)
        transform = transform * phase_ramps(np.atleast_1d(move), self._length)
        transform = torch.from_numpy(transform.astype(np.complex64))
        smooth = self._convolved(scene, transform)[..., : self.n_scene]
        return smooth.clamp_(min=0)

    def _convolved(self, values: torch.Tensor, transform: torch.Tensor) -> torch.Tensor:
        import torch

        spectrum = torch.fft.rfft(values, n=self._length)
        if spectrum.shape[0] < transform.shape[0]:
            spectrum = spectrum * transform
        else:
            spectrum.mul_(transform)
        return torch.fft.irfft(spectrum, n=self._length)


def gaussian_transform(fwhm: np.ndarray | float, length: int) -> np.ndarray:
    """Transform of a Gaussian of area one, centred on channel 0.

    Parameters
    ----------
    fwhm : float or ndarray, shape (n,)
        In channels.
    length : int
        Channels of the transform's period.

    Returns
    -------
    ndarray, shape (length // 2 + 1,) or (n, length // 2 + 1)
        Real.
    """
    frequency = 2 * np.pi * np.fft.rfftfreq(length)
    sigma = _SIGMA_PER_FWHM * np.asarray(fwhm)[..., None]
    return np.exp(-0.5 * (sigma * frequency) ** 2)


def gaussian_line(n_channels: int, centre: np.ndarray, fwhm: np.ndarray) -> np.ndarray:
    """Gaussians of area one.

    Parameters
    ----------
    n_channels : int
    centre, fwhm : ndarray, shape (n,)
        In channels.

    Returns
    -------
    ndarray, shape (n, n_channels)
    """
    distance = np.arange(n_channels) - np.asarray(centre)[:, None]
    sigma = _SIGMA_PER_FWHM * np.asarray(fwhm)[:, None]
    line = np.exp(-0.5 * (distance / sigma) ** 2)
    return line / np.maximum(line.sum(axis=1, keepdims=True), 1e-300)


def _without_ringing(transform: np.ndarray, length: int) -> np.ndarray:
    """Narrow peaks moved by fractions of a channel, not negative beside their top."""
    kernel = np.fft.irfft(transform, n=length, axis=1)
    area = kernel.sum(axis=1, keepdims=True)
    kernel = np.maximum(kernel, 0)
    return np.fft.rfft(kernel * (area / kernel.sum(axis=1, keepdims=True)), axis=1)


def _within(kernel: np.ndarray, reach: int) -> np.ndarray:
    """The middle of kernels; what is cut off would arrive beyond the axis."""
    excess = kernel.shape[1] // 2 - reach
    return kernel if excess <= 0 else kernel[:, excess:-excess]


def _centred_transform(kernel: np.ndarray, length: int) -> np.ndarray:
    """Transform of the kernel with its middle in channel 0."""
    half_width = kernel.shape[1] // 2
    rolled = np.zeros((kernel.shape[0], length))
    rolled[:, : half_width + 1] = kernel[:, half_width:]
    if half_width:
        rolled[:, -half_width:] = kernel[:, :half_width]
    return np.fft.rfft(rolled, axis=1)


def phase_ramps(channels: np.ndarray, length: int) -> np.ndarray:
    """Factors on transforms of real spectra that move these up.

    Parameters
    ----------
    channels : ndarray, shape (n,)
        By how much; may be fractions.
    length : int
        Channels of the transform's period.

    Returns
    -------
    ndarray of complex, shape (n, length // 2 + 1)

    Notes
    -----
    Products of long and short steps, since exponentials of all take longer.
    """
    channels = np.asarray(channels, dtype=float)[:, None]
    n = length // 2 + 1
    turn = -2j * np.pi / length * channels
    short = np.exp(turn * np.arange(_SHORT))
    long = np.exp(turn * _SHORT * np.arange(-(-n // _SHORT)))
    ramp = (long[:, :, None] * short[:, None, :]).reshape(len(channels), -1)[:, :n]
    if length % 2 == 0:  # the highest frequency of a real spectrum is real
        ramp[:, -1] = np.cos(np.pi * channels[:, 0])
    return ramp


def _fast_length(least: int) -> int:
    lengths = []
    for factor in _FAST_FACTORS:
        power = max(0, int(np.ceil(np.log2(least / factor))))
        lengths.append(factor * 2**power)
    return min(lengths)
