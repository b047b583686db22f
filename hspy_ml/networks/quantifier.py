# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture that gives a spectrum its composition and error bar."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Estimate", "QuantifierNetwork"]

DOSE_FLOOR = 3.0  # counts below which a spectrum says less than the prior
SHAPE_FLOOR = 0.02  # of a mean channel, in what a spectrum is expected to be
LARGEST_LOG_COUNTS = 10.0
CONVOLUTIONS = ((8, 16, 8), (16, 8, 4))  # features, kernel, stride
SUMMARY = 64
FEWEST_BINS = 64
DOSES = 2
POPULATION_FLOOR = 0.01
FRACTION_FLOOR = 1e-3
LEAST_SPREAD = 0.01  # of the error to be expected
START = 0.1  # of the usual random weights, where the physics says most
DOSE_GRID = 9  # doses at which a network is calibrated
#: Probabilities to be surpassed by chance at which surprise is calibrated.
LEVELS = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.004)


class Estimate(NamedTuple):
    """What the network says of a batch of spectra.

    Parameters
    ----------
    fractions : Tensor, shape (n, n_elements)
        Posterior means of the atomic fractions; each row sums to one.
    deviations : Tensor, shape (n, n_elements)
        Posterior standard deviations.
    log_shares : Tensor, shape (n, n_columns)
        Logarithm of the share of the counts in each column of the G-matrix.
    """

    fractions: Tensor
    deviations: Tensor
    log_shares: Tensor


