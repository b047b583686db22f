# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of the package's network on spectra that it has not seen."""

import numpy as np

from hspy_ml.deconvolution.deconvolver_model import default_deconvolver
from hspy_ml.deconvolution.network_scores import SETS, score_network, with_scores
from hspy_ml.simulation.low_loss_test_sets import test_set as spectra_of

spectra_of.__test__ = False


def test_the_network_of_the_package_does_what_its_card_says():
    """Another draw of the set: the median error is within a factor of three."""
    model = default_deconvolver()
    found = score_network(model, spectra_of("plasmon", 20, random_state=7))
    on_card = model.scores["plasmon"]
    assert found.summary()["median_nmse"] < 3 * on_card["median_nmse"]
    assert found.f1 > 0.94
    assert found.false_peaks <= 0.15


def test_scores_are_put_on_the_card():
    scored = with_scores(default_deconvolver(), n_spectra=2)
    assert set(scored.scores) == set(SETS)
    assert all(np.isfinite(list(s.values())).all() for s in scored.scores.values())
    assert scored.card.scores == scored.scores
