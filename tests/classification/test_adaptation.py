# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated references that are off learn what phases look like."""

import numpy as np
import pytest

from hspy_ml.classification.adaptation import adapted_to
from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.counts import DenseCounts

N_CHANNELS = 240
NAMES = ("alpha", "beta", "gamma")
CHANNELS = np.arange(N_CHANNELS)


def peaks(*places):
    return sum(np.exp(-0.5 * ((CHANNELS - place) / 4) ** 2) for place in places)


def normalised(spectra):
    return spectra / spectra.sum(axis=-1, keepdims=True)


CONTINUUM = 0.15 * np.exp(-CHANNELS / 90)
SIMULATED = normalised(
    CONTINUUM + np.array([peaks(40, 90), peaks(40, 150), peaks(65, 200)])
)
#: The continuum is a third higher, and the efficiency falls at low energies.
TRUE = normalised(
    (SIMULATED + 0.33 * normalised(CONTINUUM)) * (1 - 0.3 * np.exp(-CHANNELS / 30))
)


def drawn(counts=20_000, n=300, shares=(1, 1, 1), seed=0, true=TRUE):
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size=n, p=np.array(shares) / sum(shares)) + 1
    return DenseCounts(rng.poisson(counts * true[labels - 1])), labels


@pytest.fixture(scope="module")
def simulated():
    return LikelihoodClassifier.from_expected(NAMES, SIMULATED, uncertainty=4.0)


def distance(p, q):
    return 0.5 * np.abs(p - q).sum(axis=-1)


def test_references_come_near_the_truth(simulated):
    counts, labels = drawn()
    adapted, names = adapted_to(simulated, counts)
    assert names == NAMES
    before = distance(simulated.references.shapes, TRUE)
    after = distance(adapted.references.shapes, TRUE)
    assert (after < 0.1 * before).all()
    found = adapted.classify(counts)
    assert (found.labels == labels).mean() > 0.98
    assert (simulated.classify(counts).best == labels).all()


def test_a_phase_that_is_not_there_stays_as_it_was(simulated):
    counts, _ = drawn(shares=(1, 1, 0))
    adapted, names = adapted_to(simulated, counts)
    assert names == NAMES[:2]
    np.testing.assert_array_equal(
        adapted.references.shapes[2], simulated.references.shapes[2]
    )
    of_gamma, _ = drawn(shares=(0, 0, 1), seed=1)
    assert (adapted.classify(of_gamma).best == 3).all()


def test_an_impostor_does_not_become_the_phase(simulated):
    """Where gamma is looked for there is a fourth phase, which resembles it most."""
    impostor = normalised(CONTINUUM + peaks(75, 210, 225))
    true = np.array([TRUE[0], TRUE[1], impostor])
    counts, labels = drawn(true=true)
    adapted, names = adapted_to(simulated, counts)
    assert "gamma" not in names
    assert not adapted.classify(counts).is_known[labels == 3].any()


def test_few_counts_teach_nothing(simulated):
    counts, _ = drawn(counts=50, n=60)
    same, names = adapted_to(simulated, counts)
    assert names == () and same is simulated


def test_it_repeats_exactly(simulated):
    counts, _ = drawn(n=120)
    first, second = (adapted_to(simulated, counts, 3)[0] for _ in range(2))
    np.testing.assert_array_equal(first.references.shapes, second.references.shapes)
    found = [c.classify(counts).oddness for c in (first, second)]
    np.testing.assert_array_equal(*found)
