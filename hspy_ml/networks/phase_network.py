# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture that tells phases apart at any dose."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PhaseNetwork"]

DOSE_FLOOR = 3.0  # counts below which a spectrum says next to nothing
LARGEST_LOG_COUNTS = 14.0
LOG_SATURATION = 8.0  # of counts, at the start
DOSES = 2
DOSE_GRID = 9  # doses at which a network is calibrated


class PhaseNetwork(nn.Module):
    r"""The likelihood of each phase's possible spectra, and a correction.

    A first layer gives the logarithm of the likelihood of every variant `v` of the
    expected spectrum of every phase `k`, :math:`\sum_e x_e \ln q_{kve}`: the same
    material at another energy scale, thickness, or a little off its composition. Their
    sum over the variants is the likelihood of the phase, whichever variant it was. From
    there the network learns: the variants move to where they separate the phases
    best, the counts that are worth as much as they seem to be are limited, and a small
    network that sees the square root of the spectrum corrects the result.

    Spectra enter divided by their counts; how many there were enters beside them.

    Parameters
    ----------
    n_bins : int
        Bins of a spectrum.
    n_phases : int
    n_variants : int, default 16
        Spectra of each phase.
    width : int, default 64
        Of the hidden layers.
    """

    def __init__(
        self, n_bins: int, n_phases: int, n_variants: int = 16, width: int = 64
    ) -> None:
        super().__init__()
        self.hyperparameters = {
            "n_bins": n_bins,
            "n_phases": n_phases,
            "n_variants": n_variants,
            "width": width,
        }
        self.scores = nn.Linear(n_bins, n_phases * n_variants, bias=False)
        self.log_weights = nn.Parameter(torch.zeros(n_phases, n_variants))
        self.log_saturation = nn.Parameter(torch.tensor([LOG_SATURATION]))
        self.roots = nn.Linear(n_bins, width)
        self.hidden = nn.Sequential(
            nn.Linear(width + n_phases + DOSES, width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
        )
        self.correction = nn.Linear(width, n_phases)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)
        self.register_buffer("mean_root", torch.zeros(n_bins))
        self.register_buffer("dose_grid", torch.linspace(0.0, 14.0, DOSE_GRID))
        self.register_buffer("sharpness", torch.ones(DOSE_GRID))

    def start_from(self, variants: Tensor) -> None:
        """Start as the likelihood of these spectra.

        Parameters
        ----------
        variants : Tensor, shape (n_phases, n_variants, n_bins)
            Expected spectra, above zero, that each sum to one.
        """
        logs = torch.log(variants)
        with torch.no_grad():
            self.scores.weight.copy_((logs - logs.mean(dim=(0, 1))).flatten(0, 1))
            mean = variants.mean(dim=(0, 1))
            self.mean_root.copy_(torch.sqrt(mean * mean.numel()))

    def forward(self, spectra: Tensor) -> Tensor:
        """Logarithms of the phases' probabilities, but for a constant.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_bins)
            Counts.

        Returns
        -------
        Tensor, shape (n, n_phases)
        """
        counts = spectra.sum(dim=1, keepdim=True)
        shape = spectra / (counts + DOSE_FLOOR)
        likelihood = self._log_likelihoods(shape, counts)
        roots = torch.sqrt(shape * shape.shape[1]) - self.mean_root
        sure = torch.log_softmax(likelihood, dim=1).clamp(min=-20.0) / 20.0
        seen = [functional.gelu(self.roots(roots)), sure, _dose(counts)]
        hidden = self.hidden(torch.cat(seen, dim=1))
        return likelihood + self.correction(hidden) * torch.log1p(counts)

    def _log_likelihoods(self, shape: Tensor, counts: Tensor) -> Tensor:
        """Of the phases, whichever variant it is, shape (n, n_phases)."""
        saturation = self.log_saturation.exp()
        worth = counts * saturation / (counts + saturation)
        scores = self.scores(shape).unflatten(1, self.log_weights.shape)
        weights = torch.log_softmax(self.log_weights, dim=1)
        return torch.logsumexp(worth[:, :, None] * scores + weights, dim=2)

    def probabilities(self, spectra: Tensor) -> Tensor:
        """Calibrated probabilities of the phases.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_bins)
            Counts.

        Returns
        -------
        Tensor, shape (n, n_phases)
            Each row sums to one.
        """
        log_counts = torch.log1p(spectra.sum(dim=1))
        sharpness = _between(self.dose_grid, self.sharpness, log_counts)
        return torch.softmax(self(spectra) * sharpness[:, None], dim=1)


def _dose(counts: Tensor) -> Tensor:
    log_counts = torch.log1p(counts)
    parts = [log_counts / LARGEST_LOG_COUNTS, (-log_counts / 2).exp()]
    return torch.cat(parts, dim=1)


def _between(grid: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """Values between those on an even grid; beyond its ends, those at the ends."""
    last = grid.shape[0] - 1
    place = ((at - grid[0]) / (grid[-1] - grid[0]) * last).clamp(0, last)
    lower = place.floor().long().clamp(max=last - 1)
    part = place - lower
    return (1 - part) * values[lower] + part * values[lower + 1]
