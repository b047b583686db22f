# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the abundances: Dirichlet without overlap, more with it."""

import numpy as np
import pytest

from hspy_ml.counts import DenseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.abundance_errors import abundance_covariance
from hspy_ml.factorization.variational import (
    SharesModel,
    VariationalProblem,
    iterate,
)


def peaks(distance, width):
    """Two spectra whose peaks lie a distance apart."""
    channel = np.arange(29)[:, None]
    spectra = np.exp(-((channel - 14 - distance * np.array([-0.5, 0.5])) ** 2) / width)
    return spectra / spectra.sum(axis=0)


def posterior_of(counts, spectra, prior):
    """Parameters of the posteriors of the shares, converged."""
    prior = np.broadcast_to(prior, (counts.n_pixels, spectra.shape[1]))
    start = prior + counts.pixel_totals[:, None] / spectra.shape[1]
    held = np.ones(spectra.shape[1], dtype=bool)
    model = SharesModel(np.eye(spectra.shape[1]), start, prior)
    for _ in range(500):
        model = iterate(VariationalProblem(counts, spectra, held), model)[0]
    return model.posterior


def test_abundances_scatter_as_dirichlet_posteriors_without_overlap():
    generator = np.random.default_rng(5)
    data = np.array([[29.9, 49.9, 119.9], [4.9, 399.9, 89.9]])
    posterior, brightness = data + 0.1, np.array([1.0, 3.0, 2.0])
    covariance = abundance_covariance(
        DenseCounts(data), np.eye(3), posterior, brightness
    )
    for own, expected in zip(posterior, covariance, strict=True):
        draws = generator.dirichlet(own, 40000) / brightness
        draws /= draws.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(expected, np.cov(draws.T), rtol=0.1, atol=1e-5)
    np.testing.assert_allclose(covariance.sum(axis=2), 0, atol=1e-14)


@pytest.mark.parametrize(("distance", "width"), [(12.0, 8.0), (2.0, 18.0)])
def test_errors_are_those_of_many_draws(distance, width):
    """Shares of 0.4, far from the corners, where the prior hardly matters.

    A standard deviation of 1200 draws is known to 2 %; the least of the rest is that
    errors differ between draws.
    """
    spectra = peaks(distance, width)
    mean = 700 * spectra @ [0.4, 0.6]
    counts = DenseCounts(np.random.default_rng(2).poisson(mean, (1200, 29)))
    posterior = posterior_of(counts, spectra, 1.0)
    covariance = abundance_covariance(counts, spectra, posterior, np.ones(2))
    found = posterior[:, 0] / posterior.sum(axis=1)
    predicted = np.sqrt(covariance[:, 0, 0].mean())
    assert predicted == pytest.approx(found.std(), rel=0.08)


def test_overlap_costs_precision_and_emptiness_gives_the_prior():
    counts = DenseCounts(np.random.default_rng(3).poisson(5.0, (7, 29)))
    variances = [
        abundance_covariance(counts, peaks(d, 8.0), np.full((7, 2), 73.0), np.ones(2))[
            :, 0, 0
        ].mean()
        for d in (10.0, 3.0, 1.0)
    ]
    assert variances[0] < variances[1] < variances[2]
    empty = DenseCounts(np.zeros((3, 29), dtype=int))
    prior = np.array([[0.4, 1.1]])
    covariance = abundance_covariance(
        empty, peaks(3.0, 8.0), np.tile(prior, (3, 1)), np.ones(2)
    )
    np.testing.assert_allclose(covariance[:, 0, 0], 0.4 * 1.1 / 1.5**2 / 2.5)


def test_sparse_and_dense_counts_agree():
    data = np.random.default_rng(4).poisson(0.1, (41, 29))
    posterior = data.sum(axis=1)[:, None] * [0.3, 0.7] + 0.1
    arguments = (peaks(3.0, 8.0), posterior, np.array([1.0, 2.0]))
    sparse = counts_from_array(data)
    assert not isinstance(sparse, DenseCounts)
    np.testing.assert_allclose(
        abundance_covariance(sparse, *arguments),
        abundance_covariance(DenseCounts(data), *arguments),
        rtol=1e-10,
        atol=1e-15,
    )