class QuantifierNetwork(nn.Module):
    r"""Convolutions, the forward model and what the image tells, in three steps.

    The first step sees the spectrum through strided convolutions, and through one
    convolution over the whole axis that starts as scores of the G-matrix,
    :math:`\sum_e y_e G_{ek} / m_{re}`, at several reference spectra `m`: near each,
    they hold all that the spectrum says of its weights. It says which share of the
    counts each column of G has. The second compares the spectrum with what these
    shares let expect, by the same scores at that very spectrum: from there one step
    of Fisher scoring is efficient. These two are `encode`, which is most of the work.
    The third, `decide`, weighs what the spectrum says against what is known of the
    image it belongs to, and gives the composition and its errors. The fractions that
    the shares stand for, and the mean of the image, go past its layers: it says how
    far to correct the former and to trust the latter, as in a weighted mean.

    Spectra enter divided by their counts; how many there were enters beside them,
    since it decides how far the answer is from the prior.

    Parameters
    ----------
    n_bins, n_columns, n_elements, n_free : int
        Bins of a spectrum; columns of G; elements; those of them that vary freely.
    n_unnamed : int, default 0
        Columns, the last ones, of elements that do not belong to the composition.
    n_templates : int, default 0
        Spectra of what else could be there.
    n_references : int, default 8
        Reference spectra of the first step.
    width : int, default 128
        Of the hidden layers.

    References
    ----------
    L. Le Cam, Proc. 3rd Berkeley Symp. 1 (1956) 129: one step of scoring.
    """

    def __init__(
        self,
        n_bins: int,
        n_columns: int,
        n_elements: int,
        n_free: int,
        n_unnamed: int = 0,
        n_templates: int = 0,
        n_references: int = 8,
        width: int = 128,
    ) -> None:
        super().__init__()
        if n_bins < FEWEST_BINS:
            raise ValueError(
                f"`n_bins` is {n_bins}; a network needs {FEWEST_BINS} channels or "
                "more. Use more of the energy axis."
            )
        self.hyperparameters = {
            "n_bins": n_bins,
            "n_columns": n_columns,
            "n_elements": n_elements,
            "n_free": n_free,
            "n_unnamed": n_unnamed,
            "n_templates": n_templates,
            "n_references": n_references,
            "width": width,
        }
        n_scores = n_references * n_columns
        self.scores = nn.Linear(n_bins, n_scores)
        self.convolutions = _convolutions(n_bins)
        self.first = _layers(n_scores + SUMMARY + DOSES, width)
        self.shares = nn.Linear(width, n_columns)
        self.second = _layers(width + 3 * n_columns + DOSES, width)
        self.summary = nn.Linear(width, SUMMARY)
        self.image = nn.Linear(2 * n_elements, SUMMARY)
        self.third = _layers(2 * SUMMARY + DOSES, width)
        self.composition = nn.Linear(width, n_free)
        self.spread = nn.Linear(width, n_elements)
        self.refined = nn.Linear(width, n_columns)
        self.trust = nn.Linear(width, n_free)
        _start_small(self.refined, self.composition)
        self.register_buffer("measuring", torch.zeros(n_free, dtype=torch.long))
        self.register_buffer("atoms_per_count", torch.ones(n_free))
        self.register_buffer("shapes", torch.ones(n_columns, n_bins) / n_bins)
        self.register_buffer("transfer", torch.eye(n_elements, n_free))
        self.register_buffer("templates", torch.ones(n_templates, n_bins) / n_bins)
        self.register_buffer("anything", torch.ones(2 * n_elements))
        self.register_buffer("dose_grid", torch.linspace(0.0, 10.0, DOSE_GRID))
        self.register_buffer("widening", torch.ones(DOSE_GRID, n_elements))
        self.register_buffer("shared_deviation", torch.zeros(n_elements))
        self.register_buffer("ordinary", torch.zeros(DOSE_GRID, len(LEVELS)))
        self.register_buffer("prior_variance", torch.ones(n_elements))
        self.register_buffer("variance_of_a_count", torch.ones(n_elements))

    def forward(self, spectra: Tensor, populations: Tensor) -> Estimate:
        """Estimate compositions.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_bins)
            Counts.
        populations : Tensor, shape (n, 2 n_elements)
            Mean and standard deviation of the atomic fractions in the image, or the
            part of it, that the spectrum is from.

        Returns
        -------
        Estimate
        """
        seen, log_shares = self.encode(spectra)
        return Estimate(*self.decide(seen, populations), log_shares)

    def encode(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """What the spectra say, each by itself.

        Parameters
        ----------
        spectra : Tensor, shape (n, n_bins)

        Returns
        -------
        seen : Tensor, shape (n, n_features)
            For `decide`; the first column is the logarithm of 1 + counts.
        log_shares : Tensor, shape (n, n_columns)
        """
        counts = spectra.sum(dim=1, keepdim=True)
        shape = spectra / (counts + DOSE_FLOOR)
        log_counts = torch.log1p(counts)
        dose = _dose(log_counts)
        found = self.convolutions(shape[:, None] * shape.shape[1])
        hidden = self.first(torch.cat([self.scores(shape), found, dose], 1))
        first = self.shares(hidden)
        log_shares = functional.log_softmax(first, dim=1)
        share = log_shares.exp()
        gain = (shape / self.expected_spectra(log_shares)) @ self.shapes.T
        compared = [share, share * gain, torch.log(gain + SHAPE_FLOOR)]
        hidden = hidden + self.second(torch.cat([hidden, *compared, dose], 1))
        log_shares = functional.log_softmax(first + self.refined(hidden), dim=1)
        measured = self._as_measured(log_shares)
        return torch.cat([log_counts, measured, self.summary(hidden)], 1), log_shares

    def _as_measured(self, log_shares: Tensor) -> Tensor:
        """Logarithms of the fractions that the shares of the columns stand for."""
        atoms = log_shares[:, self.measuring].exp() * self.atoms_per_count
        whole = atoms.sum(dim=1, keepdim=True).clamp(min=1e-9)
        return torch.log(atoms / whole + FRACTION_FLOOR)

    def decide(self, seen: Tensor, populations: Tensor) -> tuple[Tensor, Tensor]:
        """Composition and errors of spectra in an image.

        Parameters
        ----------
        seen : Tensor, shape (n, n_features)
            From `encode`.
        populations : Tensor, shape (n, 2 n_elements)

        Returns
        -------
        fractions, deviations : Tensor, shape (n, n_elements)
        """
        sizes = [1, self.transfer.shape[1], SUMMARY]
        log_counts, measured, summary = torch.split(seen, sizes, dim=1)
        known = torch.log(populations + POPULATION_FLOOR)
        image = functional.gelu(self.image(known))
        hidden = self.third(torch.cat([summary, image, _dose(log_counts)], 1))
        found = torch.softmax(measured + self.composition(hidden), dim=1)
        trust = torch.sigmoid(self.trust(hidden))
        free = trust * self._known(populations) + (1 - trust) * found
        atoms = (free / free.sum(dim=1, keepdim=True)) @ self.transfer.T
        spread = functional.softplus(self.spread(hidden) + 0.5) + LEAST_SPREAD
        expected = self.expected_deviations(torch.expm1(log_counts))
        return atoms / atoms.sum(dim=1, keepdim=True), spread * expected

    def _known(self, populations: Tensor) -> Tensor:
        """Mean fractions of the elements that vary freely, which sum to one."""
        alone = self.transfer.abs().sum(dim=1, keepdim=True) == 1
        free = ((self.transfer == 1) & alone).int().argmax(dim=0)
        mean = populations[:, free] + FRACTION_FLOOR
        return mean / mean.sum(dim=1, keepdim=True)

    def expected_deviations(self, counts: Tensor) -> Tensor:
        """Errors to expect at a dose: between the prior's and those of the counts.

        Parameters
        ----------
        counts : Tensor, shape (n, 1)

        Returns
        -------
        Tensor, shape (n, n_elements)
        """
        information = 1 / self.prior_variance + counts / self.variance_of_a_count
        return torch.rsqrt(information)

    def expected_spectra(self, log_shares: Tensor) -> Tensor:
        """Expected spectra of one count, shape (n, n_bins)."""
        floor = SHAPE_FLOOR / self.shapes.shape[1]
        return log_shares.exp() @ self.shapes + floor


def _dose(log_counts: Tensor) -> Tensor:
    return torch.cat([log_counts / LARGEST_LOG_COUNTS, (-log_counts / 2).exp()], 1)


def _start_small(*layers: nn.Linear) -> None:
    with torch.no_grad():
        for layer in layers:
            layer.weight.mul_(START)
            layer.bias.zero_()


def _layers(n_inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_inputs, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
    )


def _convolutions(n_bins: int) -> nn.Sequential:
    """Strided convolutions along the energy, and a summary of where they found what."""
    layers: list[nn.Module] = []
    features, length = 1, n_bins
    for n_features, kernel, stride in CONVOLUTIONS:
        padding = (kernel - stride + 1) // 2
        convolution = nn.Conv1d(features, n_features, kernel, stride, padding)
        layers += [convolution, nn.GELU()]
        features = n_features
        length = (length + 2 * padding - kernel) // stride + 1
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features * length, SUMMARY))
