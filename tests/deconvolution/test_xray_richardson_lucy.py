# SPDX-License-Identifier: GPL-3.0-or-later
"""Richardson-Lucy on X-ray spectra, and when it stops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xray_peaks import acquisition, measured

from hspy_ml.deconvolution.xray_response import XrayResponse
from hspy_ml.deconvolution.xray_richardson_lucy import (
    choose_iterations,
    richardson_lucy,
    split,
)

CENTRES, AREAS = [0.277, 1.74, 2.307, 5.899], np.array([0.5, 1.0, 1.0, 0.5])


@given(seed=st.integers(0, 2**31), counts=st.floats(0.0, 3.0))
@settings(max_examples=15, deadline=None)
def test_keeps_counts_and_stays_above_zero(seed, counts):
    rng = np.random.default_rng(seed)
    response = XrayResponse.of_detector(acquisition(96, 0.02))
    spectra = rng.poisson(rng.gamma(0.2, size=(3, 96)) * 10**counts)
    spectra[0] = 0
    found = richardson_lucy(spectra, response, np.array([1, 3, 30]))
    assert np.isfinite(found).all()
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=1), spectra.sum(axis=1), rtol=1e-9)


def test_every_step_raises_the_likelihood():
    counts, _ = measured(acquisition(), CENTRES, 1e4 * AREAS)
    response = XrayResponse.of_detector(acquisition())

    def likelihood(n):
        expected = response.forward(richardson_lucy(counts, response, n))
        return (counts * np.log(np.maximum(expected, 1e-30))).sum()

    values = [likelihood(n) for n in (1, 2, 4, 8, 16, 32)]
    assert (np.diff(values) > 0).all()


def test_starts_where_it_is_told():
    counts, _ = measured(acquisition(), CENTRES, 1e4 * AREAS)
    response = XrayResponse.of_detector(acquisition())
    half_way = richardson_lucy(counts, response, 5)
    rest = richardson_lucy(counts, response, 5, half_way)
    np.testing.assert_allclose(
        rest, richardson_lucy(counts, response, 10), rtol=1e-3, atol=1e-2
    )


@pytest.fixture(scope="module")
def by_dose():
    doses = (30.0, 3e3, 3e5)
    made = [
        measured(acquisition(), CENTRES, d * AREAS / 3, n=6, background=d / 300)
        for d in doses
    ]
    return np.vstack([counts for counts, _ in made]), [truth for _, truth in made]


def test_more_counts_bear_more_iterations_and_the_choice_is_good(by_dose):
    """Within 2.5 times of the error of the best number, which knows the truth."""
    counts, truths = by_dose
    response = XrayResponse.of_detector(acquisition())
    chosen = choose_iterations(counts, response, 0)
    n = chosen.of(counts.sum(axis=1))
    assert n[0] < n[6] < n[12]
    for rows, truth in zip(
        (slice(0, 6), slice(6, 12), slice(12, 18)), truths, strict=True
    ):
        errors = {
            k: ((richardson_lucy(counts[rows], response, k) - truth) ** 2).sum()
            for k in (2, 5, 10, 20, 40, 80, 160, 320)
        }
        found = richardson_lucy(counts[rows], response, n[rows])
        assert ((found - truth) ** 2).sum() < 2.5 * min(errors.values())


def test_the_choice_repeats_and_knows_what_to_do_without_counts(by_dose):
    counts, _ = by_dose
    response = XrayResponse.of_detector(acquisition())
    one, two = (choose_iterations(counts[:8], response, 5) for _ in range(2))
    np.testing.assert_array_equal(one.iterations, two.iterations)
    none = choose_iterations(np.zeros((2, 1024)), response)
    assert none.of(np.zeros(2)).tolist() == [1, 1]


def test_split_makes_two_sets_of_whole_counts():
    counts = np.random.default_rng(0).gamma(2.0, size=(200, 50))
    kept, rest = split(counts, 0.8, 0)
    assert np.array_equal(kept, np.floor(kept))
    assert rest.min() >= 0
    np.testing.assert_allclose(kept.sum() / counts.sum(), 0.8, atol=0.02)
    np.testing.assert_allclose((kept + rest).sum(), counts.sum(), rtol=0.03)
