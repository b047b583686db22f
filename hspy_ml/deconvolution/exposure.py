# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured spectra as a sharp zero-loss line and losses, spread by a response."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["MARGIN", "Exposure"]

MARGIN = 128  # channels of losses beyond either end of the axis
FWHM_PER_SIGMA = 2.3548200450309493
LEAST_SENSITIVITY = 0.05
LARGEST_FACTOR = 5.0  # by which a step changes a channel
LARGEST_MOMENTUM = 2.0
START_LEVEL = 0.02  # electrons, and of the mean, in every channel at the start
LEAST_EXPECTED = 1e-3  # electrons
LEAST_POWER = 1e-9  # of the response's transform, where it is divided by
FAST_FACTORS = (1, 3, 5, 9, 15)  # times powers of two: where transforms are fast


class Exposure:
    r"""Spectra, their responses, and the operators between losses and electrons.

    A spectrum is expected to be :math:`a z + K s`: the zero-loss line of area `a`,
    spread by the response (`z`), and the losses `s`, spread by the response (`K`).
    Wanted are the losses at the target resolution, :math:`G s`. Losses lie on the axis
    of the measured spectrum and not of the aligned one, with `MARGIN` more channels
    at both ends.

    Parameters
    ----------
    electrons : Tensor of float32, shape (n, n_channels)
        May be negative.
    read_variance : Tensor of float32, shape (n,)
        Electrons^2.
    kernels : Tensor of float32, shape (n or 1, 2 m + 1)
        Responses, highest in the middle; rows sum to one.
    centre : Tensor of float32, shape (n,)
        Channel of the zero loss, in fractions.
    fwhm : Tensor of float32, shape (n or 1,)
        Of the responses, channels.
    target_width : Tensor of float32, shape (n or 1,)
        FWHM of the target's Gaussian, channels.
    doubt : Tensor of float32, shape (n or 1,), optional
        0 where the response is known, 1 where it was estimated from the spectra.

    Attributes
    ----------
    line : Tensor, shape (n, n_channels)
        The zero-loss line `z`; sums to one but for what is beyond the ends.
    distance : Tensor, shape (n, n_channels)
        Channels from the zero loss.
    area : Tensor, shape (n, 1)
        Electrons in the zero-loss line, by the upper half of the peak.
    """

    def __init__(
        self,
        electrons: Tensor,
        read_variance: Tensor,
        kernels: Tensor,
        centre: Tensor,
        fwhm: Tensor,
        target_width: Tensor,
        doubt: Tensor | None = None,
    ) -> None:
        n_channels = electrons.shape[1]
        doubt = torch.zeros(1) if doubt is None else doubt
        self.doubt = doubt[:, None].expand(len(electrons), 1)
        self.electrons = electrons
        self.read_variance = read_variance[:, None]
        self.fwhm = fwhm[:, None].expand(len(electrons), 1)
        self.target_width = target_width[:, None].expand(len(electrons), 1)
        # a sixteenth less than the axis, so that 2048 channels are transformed as 4096
        reach = n_channels - n_channels // 16
        half_width = min(kernels.shape[1] // 2, reach)
        self._length = _fast_length(n_channels + MARGIN + half_width)
        response = _centred_transform(kernels.double(), half_width, self._length)
        self._response = response.to(torch.complex64)
        self._adjoint = self._response.conj().resolve_conj()
        self._gaussian = self._gaussian_transform(target_width)
        self._set_line(response, centre)
        ones = torch.ones(1, n_channels)
        self._sensitivity = self.transposed(ones).clamp_(min=LEAST_SENSITIVITY)
        self._shifted = (electrons + self.read_variance).clamp_(min=0)

    def _gaussian_transform(self, target_width: Tensor) -> Tensor:
        frequency = torch.arange(self._length // 2 + 1) / self._length
        sigma = target_width[:, None] / FWHM_PER_SIGMA
        return torch.exp(-2 * (math.pi * sigma * frequency) ** 2)

    def _set_line(self, response: Tensor, centre: Tensor) -> None:
        # in double precision: rounding by 1e-8 would be many electrons where few are
        n_channels = self.electrons.shape[1]
        frequency = torch.arange(response.shape[1], dtype=torch.float64) / self._length
        angle = -2 * math.pi * frequency * centre.double()[:, None]
        turned = response * torch.polar(torch.ones_like(angle), angle)
        line = torch.fft.irfft(turned, n=self._length)[:, :n_channels]
        self.line = line.float().clamp_(min=0)
        self._on_axis = self.line.sum(dim=1, keepdim=True).clamp_(min=1e-6)
        self.distance = torch.arange(n_channels) - centre[:, None]
        top = (self.distance.abs() <= self.fwhm / 2).float()
        seen = (self.electrons * top).sum(dim=1, keepdim=True)
        share = (self.line * top).sum(dim=1, keepdim=True).clamp_(min=1e-6)
        self.area = (seen / share).clamp_(min=1.0)

    @property
    def n_channels(self) -> int:
        """Channels of a spectrum."""
        return self.electrons.shape[1]

    def spread(self, losses: Tensor) -> Tensor:
        """Electrons that losses put into each channel, `K s`.

        Parameters
        ----------
        losses : Tensor, shape (n, n_channels + 2 MARGIN)

        Returns
        -------
        Tensor, shape (n, n_channels)
        """
        transform = self._transform(losses).mul_(self._response)
        return torch.fft.irfft(transform, n=self._length)[:, : self.n_channels]

    def transposed(self, values: Tensor) -> Tensor:
        """The transpose of :meth:`spread`.

        Parameters
        ----------
        values : Tensor, shape (n, n_channels)

        Returns
        -------
        Tensor, shape (n, n_channels + 2 MARGIN)
        """
        return self._with_margins(
            torch.fft.rfft(values, n=self._length) * self._adjoint
        )

    def at_target(self, losses: Tensor) -> Tensor:
        """Losses at the target resolution, `G s`.

        Parameters
        ----------
        losses : Tensor, shape (n, n_channels + 2 MARGIN)

        Returns
        -------
        Tensor, shape (n, n_channels)
            Not negative.
        """
        transform = self._transform(losses).mul_(self._gaussian)
        sharp = torch.fft.irfft(transform, n=self._length)[:, : self.n_channels]
        return sharp.clamp_(min=0)

    def _transform(self, losses: Tensor) -> Tensor:
        turned = losses.new_zeros(len(losses), self._length)
        turned[:, : self.n_channels + MARGIN] = losses[:, MARGIN:]
        turned[:, -MARGIN:] = losses[:, :MARGIN]
        return torch.fft.rfft(turned)

    def _with_margins(self, transform: Tensor) -> Tensor:
        turned = torch.fft.irfft(transform, n=self._length)
        ends = turned[:, -MARGIN:], turned[:, : self.n_channels + MARGIN]
        return torch.cat(ends, dim=1)

    def expected(self, losses: Tensor, area: Tensor) -> Tensor:
        """Electrons expected in each channel, `a z + K s`, above zero.

        Parameters
        ----------
        losses : Tensor, shape (n, n_channels + 2 MARGIN)
        area : Tensor, shape (n, 1)

        Returns
        -------
        Tensor, shape (n, n_channels)
        """
        expected = self.spread(losses).add_(area * self.line)
        return expected.clamp_(min=LEAST_EXPECTED)

    def area_beside(self, losses: Tensor) -> Tensor:
        """Electrons of the zero-loss line by conservation of counts.

        Parameters
        ----------
        losses : Tensor, shape (n, n_channels)
            At whatever resolution: the share of them that arrives on the axis changes
            little within its width.

        Returns
        -------
        Tensor, shape (n, 1)
        """
        arriving = losses * self._sensitivity[:, MARGIN:-MARGIN]
        rest = (self.electrons - arriving).sum(dim=1, keepdim=True)
        return (rest / self._on_axis).clamp_(min=1.0)

    def rough_losses(self) -> Tensor:
        """Losses to start from: what the line does not explain, nor its noise.

        Returns
        -------
        Tensor, shape (n, n_channels + 2 MARGIN)
            Above zero.
        """
        line = self.area * self.line
        noise = torch.sqrt(line + self.read_variance + 1)
        rest = (self.electrons - line - noise).clamp_(min=0)
        level = START_LEVEL * (1 + rest.mean(dim=1, keepdim=True))
        return (self.transposed(rest) / self._sensitivity).clamp_(min=0) + level

    def climb(
        self, losses: Tensor, area: Tensor, checkpoints: tuple[int, ...]
    ) -> list[tuple[Tensor, Tensor]]:
        r"""Richardson-Lucy iterations for losses and zero-loss line together.

        From the second on, an iteration starts where the last two point to
        (their ratio to the power of 3/4), which saves two thirds of them.

        Parameters
        ----------
        losses : Tensor, shape (n, n_channels + 2 MARGIN)
            Above zero.
        area : Tensor, shape (n, 1)
        checkpoints : tuple of int
            Numbers of iterations after which the state is kept, increasing.

        Returns
        -------
        list of (Tensor, Tensor)
            Losses and area at the checkpoints.

        References
        ----------
        D. S. C. Biggs, M. Andrews, Appl. Opt. 36 (1997) 1766 (acceleration).
        D. L. Snyder et al., J. Opt. Soc. Am. A 12 (1995) 272 (read-out noise).
        """
        kept = []
        before = losses
        for step in range(1, checkpoints[-1] + 1):
            ahead = losses * _momentum(losses, before)
            expected = self.expected(ahead, area).add_(self.read_variance)
            ratio = self._shifted / expected
            factor = self.transposed(ratio).div_(self._sensitivity)
            factor.clamp_(1 / LARGEST_FACTOR, LARGEST_FACTOR)
            before, losses = losses, factor.mul_(ahead).clamp_(min=1e-6)
            on_line = (self.line * ratio).sum(dim=1, keepdim=True)
            area = area * on_line / self._on_axis
            if step in checkpoints:
                kept.append((losses, area))
        return kept

    def sharpened(self, residual: Tensor, noise_shares: tuple[float, ...]) -> Tensor:
        """Residuals deconvolved by Wiener filters.

        Parameters
        ----------
        residual : Tensor, shape (n, n_channels)
            In units of its noise, so that this is white.
        noise_shares : tuple of float
            Power of the noise over that of the losses left (at the target resolution),
            one for each filter.

        Returns
        -------
        Tensor, shape (n, n_filters, n_channels)
            Losses left, at the target resolution, in the same units.
        """
        seen = torch.fft.rfft(residual, n=self._length) * self._adjoint
        seen = seen * self._gaussian
        power = self._response.abs().square_().add_(LEAST_POWER)
        filtered = [
            torch.fft.irfft(seen / (power + share * self._gaussian**2), n=self._length)[
                :, : self.n_channels
            ]
            for share in noise_shares
        ]
        return torch.stack(filtered, dim=1)


def _momentum(losses: Tensor, before: Tensor) -> Tensor:
    ratio = (losses / before).clamp_(1 / LARGEST_MOMENTUM, LARGEST_MOMENTUM)
    half = ratio.sqrt_()
    return half.sqrt().mul_(half)


def _centred_transform(kernels: Tensor, half_width: int, length: int) -> Tensor:
    """Transforms of kernels with their middle in channel 0."""
    middle = kernels.shape[1] // 2
    turned = kernels.new_zeros(len(kernels), length)
    turned[:, : half_width + 1] = kernels[:, middle : middle + half_width + 1]
    turned[:, -half_width:] = kernels[:, middle - half_width : middle]
    return torch.fft.rfft(turned)


def _fast_length(least: int) -> int:
    powers = [max(0, math.ceil(math.log2(least / factor))) for factor in FAST_FACTORS]
    return min(
        factor * 2**power for factor, power in zip(FAST_FACTORS, powers, strict=True)
    )
