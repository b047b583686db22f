# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra ready to be deconvolved: electrons, their noise and their zero loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .alignment import refined_shifts
from .matched_centre import matched_centres
from .transfer import Transfer
from .zero_loss import find_zero_loss

if TYPE_CHECKING:
    import torch

    from .noise import DetectorNoise
    from .noise_prior import NoisePrior
    from .response import Response

__all__ = ["Measured", "measured"]


@dataclass(frozen=True, eq=False)
class Measured:
    """Spectra in electrons, and what made them.

    Attributes
    ----------
    electrons : torch.Tensor of float32, shape (n, n_channels)
    read_variance : torch.Tensor of float32, shape (n, 1)
        Electrons^2.
    noise : DetectorNoise
        That they were converted by.
    response : Response
    transfer : Transfer
        From a scene whose zero loss is at channel `zero` of the axis.
    zero : int
    moves : ndarray, shape (n,)
        Channels from `zero` to where the zero loss of the result has to be.
    shifts : ndarray, shape (n,)
        Channels from 0 eV to the zero loss that was measured.
    fwhm : ndarray, shape (n,)
        Of the response, channels.
    problem : ndarray of str, shape (n,)
        What is wrong with the zero-loss peak, see `ZeroLoss`.
    """

    electrons: torch.Tensor
    read_variance: torch.Tensor
    noise: DetectorNoise
    response: Response
    transfer: Transfer
    zero: int
    moves: np.ndarray
    shifts: np.ndarray
    fwhm: np.ndarray
    problem: np.ndarray

    def __len__(self) -> int:
        return self.electrons.shape[0]

    @property
    def centre(self) -> np.ndarray:
        """Channel of the measured zero loss, shape (n,)."""
        return self.zero + np.broadcast_to(self.transfer.shifts, len(self))

    def select(self, rows: np.ndarray) -> Measured:
        """Some of the spectra.

        Parameters
        ----------
        rows : ndarray of int or bool

        Returns
        -------
        Measured
        """
        return replace(
            self,
            electrons=self.electrons[rows],
            read_variance=self.read_variance[rows],
            noise=self.noise.select(rows),
            response=self.response.select(rows),
            transfer=self.transfer.select(rows),
            moves=self.moves[rows],
            shifts=self.shifts[rows],
            fwhm=self.fwhm[rows],
            problem=self.problem[rows],
        )

    def with_electrons(self, electrons: torch.Tensor, share: float = 1.0) -> Measured:
        """Other counts of the same specimen by the same instrument.

        Parameters
        ----------
        electrons : torch.Tensor of float32, shape (n, n_channels)
        share : float, default 1
            Of the variance of reading out that they have.

        Returns
        -------
        Measured
        """
        return replace(
            self, electrons=electrons, read_variance=share * self.read_variance
        )

    def result(self, scene: torch.Tensor, target_width: np.ndarray) -> torch.Tensor:
        """A scene on the axis, at the target resolution, its zero loss where wanted.

        Parameters
        ----------
        scene : torch.Tensor, shape (n, n_scene)
        target_width : ndarray, shape (n,)
            FWHM in channels.

        Returns
        -------
        torch.Tensor, shape (n, n_channels)
            Electrons.
        """
        seen = self.transfer.at_target(scene, target_width, self.moves)
        return self.transfer.on_axis(seen)


def measured(
    counts: np.ndarray,
    prior: NoisePrior,
    response: Response,
    zero_channel: float,
    align: bool = True,
) -> Measured:
    """Find the zero loss, the noise and the shift of each spectrum.

    Parameters
    ----------
    counts : ndarray, shape (n, n_channels)
        Finite.
    prior : NoisePrior
    response : Response
        One row, or one for each spectrum.
    zero_channel : float
        Where 0 eV is on the axis.
    align : bool, default True
        Whether the zero loss is moved to 0 eV; else it stays where it is.

    Returns
    -------
    Measured
        A spectrum without a zero-loss peak is taken for one that has it at 0 eV.
    """
    import torch

    counts = np.asarray(counts, dtype=float)
    peaks = find_zero_loss(counts)
    zero = int(np.clip(np.rint(zero_channel), 0, counts.shape[1] - 1))
    known = np.isfinite(peaks.centre)
    centre = np.where(known, peaks.centre, zero_channel)
    fwhm = np.broadcast_to(response.fwhm, len(counts)).copy()
    noise = prior.noise_of(counts, centre, fwhm, response)
    electrons = torch.from_numpy(noise.electrons(counts).astype(np.float32))
    read = np.broadcast_to(noise.read_electrons, len(counts)).astype(np.float32)
    read_variance = torch.from_numpy(read.copy())[:, None]
    matched = matched_centres(electrons.numpy(), response, centre)
    centre = np.where(known, matched, centre)
    transfer = Transfer(response, counts.shape[1], shifts=centre - zero)
    refined = refined_shifts(electrons, transfer, zero, fwhm, read_variance)
    shifts = np.where(peaks.problem == "", refined, centre - zero)
    to_zero = zero_channel - zero
    return Measured(
        electrons,
        read_variance,
        noise,
        response,
        transfer.moved(shifts),
        zero,
        np.full(len(counts), to_zero) if align else shifts,
        shifts - to_zero,
        fwhm,
        peaks.problem,
    )
