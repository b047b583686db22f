# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of something else are surprising, spectra of the named elements are not."""

import numpy as np
import pytest
import torch
from small_networks import ACQUISITION, BINS, METALS, one_specimen, the_templates

from hspy_ml.physics.gmatrix import build_g_matrix
from hspy_ml.physics.specimen import Specimen
from hspy_ml.quantification.network_start import network_for_bank
from hspy_ml.quantification.surprise import foreign_spectra, surprise

MIXTURE = [0.3, 0.3, 0.4]


@pytest.fixture(scope="module")
def known():
    """A bank of one specimen, and its network, which is told the true shares."""
    bank = one_specimen(MIXTURE, 1000.0)
    return bank, network_for_bank(bank, the_templates())


def templates_of(element):
    """Spectra of an element, of one count."""
    g = build_g_matrix(ACQUISITION, [element], Specimen({}), continuum_degree=None)
    spectrum = BINS.summed(g.matrix.sum(axis=1))
    return spectrum / spectrum.sum()


def found_in(known, spectra, shares):
    _, network = known
    with torch.no_grad():
        return surprise(
            network,
            torch.from_numpy(spectra.astype(np.float32)),
            torch.log(torch.from_numpy(shares.astype(np.float32)).clamp(min=1e-20)),
        ).numpy()


def with_foreign(known, element, share, seed=0, n=200):
    """Poisson draws of the expectation with a share of another element."""
    bank, _ = known
    _, _, _, shares = bank.draw(n, seed)
    named = shares.astype(float) @ bank.shapes[0]
    rng = np.random.default_rng(seed)
    mean = 1000 * ((1 - share) * named + share * templates_of(element))
    return rng.poisson(mean), shares


def test_templates_are_those_of_the_elements_not_named():
    """Beryllium to uranium without three: each sums to one."""
    spectra = the_templates()
    assert spectra.shape[1] == BINS.n_bins
    assert 80 <= spectra.shape[0] <= 92 - 3 - 3
    np.testing.assert_allclose(spectra.sum(axis=1), 1)
    assert spectra.min() >= 0
    for element, present in (("Cu", True), ("Si", True), ("Fe", False)):
        distance = np.abs(spectra - templates_of(element)).sum(axis=1).min()
        assert (distance < 1e-9) == present


def test_elements_without_a_line_in_the_window_are_left_out():
    above = type(BINS)(ACQUISITION.energy > 5.0, 3)
    high = foreign_spectra(ACQUISITION, METALS, above)
    assert 0 < high.shape[0] < the_templates().shape[0]
    assert high.shape[1] == above.n_bins


def test_draws_of_the_expectation_are_not_surprising(known):
    """The largest of some 85 correlated statistics of unit variance."""
    spectra, shares = with_foreign(known, "Cu", 0.0, n=400)
    found = found_in(known, spectra, shares)
    assert 0.5 < np.median(found) < 3.0
    assert (found > 6).mean() < 0.04


@pytest.mark.parametrize("element", ["Si", "Cr", "Cu", "Au"])
def test_a_foreign_peak_is_surprising(known, element):
    plain = found_in(known, *with_foreign(known, element, 0.0, seed=1))
    foreign = found_in(known, *with_foreign(known, element, 0.15, seed=1))
    assert np.quantile(foreign, 0.1) > np.quantile(plain, 0.95)
    little = found_in(known, *with_foreign(known, element, 0.04, seed=1))
    assert np.median(plain) < np.median(little) < np.median(foreign)


@pytest.mark.parametrize("element", ["Si", "Cu", "Au"])
def test_the_template_called_for_is_that_of_the_element(known, element):
    """Among those that look alike: the best one correlates with the element's."""
    bank, network = known
    _, _, _, shares = bank.draw(1, 0)
    named = shares[0].astype(float) @ bank.shapes[0]
    mean = 1000 * (0.7 * named + 0.3 * templates_of(element)) + 1e-6
    whole = found_in(known, mean[None], shares)[0]
    templates = the_templates()
    alike = templates @ templates_of(element)
    alike = alike / np.linalg.norm(templates, axis=1)
    best = templates[alike.argmax()]
    network.templates.copy_(torch.from_numpy(best).float().expand(len(templates), -1))
    alone = found_in(known, mean[None], shares)[0]
    network.templates.copy_(torch.from_numpy(templates).float())
    assert alone > 0.9 * whole


def test_its_value_is_that_of_the_score_statistic(known):
    """By numpy, for one template and an expectation that is exact."""
    bank, network = known
    spectra, shares = with_foreign(known, "Cu", 0.1, n=6)
    found = found_in(known, spectra, shares)
    n_named = len(bank.columns) - len(bank.unnamed)
    shape = shares[:, :n_named].astype(float) @ bank.shapes[0][:n_named]
    expected = spectra.sum(axis=1, keepdims=True) * (shape + 1e-6) + 1e-6
    score = (spectra / expected - 1) @ the_templates().T
    variance = (1 / expected) @ (the_templates() ** 2).T
    wanted = (score / np.sqrt(variance)).max(axis=1)
    np.testing.assert_allclose(found, wanted, rtol=2e-3)


def test_what_is_not_named_does_not_explain():
    """Counts that the network gives to an unnamed element are surprising."""
    bank = one_specimen(MIXTURE, 1000.0, unnamed=True)
    network = network_for_bank(bank, the_templates())
    share = np.zeros((1, len(bank.columns)), np.float32)
    share[0, list(bank.measuring)] = 0.2
    share[0, -1] = 0.4
    mean = 1000 * (share.astype(float) @ bank.shapes[0])
    assert found_in((bank, network), mean, share)[0] > 5


def test_an_empty_spectrum_is_finite(known):
    _, shares = with_foreign(known, "Cu", 0.0, n=3)
    assert np.isfinite(found_in(known, np.zeros((3, BINS.n_bins)), shares)).all()
