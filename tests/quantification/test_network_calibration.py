# SPDX-License-Identifier: GPL-3.0-or-later
"""Error bars hold the truth in 68 % of the cases, flags 1 % of what is ordinary."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.stats import norm

from hspy_ml.networks.threads import torch_threads
from hspy_ml.quantification import network_calibration
from hspy_ml.quantification.network_calibration import calibrate, scores_of
from hspy_ml.quantification.network_reading import (
    goodness,
    posterior_of,
    read_spectra,
)


@pytest.fixture(autouse=True)
def one_thread():
    with torch_threads(1):
        yield


def readings_of(network, bank, n=6000, seed=77):
    spectra, moments, truth, shares = bank.draw(n, seed)
    readings = read_spectra(network, [spectra])
    mean, deviation = posterior_of(network, readings.seen)(moments)
    return readings, (mean - truth) / deviation, shares[:, -1] == 0


def test_68_percent_of_fresh_spectra_are_within_one_error(model, bank):
    """Of every element, and in the dim and the bright third of the spectra."""
    readings, pulls, _ = readings_of(model.network, bank)
    within = np.abs(pulls) < 1
    np.testing.assert_allclose(within.mean(axis=0), 0.6827, atol=0.03)
    edges = np.quantile(readings.counts, [0, 1 / 3, 2 / 3, 1])
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        here = (readings.counts >= low) & (readings.counts <= high)
        assert within[here].mean() == pytest.approx(0.6827, abs=0.03)


def test_few_errors_are_larger_than_three(model, bank):
    _, pulls, _ = readings_of(model.network, bank)
    assert (np.abs(pulls) > 3).mean() < 0.02
    assert np.abs(pulls.mean(axis=0)).max() < 0.25


def test_goodness_of_known_mixtures_is_about_normal(model, bank):
    """At every level from 50 % to 1 %: within four standard errors and a fifth."""
    readings, _, clean = readings_of(model.network, bank, n=12_000)
    found = goodness(model.network, readings)[clean]
    for level in (0.5, 0.2, 0.05, 0.01):
        share = (found > norm.isf(level)).mean()
        error = np.sqrt(level * (1 - level) / found.size)
        assert share == pytest.approx(level, abs=4 * error + 0.3 * level), level


def test_goodness_of_known_mixtures_does_not_depend_on_the_dose(model, bank):
    readings, _, clean = readings_of(model.network, bank, n=12_000)
    found = goodness(model.network, readings)[clean]
    counts = readings.counts[clean]
    for here in (counts < 50, counts > 500):
        assert (found[here] > norm.isf(0.05)).mean() == pytest.approx(0.05, abs=0.025)


def test_errors_twice_as_large_are_halved(model, bank, monkeypatch):
    """Variances of all errors times four, before calibration: the same after it."""
    monkeypatch.setattr(network_calibration, "N_DRAWS", 6)
    network = deepcopy(model.network)
    network.prior_variance.mul_(4)
    network.variance_of_a_count.mul_(4)
    calibrate(network, bank, [0, 1])
    reference = deepcopy(model.network)
    calibrate(reference, bank, [0, 1])
    torch.testing.assert_close(network.widening, reference.widening / 2)
    torch.testing.assert_close(network.ordinary, reference.ordinary)


def test_calibration_repeats_exactly(model, bank, monkeypatch):
    """The model's was made from the streams of random numbers of its seed."""
    network = deepcopy(model.network)
    network.widening.fill_(1)
    calibrate(network, bank, [0, 1])
    assert torch.equal(network.widening, model.network.widening)
    monkeypatch.setattr(network_calibration, "N_DRAWS", 6)
    calibrate(network, bank, [1, 1])
    assert not torch.equal(network.widening, model.network.widening)


def test_tables_cover_the_doses_of_the_bank(model, bank):
    network = model.network
    ends = network.dose_grid[[0, -1]].exp()
    np.testing.assert_allclose(ends, bank.counts, rtol=1e-5)
    assert (network.ordinary.diff(dim=1) >= 0).all()
    assert (network.widening > 0.3).all()
    assert (network.widening < 3.0).all()


def test_scores_tell_error_coverage_and_flags_by_dose(model, bank):
    scores = scores_of(model.network, bank, [5, 5])
    assert list(scores) == list(model.scores)
    assert list(scores)[0].startswith("2 to ")
    for score in scores.values():
        assert score["within one error"] == pytest.approx(0.6827, abs=0.03)
        assert 0.002 < score["flagged"] < 0.03
    errors = [score["rms error (at.%)"] for score in scores.values()]
    assert errors == sorted(errors, reverse=True)
