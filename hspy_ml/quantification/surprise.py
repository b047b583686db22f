# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a spectrum shows anything that the named elements do not explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.foreign_elements import foreign_lines

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.quantifier import QuantifierNetwork
    from ..simulation.channel_bins import ChannelBins

__all__ = ["foreign_spectra", "surprise"]

LEAST_EXPECTED = 1e-6  # of the counts, in a bin


def foreign_spectra(
    acquisition: Acquisition, elements: tuple[str, ...], bins: ChannelBins
) -> np.ndarray:
    """X-ray spectra of all the elements that are not named.

    Parameters
    ----------
    acquisition : Acquisition
    elements : tuple of str
        Those that are.
    bins : ChannelBins

    Returns
    -------
    ndarray, shape (n_foreign, n_bins)
        Each sums to one; elements without a line in the bins are left out.
    """
    spectra = [bins.summed(lines) for lines in foreign_lines(acquisition, elements)]
    spectra = np.array([s / s.sum() for s in spectra if s.sum() > 0])
    return spectra.reshape(-1, bins.n_bins)


def surprise(network: QuantifierNetwork, spectra: Tensor, log_shares: Tensor) -> Tensor:
    r"""Significance of the template that the spectrum calls for most.

    .. math:: \max_j \frac{\sum_e f_{je} (y_e - m_e) / m_e}
                          {\sqrt{\sum_e f_{je}^2 / m_e}}

    the score statistics of templates `f` beside the spectrum `m` that the named
    elements and the continuum let expect.

    Parameters
    ----------
    network : QuantifierNetwork
    spectra : Tensor, shape (n, n_bins)
        Counts.
    log_shares : Tensor, shape (n, n_columns)
        As the network estimates them.

    Returns
    -------
    Tensor, shape (n,)
        In standard deviations, were the expectation exact.

    References
    ----------
    C. R. Rao, Proc. Camb. Phil. Soc. 44 (1948) 50.
    """
    n_named = log_shares.shape[1] - network.hyperparameters["n_unnamed"]
    counts = spectra.sum(dim=1, keepdim=True)
    named = log_shares[:, :n_named].exp() @ network.shapes[:n_named]
    expected = counts * (named + LEAST_EXPECTED) + LEAST_EXPECTED
    inverse = 1 / expected
    score = (spectra * inverse - 1) @ network.templates.T
    variance = inverse @ (network.templates**2).T
    return (score * variance.rsqrt()).amax(dim=1)
