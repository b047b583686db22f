# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_phases import N_CHANNELS, NAMES, PEAKS, counted, shapes, spectrum

from hspy_ml.classification.departures import departure_weights
from hspy_ml.classification.references import references_from_expected
from hspy_ml.classification.unknown import UnknownTest
from hspy_ml.classification.unknown_kernels import evidence

NOTHING = np.zeros((0, N_CHANNELS))


def unknown_test(alternatives=NOTHING):
    return UnknownTest(references_from_expected(NAMES, shapes()), alternatives)


def test_departures_say_nothing_of_the_phase_on_average():
    foreign = spectrum({180: 1.0})[None]
    weights, penalties = departure_weights(shapes(), foreign)
    means = np.einsum("kdc,kc->kd", weights, shapes())
    np.testing.assert_allclose(means, 0, atol=1e-9)
    assert weights.shape[1] == penalties.size
    assert (penalties >= 0).all()


def test_each_alternative_is_a_departure():
    without, _ = departure_weights(shapes(), NOTHING)
    foreign = np.array([spectrum({180: 1.0}), spectrum({75: 1.0})])
    with_two, _ = departure_weights(shapes(), foreign)
    assert with_two.shape[1] == without.shape[1] + 2 * 2  # added, in place of peaks


def test_one_phase_alone_has_departures():
    weights, penalties = departure_weights(shapes()[:1], NOTHING)
    assert weights.shape[:2] == (1, penalties.size)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 30), st.floats(0.01, 3))
def test_evidence_falls_with_the_skewness_of_chance(z, skewness):
    """A long tail upwards makes a large value less of a wonder."""
    assert 0 <= evidence(z, skewness) <= 0.5 * z**2 * (1 + 1e-6)
    assert evidence(z, 2 * skewness) <= evidence(z, skewness) * (1 + 1e-6)
    if z * skewness < 1:  # beyond, a Poisson variable would be below zero
        assert evidence(z, -skewness) >= 0.5 * z**2 * (1 - 1e-6)


def test_evidence_is_that_of_a_poisson_variable():
    """Of 9 counts where 4 are expected: z = 2.5, skewness 1 / 2."""
    exact = 9 * np.log(9 / 4) - 9 + 4
    assert evidence(2.5, 0.5) == pytest.approx(exact, rel=1e-12)


def test_expected_spectrum_shows_no_departure():
    test = unknown_test()
    y = counted(1000 * shapes(), 1.0, np.random.default_rng(0))
    rounded = replace(y, values=np.round(1000 * shapes()))
    found = test.statistics(rounded, np.arange(3))
    drawn = test.statistics(y, np.arange(3))
    assert (found < drawn).all()


def test_pixels_without_phase_or_counts_have_no_statistics():
    test = unknown_test()
    y = counted(
        np.vstack([shapes()[0], 0 * shapes()[0]]), 100, np.random.default_rng(0)
    )
    found = test.statistics(y, np.array([-1, 0]))
    assert (found == 0).all()


@pytest.mark.parametrize("what", ["mixture", "shift", "foreign"])
def test_a_departure_stands_out(what):
    foreign = spectrum({180: 1.0})
    odd = {
        "mixture": 0.7 * shapes()[0] + 0.3 * shapes()[1],
        "shift": spectrum(PEAKS["alpha"], 2.0),
        "foreign": 0.9 * shapes()[0] + 0.1 * foreign,
    }[what]
    test = unknown_test(foreign[None])
    rng = np.random.default_rng(0)
    which = np.zeros(200, int)
    usual = test.statistics(counted([shapes()[0]] * 200, 3000, rng), which)[:, 0]
    found = test.statistics(counted([odd] * 200, 3000, rng), which)[:, 0]
    assert np.median(found) > usual.max()


def test_what_the_scatter_makes_is_no_evidence():
    """Three standard deviations along the largest mode, with many counts."""
    test = unknown_test()
    scatter = test.references.scatter
    moved = 3 * np.sqrt(scatter.variances[0, 0]) * scatter.modes[0, 0]
    expected = np.maximum(test.references.shapes[0] + moved, 0)
    sure = replace(scatter, variances=1e-3 * scatter.variances)
    strict = UnknownTest(replace(test.references, scatter=sure), NOTHING)
    y = counted([expected] * 50, 50_000, np.random.default_rng(0))
    allowed = test.statistics(y, np.zeros(50, int)).mean(axis=0)
    forbidden = strict.statistics(y, np.zeros(50, int)).mean(axis=0)
    assert (forbidden > 3 * allowed).all()
