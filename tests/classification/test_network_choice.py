# SPDX-License-Identifier: GPL-3.0-or-later
"""The simple one unless the network is clearly better."""

from dataclasses import dataclass

import numpy as np
import pytest
from toy_spots import NAMES, conditions, drawn, shapes, spots

from hspy_ml.classification.classified import Classified
from hspy_ml.classification.network_choice import choose_classifier, varied_spectra
from hspy_ml.counts import DenseCounts


@dataclass
class Oracle:
    """Knows the truth, but for a few spectra."""

    truth: np.ndarray
    wrong: np.ndarray
    names: tuple = NAMES

    def classify(self, counts, *, num_workers=None, progress=None):
        said = np.where(self.wrong, self.truth % 3, self.truth - 1)
        nothing = np.zeros(counts.n_pixels, np.float32)
        return Classified(self.names, np.eye(3)[said], nothing, nothing)


def choice(n_wrong_simple, n_wrong_network):
    counts, truth = drawn(shapes(), 1000, 50)
    place = np.arange(truth.size)
    simple = Oracle(truth, place < n_wrong_simple)
    network = Oracle(truth, place >= truth.size - n_wrong_network)
    return choose_classifier(simple, network, counts, truth), simple, network


@pytest.mark.parametrize(
    ("simple_wrong", "network_wrong", "network_wins"),
    [(0, 0, False), (100, 5, True), (5, 100, False), (60, 55, False), (4, 0, False)],
)
def test_it_takes_the_network_only_where_it_wins_clearly(
    simple_wrong, network_wrong, network_wins
):
    found, simple, network = choice(simple_wrong, network_wrong)
    assert found.is_network == network_wins
    assert found.classifier is (network if network_wins else simple)
    assert found.errors == pytest.approx((simple_wrong / 3000, network_wrong / 3000))
    assert ("network is used" in found.reason) == network_wins


def test_other_phases_and_no_labels_are_refused():
    counts, truth = drawn(shapes(), 5, 50)
    one = Oracle(truth, truth < 0)
    with pytest.raises(ValueError, match="the same phases"):
        choose_classifier(one, Oracle(truth, truth < 0, ("x", "y", "z")), counts, truth)
    with pytest.raises(ValueError, match="`labels` has 3 entries"):
        choose_classifier(one, one, counts, truth[:3])
    with pytest.raises(ValueError, match="`labels` has 0 entries"):
        nothing = DenseCounts(np.zeros((0, counts.n_channels)))
        choose_classifier(one, one, nothing, truth[:0])


def test_varied_spectra_have_the_counts_that_are_asked_for():
    counts, labels = varied_spectra(spots(), conditions(), 200.0, 900, random_state=1)
    assert counts.n_channels == conditions().n_channels
    # 900 spectra of 200 +- 14 counts
    assert counts.pixel_totals.mean() == pytest.approx(200, abs=2)
    mean = counts.values[labels == 2].sum(axis=0)
    assert 0.5 * np.abs(mean / mean.sum() - shapes()[1]).sum() < 0.05
